"""Verdicts of signed cases as labels: cells to train on beside those of the manifest.

Each is a row as the manifest has them, of the source :data:`SOURCE`, whose patient is the case. The rows and
the pictures lie in a folder of the data folder; :mod:`leukemia.cases.labels` writes them. A row without a
label is a cell of a signed case that teaches nothing, but may show whose case it is: a case that shares an
image with a patient of the manifest, or with another case, is of one patient group with it.
"""

from pathlib import Path

import pandas as pd

from leukemia.dataset import manifest, patient_groups
from leukemia.errors import DatasetError
from leukemia.storage.workspace import Workspace

SOURCE = "review"


def read(data: Path) -> pd.DataFrame:
    """The rows, of which some have no label; columns as the manifest's. None where no case is signed.

    Raises
    ------
    DatasetError
        Where their file is damaged.
    """
    path = Workspace(data).review_labels
    if not path.is_file():
        return pd.DataFrame(columns=list(manifest.COLUMNS))
    return manifest.read_table(path)


def stamp(data: Path) -> tuple[int, int] | None:
    """Tell one state of the rows from another; None where there are none."""
    try:
        status = Workspace(data).review_labels.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def labelled(data: Path) -> pd.DataFrame:
    """The labelled rows of the manifest, and of signed cases, with the patient groups of both together.

    An image that has a label in the manifest keeps that. One on which two cases have different verdicts is
    left out.

    Returns
    -------
    pandas.DataFrame
        Columns as the manifest's.

    Raises
    ------
    DatasetError
        Where the folder is not prepared, or what it holds is damaged.
    """
    cells, reviewed = manifest.read(data), read(data)
    if len(reviewed):
        cells = _together(cells, reviewed)
    return cells[cells["label"] != ""].reset_index(drop=True)


def _together(cells: pd.DataFrame, reviewed: pd.DataFrame) -> pd.DataFrame:
    both = pd.concat([cells, reviewed], ignore_index=True)
    both["patient_group"] = patient_groups.join(both.assign(patient=both["patient_group"]))
    ours = both["source"] == SOURCE
    if (ours.to_numpy()[: len(cells)]).any():
        raise DatasetError(f"The manifest has cells of the source {SOURCE}, which is that of signed cases.")
    known = both["image_id"].isin(cells.loc[cells["label"] != "", "image_id"])
    taught = both[ours & (both["label"] != "") & ~known]
    labels = taught.groupby("image_id")["label"].nunique()
    agreed = taught[taught["image_id"].map(labels) == 1].drop_duplicates("image_id")
    return pd.concat([both[~ours], agreed], ignore_index=True)
