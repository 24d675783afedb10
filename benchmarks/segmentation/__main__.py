"""White cells found in fields of a smear, ours beside the plain way.

    python -m benchmarks.segmentation FIELDS [--part NAME] [--unseen] [--list] [--cells FOLDER]
                                      [--outlines FOLDER] [--large]

``FIELDS`` is a set in the layout of YOLO such as TXL-PBC, of which the part ``val`` is judged, or another
one: no setting was chosen on them. Figures are given for the labels as they are, and once more with those
corrected that are wrong by eye (:mod:`leukemia.training.finder.corrections`).
"""

import argparse
from pathlib import Path

from benchmarks.segmentation.found import judge, ours, search, speed
from benchmarks.segmentation.large import large
from benchmarks.segmentation.outlines import drawn
from benchmarks.segmentation.pasted import pasted
from benchmarks.segmentation.plain import plain
from benchmarks.segmentation.touching import touching
from leukemia.segmentation.network import Network, shipped
from leukemia.settings import RESEARCH_USE
from leukemia.training.finder import labelled_fields
from leukemia.training.finder.copies import copies
from leukemia.training.finder.corrections import Corrections


def main() -> None:
    """Print the figures."""
    command = argparse.ArgumentParser(prog="python -m benchmarks.segmentation", description=__doc__)
    command.add_argument("fields", type=Path)
    command.add_argument("--part", default="val")
    command.add_argument("--unseen", action="store_true", help="leave out fields that also stand in train")
    command.add_argument("--list", action="store_true", help="list each cell that is missed or false")
    command.add_argument("--cells", type=Path, help="paste cells on black of this folder on drawn red cells")
    command.add_argument("--count", type=int, default=100)
    command.add_argument("--outlines", type=Path, help="pictures of a cell, each beside its mask")
    command.add_argument("--large", action="store_true", help="time 100 megapixels, too")
    options = command.parse_args()
    network = shipped()
    _found(options.fields, options.part, network, unseen=options.unseen, listed=options.list)
    if options.cells:
        print(*pasted(options.cells, options.count, network), sep="\n")
    if options.outlines:
        print("Outlines, and those that experts drew", *drawn(options.outlines, network), sep="\n")
    if options.large:
        print(large(options.fields, network))
    print(RESEARCH_USE)


def _found(fields: Path, part: str, network: Network, *, unseen: bool, listed: bool) -> None:
    pictures = labelled_fields.pictures(fields, part)
    known = copies(pictures, labelled_fields.pictures(fields, "train"))
    print(f"{len(known)} of {len(pictures)} fields of {part} also stand in train, most of them resized")
    left_out = known if unseen else set()
    simple = search(fields, part, plain, left_out)
    print("Plain way: saturation and watershed", *judge(simple, known), speed(simple), sep="\n")
    found = search(fields, part, lambda field: ours(field, network), left_out)
    print("Ours", *judge(found, known, listed=listed), speed(found), sep="\n")
    print("Ours, labels corrected", *judge(found, known, Corrections.read()), sep="\n")
    print(touching(fields, part, network))


if __name__ == "__main__":
    main()
