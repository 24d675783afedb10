"""What a person can do by hand on the cells of a field."""

from dataclasses import dataclass

# Draw a box or an outline round a cell that was missed, give a cell another box or another outline, remove a
# box that holds none, take the last of these back; and mark a scale bar by its two ends.
DRAW, BOX, OUTLINE, REMOVE, UNDO, BAR = KINDS = "draw", "box", "outline", "remove", "undo", "bar"


@dataclass(frozen=True)
class Change:
    """What a person does by hand on a field.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`.
    cell : str
        The key of the cell that is changed; empty for a new one, and to take back.
    box : tuple of float
        Left, top, width and height in pixels of the field; empty unless one was drawn.
    ring : tuple of (float, float)
        Corners of an outline, or the two ends of a scale bar, in pixels of the field; empty unless one was
        drawn.
    """

    kind: str
    cell: str = ""
    box: tuple[float, ...] = ()
    ring: tuple[tuple[float, float], ...] = ()
