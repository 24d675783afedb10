"""The training cells that lie nearest to a cell, of each class: what the model takes it to be like [1]_.

Nearest is by the features that the network's last layer weighs, each in units of its standard deviation over
the training cells. The distance that tells what is unlike these (:mod:`leukemia.evaluation.novelty`) would
not do: by it, nearly all cells are equally far from one another.

References
----------
.. [1] Papernot N, McDaniel P. Deep k-nearest neighbors. arXiv:1803.04765, 2018.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from leukemia.classes import CLASSES
from leukemia.errors import DatasetError
from leukemia.inference.features import Features

COUNT = 3
LEAST_SPREAD = 1e-4  # of a feature, as a share of the largest
PAIRS = 500  # of cells, for what is a usual distance


@dataclass(frozen=True)
class Neighbour:
    """A training cell beside another cell.

    Attributes
    ----------
    image_id, path, label, patient : str
        Of the manifest, the label as it counts now.
    distance : float
        In standard deviations of a feature; :attr:`Index.usual` is that of two cells taken at random.
    same_patient : bool
        Whether it is of the cell's own patient, or of one that shares an image with that.
    """

    image_id: str
    path: str
    label: str
    patient: str
    distance: float
    same_patient: bool = False


class Index:
    """The training cells of a model.

    Parameters
    ----------
    found : Features
        Of a prepared set.
    cells : pandas.DataFrame
        Its manifest with the labels that count: image_id, label, patient, patient_group.
    learned : frozenset of str
        ``image_id`` of the cells that the model learned from.

    Attributes
    ----------
    cells : pandas.DataFrame
        The training cells among those, with their measures: one row an image.
    usual : float
        Median distance of two of them taken at random.

    Raises
    ------
    DatasetError
        Where the set holds fewer than three of them.
    """

    def __init__(self, found: Features, cells: pd.DataFrame, learned: frozenset[str]) -> None:
        known = cells[["image_id", "label", "patient", "patient_group"]].drop_duplicates("image_id")
        table = found.cells.reset_index().merge(known, on="image_id").drop_duplicates("image_id")
        table = table[table["image_id"].isin(learned) & table["label"].isin(CLASSES)]
        if len(table) < 3:
            raise DatasetError("The prepared set holds no cells that this model learned from.")
        self._values = found.values[table.pop("index").to_numpy()].astype(np.float64)
        self.cells = table.reset_index(drop=True)
        self._groups = dict(zip(known["image_id"], known["patient_group"], strict=True))
        spread = self._values.std(axis=0)
        # A unit that never fires tells no two cells apart, and is not blown up where it does.
        self._unit = np.where(spread > LEAST_SPREAD * spread.max(), spread, np.inf)
        rng = np.random.default_rng(0)
        first, second = rng.integers(0, len(table), (2, PAIRS))
        apart = self._values[first[first != second]] - self._values[second[first != second]]
        self.usual = float(np.median(self._from(np.zeros(apart.shape[1]), apart)))

    def nearest(
        self, features: np.ndarray, image_id: str, count: int = COUNT
    ) -> tuple[dict[str, list[Neighbour]], list[Neighbour]]:
        """Find the nearest training cells of each class.

        Parameters
        ----------
        features : numpy.ndarray
            Of the cell, shape (d,).
        image_id : str
            Of the cell: the same image is no neighbour.
        count : int, optional
            How many of each class.

        Returns
        -------
        tuple
            By class, the nearest first; and the training cell that is the identical image, if there is one.
        """
        distance = self._from(features, self._values)
        own = self._groups.get(image_id)
        same = (self.cells["image_id"] == image_id).to_numpy()
        by_class = {}
        for label in CLASSES:
            of_class = np.flatnonzero((self.cells["label"] == label).to_numpy() & ~same)
            chosen = of_class[np.argsort(distance[of_class], kind="stable")[:count]]
            by_class[label] = [self._neighbour(row, distance[row], own) for row in chosen]
        return by_class, [self._neighbour(row, 0.0, own) for row in np.flatnonzero(same)]

    def _from(self, middle: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Root mean square difference over the features, in standard deviations."""
        return np.sqrt((((values - middle) / self._unit) ** 2).mean(axis=1))

    def _neighbour(self, row: int, distance: float, own: str | None) -> Neighbour:
        cell = self.cells.iloc[row]
        return Neighbour(
            cell["image_id"],
            cell["path"],
            cell["label"],
            cell["patient"],
            float(distance),
            bool(own) and own == cell["patient_group"],
        )
