"""A field to its white cells, or to a sentence that says why not."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from leukemia.errors import ImageError
from leukemia.imaging.scale import Scale
from leukemia.segmentation import find, focus, scale
from leukemia.segmentation.field import Field
from leukemia.segmentation.find import Found
from leukemia.segmentation.network import Network, shipped
from leukemia.segmentation.outline import Outline, outline
from leukemia.segmentation.scale import FieldScale
from leukemia.segmentation.surround import Surround

# Mean spread between a pixel's channels (levels) under which a picture has no stain.
COLOUR = 6.0
LOOKED_AT = (256, 256)
NO_COLOUR = "The picture has no colour. A field of a stained smear is needed."
NONE_FOUND = "No white cell was found."


@dataclass(frozen=True)
class WhiteCell:
    """A white cell of a field.

    Attributes
    ----------
    x, y, width, height : float
        Its box in pixels of the field, from the upper left corner.
    confidence : float or None
        How sure the network is of it, 0 to 1; not a probability of leukemia. None where it was outlined by
        hand.
    edge : bool
        Whether the field's edge cuts it, or the rim of its black surround.
    outline : Outline
    """

    x: float
    y: float
    width: float
    height: float
    confidence: float | None
    edge: bool
    outline: Outline


@dataclass(frozen=True)
class Segmented:
    """What was found in a field.

    Attributes
    ----------
    cells : tuple of WhiteCell
        Row by row, as they are read.
    red, platelets : int
        How many red cells and platelets were found beside them.
    scale : FieldScale
        Of the field, and who says so.
    """

    cells: tuple[WhiteCell, ...]
    red: int
    platelets: int
    scale: FieldScale


def segment(
    field: Field,
    said: Scale | None = None,
    network: Network | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> Segmented:
    """Find and outline the white cells of a field.

    Parameters
    ----------
    field : Field
    said : Scale, optional
        The scale, where it is known; see :func:`leukemia.segmentation.scale.choose`.
    network : Network, optional
        Other than the one that comes with the program.
    progress : callable, optional
        See :func:`leukemia.segmentation.find.find`.

    Raises
    ------
    ImageError
        Where the picture has no colour or is out of focus, or no cell tells its scale.
    """
    network = network or shipped()
    _check(field)
    chosen = scale.choose(field, network, said)
    if focus.is_blurred(field, chosen.pixel_size):
        raise ImageError(focus.OUT_OF_FOCUS)
    found = find.find(field, network, chosen.pixel_size, progress)
    everything = range(len(found.white))
    return Segmented(outlined(field, found, everything), len(found.red), len(found.platelets), chosen)


def outlined(field: Field, found: Found, chosen: Iterable[int]) -> tuple[WhiteCell, ...]:
    """Outline some of the white cells of a field, by their positions in what was found; as one reads."""
    edge = find.at_edge(found.white, field, found.pixel_size)
    surround = Surround.of(field, found.pixel_size)
    # Rows as high as the cells are.
    row = max(float(np.median(found.white.diameters)), 1.0) if len(found.white) else 1.0
    middles = found.white.middles

    def cell(one: int) -> WhiteCell:
        left, top, right, bottom = (float(side) for side in found.white.sides[one])
        line = outline(field, found, one)
        return WhiteCell(
            left,
            top,
            right - left,
            bottom - top,
            float(found.white.confidence[one]),
            bool(edge[one]) or surround.cuts(line),
            line,
        )

    order = sorted(chosen, key=lambda one: (middles[one, 1] // row, middles[one, 0]))
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return tuple(threads.map(cell, order))


def _check(field: Field) -> None:
    sample = field.part((0, 0, field.width, field.height), LOOKED_AT).astype(np.int16)
    if np.ptp(sample, axis=2).mean() < COLOUR:
        raise ImageError(NO_COLOUR)
