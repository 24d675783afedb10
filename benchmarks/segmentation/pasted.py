"""Whether cells pasted on a drawn field, found and cut out again, are answered as they were."""

import io
import statistics
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from benchmarks.segmentation.outlines import dice
from leukemia.imaging.cell import Cell, foreground, read_cell
from leukemia.imaging.reader import SUFFIXES
from leukemia.imaging.scale import NATIVE, PIXEL_SIZE, STATED_NATIVE
from leukemia.inference import decisions
from leukemia.inference.answer import Answer, Source
from leukemia.inference.classifier import Classifier
from leukemia.operating_point import OperatingPoint
from leukemia.segmentation.crop import cut_out
from leukemia.segmentation.field import Field
from leukemia.segmentation.network import Network
from leukemia.segmentation.outline import Outline
from leukemia.segmentation.scale import RED_CELL, FieldScale
from leukemia.segmentation.segment import segment
from leukemia.settings import SHIPPED

GLASS, STAINED, PALE = (235, 225, 222), (205, 140, 145), (222, 175, 178)
FREE, MIDDLE = 250, 60  # pixels about the middle of the drawn field
# Outlines by which a cell is cut out: pixels that it is grown by, less than none where it is shrunk.
RIMS = (0, 1, -1)


def pasted(cells: Path, count: int, network: Network) -> list[str]:
    """Lines: cut out along the outline that is found, and along the true one, shrunk or grown by a pixel.

    Those along the true one tell what placing and resampling change, and what a rim does.
    """
    classifier = Classifier.load(SHIPPED)
    point = classifier.bundle.operating_point
    files = sorted(one for one in cells.rglob("*") if one.suffix in SUFFIXES)
    pairs: dict[str, list[tuple[Answer, Answer]]] = {}
    overlaps, taken = [], files[:: max(1, len(files) // count)][:count]
    for file in taken:
        cell = read_cell(file)
        field, mask = _field(cell)
        whole = segment(field, STATED_NATIVE, network)
        near = [one for one in whole.cells if abs(one.x + one.width / 2 - field.width / 2) < MIDDLE]
        lines = {f"the true outline, {rim:+d} px": Outline(_grown(mask, rim), 0, 0, 1, 1) for rim in RIMS}
        if near:
            lines["the outline found"] = near[0].outline
            overlaps.append(dice(near[0].outline, mask))
        own = _answer(classifier, cell.pixels)
        for name, line in lines.items():
            crop = cut_out(field, line, FieldScale(PIXEL_SIZE))
            pairs.setdefault(name, []).append((own, _answer(classifier, crop.pixels)))
    told = [f"  by {name}: {_told(both, point)}" for name, both in pairs.items()]
    return [
        f"{len(taken)} cells pasted on drawn red cells: {len(overlaps)} found, outlined with a Dice "
        f"coefficient of {statistics.mean(overlaps):.4f} (least {min(overlaps):.4f})",
        *told,
    ]


def _told(pairs: list[tuple[Answer, Answer]], point: OperatingPoint) -> str:
    same = sum(len({decisions.decision(one.probability, point) for one in pair}) == 1 for pair in pairs)
    change = [
        abs(one.probability - other.probability)
        for one, other in pairs
        if None not in (one.probability, other.probability)
    ]
    mean = f"{statistics.mean(change):.3f}" if change else "-"
    return (
        f"{same} of {len(pairs)} with the original's decision, mean change of probability {mean} "
        f"({len(change)} answered both times)"
    )


def _field(cell: Cell) -> tuple[Field, np.ndarray]:
    """A cell in the middle of a drawn field, and where it is: bool, shape (height, width)."""
    pixels = red_cells()
    top, left = (len(pixels) - cell.height) // 2, (len(pixels) - cell.width) // 2
    here = np.s_[top : top + cell.height, left : left + cell.width]
    mask = np.zeros(pixels.shape[:2], bool)
    mask[here] = foreground(cell.pixels)
    pixels[here][mask[here]] = cell.pixels[mask[here]]
    return Field.of(pixels), mask


def _grown(mask: np.ndarray, by: int) -> np.ndarray:
    if not by:
        return mask
    return (ndimage.binary_dilation if by > 0 else ndimage.binary_erosion)(mask, iterations=abs(by))


def _answer(classifier: Classifier, pixels: np.ndarray) -> Answer:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return next(iter(classifier.classify([Source("cell", out.getvalue, NATIVE)])))


def red_cells() -> np.ndarray:
    """A drawn field of red cells at C-NMC's scale, its middle free: uint8 RGB."""
    side, radius = 1_200, RED_CELL / PIXEL_SIZE / 2
    pixels = np.full((side, side, 3), GLASS, np.uint8)
    rows, columns = np.ogrid[:side, :side]
    for y, x in np.ndindex(6, 6):
        at = 100 + 200 * x, 100 + 200 * y
        away = np.hypot(columns - at[0], rows - at[1])
        if max(abs(at[0] - side / 2), abs(at[1] - side / 2)) > FREE:
            pixels[away <= radius] = STAINED
            pixels[away <= radius / 2.5] = PALE
    return ndimage.gaussian_filter(pixels, (2, 2, 0))
