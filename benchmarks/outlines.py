"""Outlines of white cells that are found, beside those that were drawn by hand.

    python -m benchmarks.outlines FIELDS [--list]

``FIELDS`` is the folder ``images`` of TXL-PBC. ``outlines.json`` beside this module has one cell each of 40
fields of its part ``val``: ``field`` (a path below ``FIELDS``), ``width`` and ``height`` of the field, and
``ring``, the corners in its pixels, as :class:`leukemia.segmentation.place.Place` has them. The second line
is of the same cells when a box is drawn round each by hand.
"""

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from skimage.draw import polygon2mask

from leukemia.errors import ImageError
from leukemia.segmentation import by_hand
from leukemia.segmentation.field import Field, read_field
from leukemia.segmentation.outline import Outline
from leukemia.segmentation.segment import Segmented, segment

DRAWN = Path(__file__).with_name("outlines.json")
ENOUGH = 0.93
FINER = 2  # pixels of a mask for one of the field


def mask(ring: Sequence[Sequence[float]] | np.ndarray, field: Field) -> np.ndarray:
    """Which pixels of a field, :data:`FINER` times as many a side, lie within corners."""
    size = field.height * FINER, field.width * FINER
    return polygon2mask(size, np.asarray(ring, float)[:, ::-1] * FINER - 0.5)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Twice the area in common by the sum of both (Dice 1945, Ecology 26:297)."""
    both = np.count_nonzero(one) + np.count_nonzero(other)
    return 2 * np.count_nonzero(one & other) / both if both else 0.0


def found(drawn: np.ndarray, field: Field, cells: Segmented) -> float:
    """Dice of the found outline that comes nearest; 0 where the cell is missed."""
    return max((dice(drawn, _of(cell.outline, field)) for cell in cells.cells), default=0.0)


def boxed(drawn: np.ndarray, ring: np.ndarray, field: Field, pixel_size: float) -> float:
    """Dice of the outline in a box that is drawn as large as the cell."""
    low, high = ring.min(axis=0), ring.max(axis=0)
    try:
        cell = by_hand.in_box(field, (*low, *(high - low)), pixel_size)
    except ImageError:
        return 0.0
    return dice(drawn, _of(cell.outline, field))


def _of(outline: Outline, field: Field) -> np.ndarray:
    return mask(outline.polygon(), field)


def _line(what: str, values: Sequence[float]) -> str:
    enough = sum(value >= ENOUGH for value in values)
    return (
        f"{what}: Dice mean {statistics.mean(values):.3f}, median {statistics.median(values):.3f}, worst "
        f"{min(values):.3f}, at least {ENOUGH}: {enough} of {len(values)}"
    )


def main() -> None:
    """Print both lines, and each cell's values where they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fields", type=Path, metavar="FIELDS")
    parser.add_argument("--list", action="store_true", help="each cell's Dice, the worst first")
    args = parser.parse_args()
    rows = []
    for one in json.loads(DRAWN.read_text(encoding="utf-8"))["outlines"]:
        field, ring = read_field(args.fields / one["field"]), np.array(one["ring"])
        drawn, cells = mask(ring, field), segment(field)
        values = found(drawn, field, cells), boxed(drawn, ring, field, cells.scale.pixel_size)
        rows.append((*values, one["field"]))
    if args.list:
        for first, second, name in sorted(rows):
            print(f"{first:.3f}  {second:.3f}  {name}")
    print(_line("found", [row[0] for row in rows]))
    print(_line("in a box by hand", [row[1] for row in rows]))


if __name__ == "__main__":
    main()
