"""Where a white cell lies in its field, as it is kept beside the answer."""

from dataclasses import dataclass


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
    confidence : float
        How sure the network is that it is a white cell, 0 to 1; not a probability of leukemia.
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
    confidence: float
    edge: bool
    ring: tuple[tuple[float, float], ...]
