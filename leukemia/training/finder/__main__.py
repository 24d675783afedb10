"""Train the network that finds cells, and write its engine.

    python -m leukemia.training.finder FIELDS --cells FOLDER --others FOLDER --work FOLDER --output FOLDER

``FIELDS`` is a set with boxes in the layout of YOLO, such as TXL-PBC; ``--cells`` holds cells on black
at C-NMC's scale, ``--others`` pictures of other things. The training resumes from what is in ``--work``.
"""

import argparse
from pathlib import Path

from leukemia.imaging.reader import SUFFIXES


def main() -> None:
    """Train and write."""
    command = argparse.ArgumentParser(
        prog="python -m leukemia.training.finder", description=__doc__.partition("\n")[0]
    )
    command.add_argument("fields", type=Path)
    for name in ("--cells", "--others"):
        command.add_argument(name, type=Path, metavar="FOLDER", help="images, at any depth")
    for name in ("--work", "--output"):
        command.add_argument(name, type=Path, required=True, metavar="FOLDER")
    command.add_argument("--epochs", type=int, default=20)
    options = command.parse_args()
    from leukemia.training.finder import fit, write

    model = fit.fit(
        options.fields, _images(options.cells), _images(options.others), options.work, options.epochs
    )
    write.write(model, options.output)


def _images(folder: Path | None) -> list[Path]:
    return sorted(one for one in folder.rglob("*") if one.suffix.lower() in SUFFIXES) if folder else []


if __name__ == "__main__":
    main()
