"""Patches to learn from: cut out of labelled fields at many scales, with cells pasted in and colours moved.

White cells of other fields, and cells cut out on black, are pasted beside and over what is there, so that
cells touch more often than in the fields. Pictures of other things come without a cell.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image
from scipy import ndimage

from leukemia.segmentation.boxes import WHITE
from leukemia.segmentation.network import MULTIPLE, PIXEL_SIZE, extended
from leukemia.training.finder.labelled_fields import KEPT_SIZE, LabelledField

SIDE = 96
# How many times larger or smaller cells are than at the network's scale.
ZOOM = (0.55, 1.8)
# Of a cell that a patch's edge cuts, less than this share of its box is neither asked for nor wrong.
LEAST_SEEN = 0.1
# Of a cell under one that was pasted, more than this share of its box hidden: it is gone.
MOST_HIDDEN = 0.6
PASTED, BESIDE, NOTHING, PLAIN = 0.5, 0.6, 0.04, 0.25
# How often a patch's edge is made to cut a white cell, and how much of the cell is left.
CUT_OFF, SLIVER = 0.25, (0.12, 0.5)
# How often what is read goes on in its mean colour to the right and below, as that of a field does.
ENDING = 0.5
TOGETHER = 0.8
GROWTH = (0.8, 1.25)
LIGHTER = 1.8  # cells that were cut out are darker than a field shows them


@dataclass(frozen=True)
class CutOut:
    """A white cell at :data:`KEPT_SIZE`: uint8 RGB (height, width, 3); bool (height, width) where it is."""

    pixels: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class Patch:
    """What the network reads, and what is there.

    Attributes
    ----------
    pixels : numpy.ndarray
        uint8 RGB, shape (side, side, 3).
    boxes, kinds : numpy.ndarray
        As in :class:`LabelledField`.
    white : numpy.ndarray
        bool, shape (side, side).
    width, height : int
        Where the picture ends; beyond it is its mean colour.
    """

    pixels: np.ndarray
    boxes: np.ndarray
    kinds: np.ndarray
    white: np.ndarray
    width: int = SIDE
    height: int = SIDE


@dataclass
class Patches:
    """An endless supply of patches.

    Parameters
    ----------
    fields : sequence of LabelledField
    cells : sequence of CutOut
        To paste in.
    others : sequence of numpy.ndarray
        Pictures without a cell, uint8 RGB.
    """

    fields: Sequence[LabelledField]
    cells: Sequence[CutOut]
    others: Sequence[np.ndarray]
    rng: np.random.Generator
    own: list[CutOut] = field(init=False)

    def __post_init__(self) -> None:
        self._by_shape = defaultdict(list)
        for one in self.fields:
            self._by_shape[_shape(one)].append(one)
        self.own = [cut for one in self.fields for cut in cut_out(one)]

    def draw(self) -> Patch:
        """Draw the next patch."""
        if self.others and self.rng.random() < NOTHING:
            return self._nothing()
        patch = self._patch(self.fields[self.rng.integers(len(self.fields))])
        if self.rng.random() < PASTED:
            for _ in range(self.rng.integers(1, 4)):
                patch = self._paste(patch)
        patch = replace(patch, pixels=self._recolour(patch.pixels))
        return self._ended(patch) if self.rng.random() < ENDING else patch

    def _patch(self, one: LabelledField) -> Patch:
        """A square of a field, mirrored and turned; where it is larger, other fields lie beside."""
        times = KEPT_SIZE / PIXEL_SIZE * np.exp(self.rng.uniform(*np.log(ZOOM)))
        span = round(SIDE / times)
        filled = tuple(int(level) for level in self.rng.choice(one.pixels.reshape(-1, 3)))
        if self.rng.random() < TOGETHER:
            one = self._together(one, span, filled)
        height, width = one.white.shape
        left, top = (
            int(self.rng.integers(min(0, full - span), max(0, full - span) + 1)) for full in (width, height)
        )
        if self.rng.random() < CUT_OFF:
            left, top = self._cutting(one, span, left, top)
        area = left, top, left + span, top + span
        pixels = _cut(Image.fromarray(one.pixels), area, SIDE, Image.Resampling.BOX, filled)
        white = _cut(Image.fromarray(one.white), area, SIDE, Image.Resampling.NEAREST, 0) > 0
        boxes = (one.boxes - np.tile(area[:2], 2)) * (SIDE / span)
        patch = Patch(pixels, boxes.astype(np.float32), one.kinds, white)
        return _turned(patch, int(self.rng.integers(4)), bool(self.rng.integers(2)))

    def _cutting(self, one: LabelledField, span: int, left: int, top: int) -> tuple[int, int]:
        """Left and top of a square whose edge cuts a white cell; those given where no cell can be cut so."""
        whites = one.boxes[one.kinds == WHITE]
        if not len(whites):
            return left, top
        box = whites[self.rng.integers(len(whites))]
        axis, seen = int(self.rng.integers(2)), self.rng.uniform(*SLIVER)
        low, high = box[axis], box[axis + 2]
        # The cell's far part is seen at the square's beginning, or its near part at the end.
        start = high - seen * (high - low) if self.rng.random() < 0.5 else low + seen * (high - low) - span
        full = one.white.shape[1 - axis]
        if min(start + span, full) - max(start, 0) < span / 2:
            return left, top
        across = (box[1 - axis] + box[3 - axis]) / 2 - self.rng.uniform(0.2, 0.8) * span
        limit = one.white.shape[axis] - span
        across = min(max(across, min(limit, 0)), max(limit, 0))
        return (round(start), round(across)) if axis == 0 else (round(across), round(start))

    def _ended(self, patch: Patch) -> Patch:
        """The patch with what lies to the right and below in its mean colour: there the picture ends."""
        width, height = (SIDE - int(self.rng.integers(MULTIPLE)) for _ in range(2))
        pixels = extended(patch.pixels[:height, :width], SIDE, SIDE)
        white = patch.white.copy()
        white[height:], white[:, width:] = False, False
        return replace(patch, pixels=pixels, white=white, width=width, height=height)

    def _together(self, one: LabelledField, span: int, filled: tuple[int, ...]) -> LabelledField:
        """A field with others of its source beside and below it, until the span is filled."""
        height, width = one.white.shape
        across, down = (min(3, -(-span // side)) for side in (width, height))
        if across * down == 1:
            return one
        source = self._by_shape[_shape(one)]
        pixels = np.full((down * height, across * width, 3), filled, np.uint8)
        white = np.zeros(pixels.shape[:2], np.uint8)
        boxes, kinds = [], []
        for number in range(across * down):
            other = one if number == 0 else source[self.rng.integers(len(source))]
            top, left = number // across * height, number % across * width
            rows, columns = (min(a, b) for a, b in zip(other.white.shape, (height, width), strict=True))
            here = np.s_[top : top + rows, left : left + columns]
            pixels[here] = other.pixels[:rows, :columns]
            white[here] = other.white[:rows, :columns] > 0
            seen = np.minimum(other.boxes, (columns, rows) * 2)
            kept = _hidden(other.boxes, np.array([0, 0, columns, rows])) > LEAST_SEEN
            boxes.append(seen[kept] + (left, top) * 2)
            kinds.append(other.kinds[kept])
        return LabelledField("", pixels, np.concatenate(boxes), np.concatenate(kinds), white)

    def _paste(self, patch: Patch) -> Patch:
        """Paste a cell: close beside a white one that is there, or anywhere."""
        supply = self.own if self.rng.random() < 0.5 or not self.cells else self.cells
        cut = supply[self.rng.integers(len(supply))]
        whites = patch.boxes[patch.kinds == WHITE]
        times = KEPT_SIZE / PIXEL_SIZE * np.exp(self.rng.uniform(*np.log(GROWTH)))
        if len(whites):  # of about the scale of the patch
            usual = np.sqrt(np.prod(whites[:, 2:] - whites[:, :2], axis=1)).mean()
            times *= np.clip(usual / 34, *ZOOM)
        size = tuple(max(4, round(side * times)) for side in cut.mask.shape[::-1])
        pixels = np.asarray(Image.fromarray(cut.pixels).resize(size, Image.Resampling.BOX))
        alpha = (
            np.asarray(Image.fromarray(np.uint8(cut.mask * 255)).resize(size, Image.Resampling.BOX)) / 255.0
        )
        if supply is self.cells:
            pixels = np.uint8(np.minimum(pixels * self.rng.uniform(1, LIGHTER), 255))
        turns = int(self.rng.integers(4))
        pixels, alpha = np.rot90(pixels, turns), np.rot90(alpha, turns)
        height, width = alpha.shape
        if len(whites) and self.rng.random() < BESIDE:
            box = whites[self.rng.integers(len(whites))]
            angle = self.rng.uniform(0, 2 * np.pi)
            reach = self.rng.uniform(0.8, 1.1) * ((box[2:] - box[:2]) + (width, height)) / 2
            middle = (box[:2] + box[2:]) / 2 + reach * (np.cos(angle), np.sin(angle))
        else:
            middle = self.rng.uniform(0, SIDE, 2)
        left, top = (round(m - s / 2) for m, s in zip(middle, (width, height), strict=True))
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width, SIDE), min(top + height, SIDE)
        if x1 - x0 < 4 or y1 - y0 < 4:
            return patch
        part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        here = np.s_[y0:y1, x0:x1]
        over = alpha[part][..., None]
        out = patch.pixels.astype(np.float32)
        out[here] = out[here] * (1 - over) + pixels[part] * over
        new = np.array([[left, top, left + width, top + height]], np.float32)
        hidden = _hidden(patch.boxes, new[0])
        kept = hidden < np.where(patch.kinds == WHITE, 0.5, MOST_HIDDEN)
        if not kept[patch.kinds == WHITE].all():
            return patch  # it would hide a white cell
        white = patch.white.copy()
        white[here] |= alpha[part] > 0.5
        boxes, kinds = np.concatenate([patch.boxes[kept], new]), np.append(patch.kinds[kept], WHITE)
        return Patch(out.astype(np.uint8), boxes, kinds, white)

    def _nothing(self) -> Patch:
        picture = self.others[self.rng.integers(len(self.others))]
        span = int(self.rng.integers(min(48, *picture.shape[:2]), min(picture.shape[:2]) + 1))
        left, top = (int(self.rng.integers(full - span + 1)) for full in picture.shape[1::-1])
        area = (left, top, left + span, top + span)
        pixels = _cut(Image.fromarray(picture), area, SIDE, Image.Resampling.BILINEAR, 0)
        empty = np.zeros((SIDE, SIDE), bool)
        return Patch(self._recolour(pixels), np.zeros((0, 4), np.float32), np.zeros(0, int), empty)

    def _recolour(self, pixels: np.ndarray) -> np.ndarray:
        """Other lamps, stains, cameras and focus: gains a channel, gamma, saturation, blur, noise."""
        if self.rng.random() < PLAIN:
            return pixels
        rng, x = self.rng, pixels.astype(np.float32) / 255
        grey = x.mean(axis=2, keepdims=True)
        x = grey + (x - grey) * rng.uniform(0.65, 1.4)
        x = np.clip(x * rng.uniform(0.87, 1.13, 3) * rng.uniform(0.75, 1.15), 0, 1) ** np.exp(
            rng.uniform(-0.35, 0.35)
        )
        mixing = np.eye(3) + rng.normal(0, 0.04, (3, 3))
        x = x @ (mixing / mixing.sum(axis=1)).astype(np.float32)
        if rng.random() < 0.3:
            sigma = rng.uniform(0.3, 1.2)
            x = ndimage.gaussian_filter(x, (sigma, sigma, 0))
        if rng.random() < 0.3:
            x = x + rng.normal(0, rng.uniform(0.005, 0.04), x.shape)
        return np.uint8(np.clip(x, 0, 1) * 255 + 0.5)


def cut_out(one: LabelledField) -> list[CutOut]:
    """Cut out the white cells of a field that lie within it."""
    cuts = []
    for number in np.flatnonzero(one.kinds == WHITE):
        mask = one.white == number + 1
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows) or min(rows[0], columns[0]) < 2:
            continue
        if rows[-1] >= mask.shape[0] - 2 or columns[-1] >= mask.shape[1] - 2:
            continue
        area = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        cuts.append(CutOut(one.pixels[area], mask[area]))
    return cuts


def _shape(one: LabelledField) -> tuple[int, int]:
    """What fields of one source have in common: their format."""
    height, width = one.white.shape
    return round(4 * width / height), round(height / 60)


def _hidden(boxes: np.ndarray, over: np.ndarray) -> np.ndarray:
    """Share of each box that lies under another."""
    common = np.minimum(boxes[:, 2:], over[2:]) - np.maximum(boxes[:, :2], over[:2])
    size = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.prod(np.maximum(common, 0), axis=1) / np.maximum(size, 1e-6)


def _cut(
    picture: Image.Image,
    area: tuple[int, int, int, int],
    side: int,
    by: Image.Resampling,
    filled: tuple[int, ...] | int,
) -> np.ndarray:
    left, top, right, bottom = area
    whole = left >= 0 and top >= 0 and right <= picture.width and bottom <= picture.height
    if whole:
        return np.asarray(picture.resize((side, side), by, box=area))
    wide = Image.new(picture.mode, (right - left, bottom - top), filled)
    wide.paste(picture, (-left, -top))
    return np.asarray(wide.resize((side, side), by))


def _turned(patch: Patch, quarters: int, mirrored: bool) -> Patch:
    pixels, white, boxes = patch.pixels, patch.white, patch.boxes
    side = white.shape[0]
    if mirrored:
        pixels, white = pixels[:, ::-1], white[:, ::-1]
        boxes = np.stack([side - boxes[:, 2], boxes[:, 1], side - boxes[:, 0], boxes[:, 3]], axis=1)
    for _ in range(quarters):  # counterclockwise, as numpy turns
        boxes = np.stack([boxes[:, 1], side - boxes[:, 2], boxes[:, 3], side - boxes[:, 0]], axis=1)
    return Patch(np.rot90(pixels, quarters), boxes, patch.kinds, np.rot90(white, quarters))
