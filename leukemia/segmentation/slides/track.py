"""The order in which the parts of a slide are visited: as one reads, or along the battlement track.

The battlement track [1]_ [2]_ meanders from the film's long edge inwards and back, so that a count of few
cells has its share of the edge, where large cells gather, and of the middle. Its steps are fields of view:
two along the edge, two inwards, two along again, and two back to the edge. Where one such row of battlements
ends, the next begins behind it, and what lies between the tracks comes last.

References
----------
.. [1] CLSI. Reference Leukocyte (WBC) Differential Count (Proportional) and Evaluation of Instrumental
       Methods; Approved Standard, Second Edition. H20-A2. 2007.
.. [2] MacGregor RGS, Scott RW, Loh GL. The differential leucocyte count. J Pathol Bacteriol 1940;51:337-368.
"""

from collections.abc import Iterator

import numpy as np

Place = tuple[int, int]
# Fields of view along the edge, and inwards.
ALONG, INWARDS = 2, 2


def reading(holds: np.ndarray) -> list[Place]:
    """Columns and rows of the parts that hold anything, row by row."""
    return [(int(column), int(row)) for row, column in np.argwhere(holds)]


def battlement(holds: np.ndarray) -> list[Place]:
    """The same parts along the battlement track.

    Parameters
    ----------
    holds : numpy.ndarray
        bool, shape (rows, columns): which parts hold anything.

    Returns
    -------
    list of tuple of int
        Column and row of each, once.
    """
    rows, columns = holds.any(axis=1).nonzero()[0], holds.any(axis=0).nonzero()[0]
    if not len(rows):
        return []
    # The film is longer than wide: its long edge is the one to begin at.
    upright = np.ptp(rows) > np.ptp(columns)
    film = holds.T if upright else holds
    visited = dict.fromkeys(place for place in _meander(film) if film[place[1], place[0]])
    visited |= dict.fromkeys(reading(film))
    return [(row, column) if upright else (column, row) for column, row in visited]


def _meander(film: np.ndarray) -> Iterator[Place]:
    """Columns and rows of the track within the film, its upper edge first, some of them perhaps glass."""
    found = film.any(axis=0).nonzero()[0]
    first, last = int(found[0]), int(found[-1])
    edges = np.where(film.any(axis=0), film.argmax(axis=0), film.shape[0])
    deepest = film.shape[0] - int(edges.min())
    for band in range(0, deepest, INWARDS + 1):
        for column, depth in _battlements(last - first + 1):
            # The next row of battlements is walked back.
            column = last - column if (band // (INWARDS + 1)) % 2 else first + column
            row = int(edges[column]) + band + depth
            if row < film.shape[0]:
                yield column, row


def _battlements(length: int) -> Iterator[Place]:
    """Steps along an edge of so many parts, and how deep each lies."""
    column, depth, inwards = 0, 0, True
    while column < length:
        for _ in range(ALONG):
            if column < length:
                yield column, depth
            column += 1
        if column < length:
            for _ in range(INWARDS):
                yield column, depth
                depth += 1 if inwards else -1
        inwards = not inwards
