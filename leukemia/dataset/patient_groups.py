"""Patients that share a cell: one group, which goes into one subset of every split."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def join(cells: pd.DataFrame, pairs: Iterable[tuple[str, str]] = ()) -> pd.Series:
    """Join patients that share a cell, also through a third one.

    Parameters
    ----------
    cells : pandas.DataFrame
        Columns image_id, patient and path; patient is empty where not known.
    pairs : iterable of tuple of str, optional
        Paths of further images that show one cell, though not in identical pixels.

    Returns
    -------
    pandas.Series
        Names joined by ``+`` in natural order; empty where the patient is not known.
    """
    known = cells[cells["patient"] != ""]
    person, people = pd.factorize(known["patient"])
    picture, pictures = pd.factorize(known["image_id"])
    size = len(people) + len(pictures)
    of = dict(zip(known["path"], person, strict=True))
    near = np.array([(of[a], of[b]) for a, b in pairs if a in of and b in of], int).reshape(-1, 2)
    rows = np.concatenate([person, near[:, 0]])
    columns = np.concatenate([len(people) + picture, near[:, 1]])
    edges = coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    _, component = connected_components(edges, directed=False)
    members: dict[int, list[str]] = {}
    for name, number in zip(people, component, strict=False):
        members.setdefault(number, []).append(name)
    names = {name: "+".join(sorted(own, key=natural)) for own in members.values() for name in own}
    return cells["patient"].map(names).fillna("")


def identical_pairs(cells: pd.DataFrame) -> list[tuple[int, int]]:
    """Index labels of rows with identical images, each pair once."""
    same = cells[cells.duplicated("image_id", keep=False)]
    return [pair for _, own in same.groupby("image_id", sort=False) for pair in combinations(own.index, 2)]


def natural(name: str) -> tuple[str, int]:
    """A key that sorts patients as a reader would: 9 before 10."""
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0)
