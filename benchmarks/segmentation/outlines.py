"""How well outlines agree with those that experts drew."""

import statistics
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image

from leukemia.errors import ImageError
from leukemia.segmentation.field import read_field
from leukemia.segmentation.network import Network
from leukemia.segmentation.outline import Outline
from leukemia.segmentation.segment import segment

# Levels of the experts' pictures: from the first on the cell, from the second its nucleus.
CELL, NUCLEUS = 64, 192


def dice(outline: Outline, truth: np.ndarray) -> float:
    """Dice coefficient of an outline and a mask of the whole field, bool (height, width)."""
    mask = outline.raster((0.0, 0.0), 1.0, truth.shape[::-1])
    return float(2 * (mask & truth).sum() / max(mask.sum() + truth.sum(), 1))


def drawn(folder: Path, network: Network) -> list[str]:
    """Lines: Dice coefficients with masks that experts drew, by folder.

    Parameters
    ----------
    folder : Path
        Pictures of one cell, each beside its mask: ``NAME.bmp`` and ``NAME.png``, as those of
        zxaoyou/segmentation_WBC.
    network : Network
    """
    found, missed = defaultdict(list), defaultdict(int)
    for file in sorted(folder.rglob("*.bmp")):
        field = read_field(file)
        with Image.open(file.with_suffix(".png")) as picture:
            truth = np.asarray(picture.convert("L")) >= CELL
        try:
            cells = segment(field, network=network).cells
        except ImageError:
            cells = ()
        best = max((dice(one.outline, truth) for one in cells), default=0.0)
        if best < 0.5:
            missed[file.parent.name] += 1
        else:
            found[file.parent.name].append(best)
    return [_line(name, found[name], missed[name]) for name in sorted({*found, *missed})]


def _line(name: str, found: list[float], missed: int) -> str:
    if not found:
        return f"  {name:>14}: none of {missed} cells was found"
    low = statistics.quantiles(found, n=20)[0] if len(found) > 1 else found[0]
    return (
        f"  {name:>14}: Dice {statistics.mean(found):.3f} on average, {statistics.median(found):.3f} at "
        f"the median, a twentieth below {low:.3f}; {len(found)} of {len(found) + missed} cells found"
    )
