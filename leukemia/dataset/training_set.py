"""What a training would learn from: whose cells, under which labels, split how. No image is read."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leukemia.classes import LABELS
from leukemia.dataset import label_log, manifest, review_labels, splits

COLUMNS = ["image_id", "path", "label", "original_label", "doubted", "patient_group", "cell_area", "source"]


@dataclass(frozen=True)
class ClassCounts:
    """The labelled cells of a data folder, those with a doubted label left out.

    Attributes
    ----------
    cells, groups : dict of str to int
        Cells and patient groups by label.
    corrected, doubted : int
        Cells whose label a reviewer corrected (counted under the new one), and those left out.
    synthetic : int
        Cells that a program drew.
    reviewed : int
        Cells with the label of a signed case.
    """

    cells: dict[str, int]
    groups: dict[str, int]
    corrected: int
    doubted: int
    synthetic: int
    reviewed: int

    @property
    def total(self) -> int:
        """All cells."""
        return sum(self.cells.values())


@dataclass(frozen=True)
class Subset:
    """A subset of a split, or a fold: its name, its cells and its patient groups."""

    name: str
    cells: int
    groups: int


def read(data: Path) -> pd.DataFrame:
    """Read the labelled rows of a prepared folder and of signed cases, with the labels that count now.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`.

    Raises
    ------
    DatasetError
        Where the folder is not prepared, or what it holds is damaged.
    """
    return label_log.apply(data, review_labels.labelled(data))[COLUMNS].reset_index(drop=True)


def count_classes(cells: pd.DataFrame) -> ClassCounts:
    """Count the rows of :func:`read` by class."""
    used = cells[~cells["doubted"]]
    by_label = used.groupby("label")
    return ClassCounts(
        {label: int((used["label"] == label).sum()) for label in LABELS},
        by_label["patient_group"].nunique().reindex(LABELS, fill_value=0).to_dict(),
        int((used["label"] != used["original_label"]).sum()),
        int(cells["doubted"].sum()),
        int((used["source"] == manifest.SYNTHETIC).sum()),
        int((used["source"] == review_labels.SOURCE).sum()),
    )


def assign_subsets(cells: pd.DataFrame, split: str, seed: int) -> list[Subset]:
    """Split the rows of :func:`read` into training, validation and test, as a training does.

    Parameters
    ----------
    cells : pandas.DataFrame
    split : str
        One of :data:`leukemia.dataset.splits.SPLITS`.
    seed : int

    Raises
    ------
    DatasetError
        Where there are too few cells or patient groups.
    """
    assignment = splits.SPLITS[split](_with_original_labels(cells), seed)
    return [_subset(name, cells[assignment == name]) for name in splits.SUBSETS]


def folds(cells: pd.DataFrame, count: int, seed: int) -> list[Subset]:
    """Split the rows of :func:`read` into folds of whole patient groups, as a cross-validation does.

    Raises
    ------
    DatasetError
        Where there are fewer patient groups of a class than folds.
    """
    fold = splits.folds(_with_original_labels(cells), count, seed)
    return [_subset(f"fold {number + 1}", cells[fold == number]) for number in range(count)]


def sources(cells: pd.DataFrame) -> list[Subset]:
    """Split the rows of :func:`read` by source, as a cross-validation that leaves each out does.

    Raises
    ------
    DatasetError
        Where there are fewer sources than :data:`leukemia.dataset.splits.FEWEST_SOURCES`.
    """
    return [_subset(name, cells[cells["source"] == name]) for name in splits.sources(cells)]


def most_folds(cells: pd.DataFrame) -> int:
    """The most folds there can be: the patient groups of the class that has fewer."""
    groups = cells.groupby("original_label")["patient_group"].nunique()
    return int(groups.reindex(LABELS, fill_value=0).min())


def fingerprint(data: Path) -> str:
    """Fingerprint of the labelled cells as a training would take them now, under the labels that count.

    Raises
    ------
    DatasetError
        Where the folder is not prepared, or what it holds is damaged.
    """
    cells = read(data)
    return manifest.fingerprint(cells[~cells["doubted"]])


def _with_original_labels(cells: pd.DataFrame) -> pd.DataFrame:
    """Splits go by the labels that the set came with: a correction moves no patient to another subset."""
    return cells.assign(label=cells["original_label"])


def _subset(name: str, rows: pd.DataFrame) -> Subset:
    used = rows[~rows["doubted"]]
    return Subset(name, len(used), used["patient_group"].nunique())
