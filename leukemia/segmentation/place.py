"""What is kept of a field beside the answers on its cells: a small picture, and where each cell lies."""

from dataclasses import dataclass
from pathlib import Path

from leukemia.segmentation.scale import FieldScale

# Pixels of the longer side of the picture that is kept of a field.
FIELD_SIDE = 1_600


@dataclass(frozen=True)
class Place:
    """Where a cell lies in its field, in pixels of the field from its upper left corner.

    Attributes
    ----------
    field : str
        What the field is called: untrusted text.
    number : int
        Which of the field's cells it is, from 1, row by row.
    x, y, width, height : float
        Its box.
    confidence : float or None
        How sure the network is that it is a white cell, 0 to 1; not a probability of leukemia. None where
        its box or outline was drawn by hand.
    edge : bool
        Whether the field's edge cuts it.
    ring : tuple of (float, float)
        Corners of its outline; the last is the first.
    """

    field: str
    number: int
    x: float
    y: float
    width: float
    height: float
    confidence: float | None
    edge: bool
    ring: tuple[tuple[float, float], ...]

    @property
    def name(self) -> str:
        """What the cell is called wherever it is told: untrusted text."""
        return f"{self.field}, cell {self.number}"


@dataclass(frozen=True)
class FieldPicture:
    """What is kept of a field.

    Attributes
    ----------
    name : str
        Untrusted text.
    width, height : int
        Of the field, in pixels: places of cells are told in them.
    image_id : str
        SHA-256 of its pixels.
    picture : bytes
        WebP of at most :data:`FIELD_SIDE` pixels a side.
    note : str
        What a reader must know of it: how its scale is known, what its compression took away.
    scale : FieldScale or None
        None where it was not kept.
    lossy : bool
        Whether its file was compressed with loss.
    file : Path or None
        Where all its pixels lie, see :mod:`leukemia.segmentation.kept`; None where they were not kept: then
        no cell of it can be outlined by hand.
    """

    name: str
    width: int
    height: int
    image_id: str
    picture: bytes
    note: str
    scale: FieldScale | None = None
    lossy: bool = False
    file: Path | None = None
