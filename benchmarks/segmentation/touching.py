"""Whether white cells that touch are found as two."""

from pathlib import Path

import numpy as np

from benchmarks.segmentation.found import agreements, ours
from leukemia.segmentation.boxes import WHITE
from leukemia.segmentation.field import Field, read_field
from leukemia.segmentation.network import Network
from leukemia.training.finder import labelled_fields

TOUCH = 1.02  # how far two cells that touch lie apart, in their own sides


def touching(fields: Path, part: str, network: Network) -> str:
    """How many pairs of white cells are found as two: real cells of the fields, put beside each other."""
    parted, pairs = 0, []
    for file in labelled_fields.pictures(fields, part):
        field = read_field(file)
        labels = fields / "labels" / part / f"{file.stem}.txt"
        sides, kinds = labelled_fields.read_boxes(labels, field.width, field.height)
        pairs.append((field, sides, kinds))
    rng, made = np.random.default_rng(0), 0
    for field, sides, kinds in pairs:
        pair = _pair(field, sides, kinds, rng)
        if pair is None:
            continue
        made += 1
        missed, _ = agreements(pair[1], ours(pair[0], network))
        parted += not missed
    return f"touching pairs found as two: {parted} of {made}"


def _pair(
    field: Field, sides: np.ndarray, kinds: np.ndarray, rng: np.random.Generator
) -> tuple[Field, np.ndarray] | None:
    """A field with its one white cell a second time, turned by half, close beside itself; and both boxes."""
    pixels = np.array(field.image)
    cells = labelled_fields.estimate_outlines(pixels, sides, kinds)
    (white,) = np.nonzero(kinds == WHITE)
    if len(white) != 1:
        return None
    mask = cells == white[0] + 1
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    cut = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    shape, turned = mask[cut][::-1, ::-1], pixels[cut][::-1, ::-1].copy()
    for angle in rng.permutation(np.linspace(0, 2 * np.pi, 24)):
        down, across = round(np.sin(angle) * height * TOUCH), round(np.cos(angle) * width * TOUCH)
        top, left = rows[0] + down, columns[0] + across
        inside = top >= 0 and left >= 0 and top + height <= field.height and left + width <= field.width
        free = inside and not (mask[top : top + height, left : left + width] & shape).any()
        if free:
            pixels[top : top + height, left : left + width][shape] = turned[shape]
            boxes = [[x, y, x + width, y + height] for x, y in ((columns[0], rows[0]), (left, top))]
            return Field.of(pixels), np.array(boxes, float)
    return None
