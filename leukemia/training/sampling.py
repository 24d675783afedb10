"""Which training cells are shown: classes and patients take turns.

Every random choice comes from a generator that is seeded by the training's seed and the epoch, so that
a resumed training draws what the unbroken one would have drawn.
"""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pandas as pd

from leukemia.classes import ALL, NORMAL

# How often an epoch may draw one cell.
MOST_DRAWS = 2
# So many draws, patients taking turns, say what the training cells are like.
REFERENCE_DRAWS = 2_000


def draw_epoch(
    cells: pd.DataFrame, count: int, rng: np.random.Generator, all_share: float = 0.5
) -> np.ndarray:
    """Draw an epoch: of each class its share, each patient group of a class equally often.

    More cells of one patient teach less than cells of another patient, so the groups take turns, and
    each group draws its own cells in random order. A cell is drawn at most :data:`MOST_DRAWS` times:
    the network would memorise the only cell of a patient. Once every group has reached this limit,
    all start again.

    Parameters
    ----------
    cells : pandas.DataFrame
        Training rows; columns label and patient_group.
    count : int
        Cells to draw.
    rng : numpy.random.Generator
    all_share : float, optional
        Share of class ALL; each class gives one cell at least.

    Returns
    -------
    numpy.ndarray
        Positions in ``cells``, int, shape (count,), shuffled.
    """
    labels, groups = cells["label"].to_numpy(), cells["patient_group"].to_numpy()
    positive = min(max(round(count * all_share), 1), count - 1)
    drawn = []
    for label, share in ((NORMAL, count - positive), (ALL, positive)):
        members = [
            np.flatnonzero((labels == label) & (groups == group))
            for group in rng.permutation(np.unique(groups[labels == label]))
        ]
        drawn += islice(_in_turns(members, rng), share)
    return rng.permutation(np.array(drawn))


def draw_reference(
    cells: pd.DataFrame, training: np.ndarray, seed: int, count: int = REFERENCE_DRAWS
) -> np.ndarray:
    """Draw training cells to measure novelty from or to calibrate int8 with, patients taking turns.

    Parameters
    ----------
    cells : pandas.DataFrame
        Columns label and patient_group.
    training : numpy.ndarray
        Positions in ``cells`` to draw from.
    seed : int
    count : int, optional
        Draws, of which some draw a cell again.

    Returns
    -------
    numpy.ndarray
        Positions in ``cells``, each once, ascending in ``training``'s order: int, shape (n,).
    """
    drawn = draw_epoch(cells.iloc[training], count, np.random.default_rng(seed))
    return training[np.unique(drawn)]


def _in_turns(members: list[np.ndarray], rng: np.random.Generator) -> Iterator[int]:
    """One member of each group after another, endlessly."""
    while True:
        decks = [np.concatenate([rng.permutation(own) for _ in range(MOST_DRAWS)]) for own in members]
        for turn in range(max(map(len, decks))):
            yield from (deck[turn] for deck in decks if turn < len(deck))
