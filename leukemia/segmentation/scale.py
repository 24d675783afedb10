"""How large a pixel of a field is: as stated, as its file records it, or by its red cells."""

from dataclasses import dataclass

import numpy as np

from leukemia.errors import ImageError
from leukemia.imaging.scale import PIXEL_SIZE as NATIVE_SIZE
from leukemia.imaging.scale import Scale, plausible
from leukemia.segmentation import boxes
from leukemia.segmentation.boxes import RED, WHITE, Boxes
from leukemia.segmentation.field import Field
from leukemia.segmentation.focus import OUT_OF_FOCUS, is_blurred
from leukemia.segmentation.network import PIXEL_SIZE, Network

# Micrometres across: the usual diameter of a red cell in a dried smear.
RED_CELL = 7.2
BY_RED_CELLS = f"from the field's red cells, taken as {RED_CELL} µm across"
UNKNOWN = (
    "The scale is unknown: too few red cells were found to tell it. State how many micrometres one pixel is."
)
NO_SMEAR = (
    "Neither red nor white cells were found: this is no field of a stained smear, it is out of focus, or its "
    "magnification is too far from that of a 20x to 100x objective."
)
# Micrometres per pixel that are tried; the network knows red cells from half to nearly twice the usual size.
TRIED = (0.05, 0.1, 0.2, 0.4)
# At which one it is asked whether a field without a cell is blurred.
BETWEEN = 0.1
# The weight (0 to 1) of a reading under which it tells no scale, and from which it tells it so clearly that
# no other is tried. Fields held out of the training have .23 or more, pictures of other things mostly less.
LEAST, CLEAR = 0.22, 0.55
# Pixels of the working scale that are read of a field to learn its scale, in its middle.
SIDE = 448
# So many red cells at the least tell a scale, and so many tell it well; pixels of the working scale that one
# has across, and by how much (in natural logarithms) its size may be off until it counts for little.
FEW, MANY = 3, 10
SIZES = (9.0, 34.0)
SPREAD = 0.4
# The share of a field that red cells cover at the least where they are cells, and not parts of cells.
COVERED = 0.15
# Pixels of the working scale by which a box lies within the part that was read.
INSIDE = 1.5
# The part of a red cell that must be seen where the edge cuts it, for its other side to be its diameter.
SEEN = 0.6
# How sure a white cell must be to be believed where no red cell tells the scale, and micrometres that one has
# across about.
SURE, WHITE_CELL = 0.6, 13.0


@dataclass(frozen=True)
class FieldScale:
    """The scale of a field.

    Attributes
    ----------
    pixel_size : float
        Micrometres per pixel.
    origin : str
        Who says so, for a reader.
    known : bool
        False where it is only near enough to find cells: none can then be brought to another scale.
    """

    pixel_size: float
    origin: str = ""
    known: bool = True

    @property
    def note(self) -> str:
        """What a reader must know of it."""
        return f"scale: {Scale(self.pixel_size, self.origin)}" if self.known else UNKNOWN


@dataclass(frozen=True)
class _Reading:
    """Cells of the field's middle, read as if its pixels had this size, in pixels of the working scale."""

    pixel_size: float
    red: Boxes
    across: np.ndarray  # diameters of the red cells
    white: Boxes
    area: int  # of what was read


def choose(field: Field, network: Network, said: Scale | None = None) -> FieldScale:
    """The scale of a field: as stated, else as its file records it, else by its red cells.

    Where they are too few, the scale at which white cells are found best, which is not a known one.

    Parameters
    ----------
    field : Field
    network : Network
        Finds the red cells.
    said : Scale, optional
        What whoever sends it says.

    Raises
    ------
    ImageError
        Where there is neither a red nor a white cell, or the scale that was said is none.
    """
    if said is not None:
        return stated(said)
    if field.pixel_size is not None:
        return FieldScale(field.pixel_size, "from the file")
    readings = _readings(field, network)
    by_red = [one for one in readings if _weight_of_red(one) >= LEAST]
    if by_red:
        likely = _by_red_cells(max(by_red, key=_weight_of_red))
        # Once more at that scale, at which the network is surest.
        again = _read(field, network, likely)
        return FieldScale(_by_red_cells(again) if len(again.red) >= FEW else likely, BY_RED_CELLS)
    best = max(readings, key=_weight_of_white)
    if not _weight_of_white(best):
        raise ImageError(OUT_OF_FOCUS if is_blurred(field, BETWEEN) else NO_SMEAR)
    return FieldScale(best.pixel_size, known=False)


def _readings(field: Field, network: Network) -> list[_Reading]:
    """Read the field's middle at each scale that is tried, the quickest first, until one tells it clearly."""
    readings = []
    for size in TRIED:
        readings.append(_read(field, network, size))
        if _weight_of_red(readings[-1]) >= CLEAR:
            break
    return readings


def stated(said: Scale) -> FieldScale:
    """The scale that somebody says; raises ImageError where no microscope's camera has it."""
    size = plausible(said.pixel_size or NATIVE_SIZE)
    if size is None:
        raise ImageError(f"No microscope's camera has {said.pixel_size:.3g} µm per pixel. Check the scale.")
    return FieldScale(size, said.origin)


def _read(field: Field, network: Network, pixel_size: float) -> _Reading:
    """Find the cells in the field's middle, were its pixels this large."""
    times = pixel_size / PIXEL_SIZE
    spans = [min(full, SIDE / times) for full in (field.width, field.height)]
    size = tuple(max(1, round(span * times)) for span in spans)
    left, top = ((full - span) / 2 for full, span in zip((field.width, field.height), spans, strict=True))
    maps = network.maps(field.part((left, top, left + spans[0], top + spans[1]), size))
    red, white = (boxes.apart(boxes.peaks(maps, kind)) for kind in (RED, WHITE))
    across = _across(red, size)
    kept = (across > SIZES[0]) & (across < SIZES[1])
    return _Reading(
        pixel_size, red.where(kept), across[kept], white.where(white.confidence > SURE), size[0] * size[1]
    )


def _across(red: Boxes, size: tuple[int, int]) -> np.ndarray:
    """Diameters, shape (n,); of a cell that one edge cuts its length along it, 0 where little is seen."""
    inside = (red.sides[:, :2] > INSIDE) & (red.sides[:, 2:] < np.array(size) - INSIDE)
    sides = red.sides[:, 2:] - red.sides[:, :2]
    seen = sides.min(axis=1) > SEEN * sides.max(axis=1)
    cut = np.where(inside[:, 0], sides[:, 0], sides[:, 1]) * (inside.any(axis=1) & seen)
    return np.where(inside.all(axis=1), red.diameters, cut)


def _by_red_cells(reading: _Reading) -> float:
    """Micrometres per pixel at which the median red cell is :data:`RED_CELL` across."""
    return reading.pixel_size * RED_CELL / PIXEL_SIZE / float(np.median(reading.across))


def _weight_of_red(reading: _Reading) -> float:
    """How well red cells tell the scale: many sure ones of their usual size that cover enough of it."""
    if len(reading.red) < FEW:
        return 0.0
    near = _nearness(reading.across, RED_CELL)
    covered = float((reading.red.diameters**2).sum()) / reading.area
    enough = min(1.0, len(reading.red) / MANY) * min(1.0, covered / COVERED)
    return float(reading.red.confidence.mean() * near * enough)


def _weight_of_white(reading: _Reading) -> float:
    """How well white cells are found; 0 where none is."""
    if not len(reading.white):
        return 0.0
    return float(reading.white.confidence.max() * _nearness(reading.white.diameters, WHITE_CELL))


def _nearness(diameters: np.ndarray, usual: float) -> float:
    apart = np.log(float(np.median(diameters)) * PIXEL_SIZE / usual)
    return float(np.exp(-0.5 * (apart / SPREAD) ** 2))
