"""A large field in tiles: they overlap by more than a cell, and each cell is taken from one of them."""

from collections.abc import Iterator
from dataclasses import dataclass

# Pixels at the scale at which the network reads: a tile's side, and how much more it sees on each side, about
# as much as the largest white cell.
SIDE, MARGIN = 512, 64


@dataclass(frozen=True)
class Tile:
    """A part of a field, all in pixels of the working scale.

    Attributes
    ----------
    left, top, right, bottom : int
        What the network reads.
    core : tuple of int
        Left, top, right and bottom of what belongs to this tile and no other.
    """

    left: int
    top: int
    right: int
    bottom: int
    core: tuple[int, int, int, int]


def cover(width: int, height: int) -> Iterator[Tile]:
    """Cover a field, row by row.

    Parameters
    ----------
    width, height : int
        Of the field at the working scale.
    """
    for top in range(0, height, SIDE):
        for left in range(0, width, SIDE):
            right, bottom = min(left + SIDE, width), min(top + SIDE, height)
            yield Tile(
                max(left - MARGIN, 0),
                max(top - MARGIN, 0),
                min(right + MARGIN, width),
                min(bottom + MARGIN, height),
                (left, top, right, bottom),
            )
