"""What a training would learn from: whose cells, under which labels, dealt how. No image is read."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leukemia.dataset import label_log, manifest, splits

LABELS = ("ALL", "Normal")
COLUMNS = ["image_id", "path", "label", "original_label", "doubted", "patient_group", "cell_area", "source"]
DRAWN = "synthetic"


@dataclass(frozen=True)
class Held:
    """The labelled cells of a data folder, those with a doubted label left out.

    Attributes
    ----------
    cells, groups : dict of str to int
        Cells and patient groups by label.
    corrected, doubted : int
        Cells whose label a reviewer corrected (counted under the new one), and those left out.
    drawn : int
        Cells that a program drew.
    """

    cells: dict[str, int]
    groups: dict[str, int]
    corrected: int
    doubted: int
    drawn: int

    @property
    def total(self) -> int:
        """All cells."""
        return sum(self.cells.values())


@dataclass(frozen=True)
class Part:
    """A part of a split, or a fold: its name, and its cells and patient groups."""

    name: str
    cells: int
    groups: int


def read(data: Path) -> pd.DataFrame:
    """Read the labelled rows of a prepared folder, with the labels that count now.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`.

    Raises
    ------
    DatasetError
        Where the folder is not prepared, or what it holds is damaged.
    """
    cells = manifest.read(data)
    return label_log.apply(data, cells[cells["label"] != ""])[COLUMNS].reset_index(drop=True)


def held(cells: pd.DataFrame) -> Held:
    """Sum up the rows of :func:`read`."""
    used = cells[~cells["doubted"]]
    by_label = used.groupby("label")
    return Held(
        {label: int((used["label"] == label).sum()) for label in LABELS},
        by_label["patient_group"].nunique().reindex(LABELS, fill_value=0).to_dict(),
        int((used["label"] != used["original_label"]).sum()),
        int(cells["doubted"].sum()),
        int((used["source"] == DRAWN).sum()),
    )


def deal(cells: pd.DataFrame, split: str, seed: int) -> list[Part]:
    """Deal the rows of :func:`read` to training, validation and test, as a training does.

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
    part = splits.SPLITS[split](_as_it_came(cells), seed)
    return [_part(name, cells[part == name]) for name in splits.PARTS]


def folds(cells: pd.DataFrame, count: int, seed: int) -> list[Part]:
    """Deal the rows of :func:`read` to folds of whole patient groups, as a cross-validation does.

    Raises
    ------
    DatasetError
        Where there are fewer patient groups of a class than folds.
    """
    fold = splits.folds(_as_it_came(cells), count, seed)
    return [_part(f"fold {number + 1}", cells[fold == number]) for number in range(count)]


def most_folds(cells: pd.DataFrame) -> int:
    """The most folds that can be dealt: the patient groups of the class that has fewer."""
    groups = cells.groupby("original_label")["patient_group"].nunique()
    return int(groups.reindex(LABELS, fill_value=0).min())


def _as_it_came(cells: pd.DataFrame) -> pd.DataFrame:
    """Dealt by the labels that the set came with: a correction moves no patient to another side."""
    return cells.assign(label=cells["original_label"])


def _part(name: str, rows: pd.DataFrame) -> Part:
    used = rows[~rows["doubted"]]
    return Part(name, len(used), used["patient_group"].nunique())
