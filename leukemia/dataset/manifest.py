"""The manifest: one row an image, the table that everything else reads.

=============  ==============================================================================
Column         Meaning
=============  ==============================================================================
image_id       SHA-256 of the pixels (see :func:`leukemia.imaging.cell.measure_cell`)
path           where the image lies, relative to the data folder, with forward slashes
label          Normal, ALL, or empty for an unlabelled image
patient        as in the file's name, healthy subjects with a capital H; empty if not known
patient_group  patients that share an identical or near-identical image, joined by +
source         fold_0, fold_1, fold_2, preliminary, final or synthetic
width, height  of the frame in pixels
cell_area      pixels of the frame that belong to the cell
origin         where the image lay in the source
file_sha256    SHA-256 of the original file
=============  ==============================================================================
"""

import hashlib
from pathlib import Path

import pandas as pd

from leukemia.classes import LABELS
from leukemia.errors import DatasetError
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace

NUMBERS = ("width", "height", "cell_area")
COLUMNS = (
    "image_id",
    "path",
    "label",
    "patient",
    "patient_group",
    "source",
    *NUMBERS,
    "origin",
    "file_sha256",
)
MAX_HEADER = 4_096
# Paths that are none, or lead out of the data folder; for Python's and for DuckDB's expressions.
OUTSIDE = r"^$|^/|^[A-Za-z]:|\\|^\.\.$|^\.\./|/\.\./|/\.\.$"
# The source of cells that a program drew.
SYNTHETIC = "synthetic"


def read(data: Path) -> pd.DataFrame:
    """Read the manifest of a prepared data folder.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`; text columns hold ``""`` where nothing is known.

    Raises
    ------
    DatasetError
        Where the folder is not prepared, or its manifest is damaged.
    """
    path = Workspace(data).manifest
    if not path.exists():
        raise DatasetError(
            f"No prepared images in {data}. Run: python -m leukemia prepare SOURCE --output {data}"
        )
    return read_table(path)


def read_table(path: Path) -> pd.DataFrame:
    """Read and check a table that has the columns of a manifest, as :func:`read` does."""
    types = {name: int if name in NUMBERS else str for name in COLUMNS}
    try:
        frame = pd.read_csv(path, dtype=types, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} is damaged and cannot be read. Run prepare again.") from error
    missing = [name for name in COLUMNS if name not in frame]
    if missing:
        raise DatasetError(f"{path} lacks columns: {', '.join(missing)}. Run prepare again.")
    odd = sorted(set(frame["label"]) - {*LABELS, ""})
    if odd:
        raise DatasetError(f"{path} has labels other than Normal and ALL: {', '.join(odd[:3])}.")
    outside = frame.loc[frame["path"].str.contains(OUTSIDE), "path"]
    if len(outside):
        raise DatasetError(f"{path} names a file outside of its folder: {outside.iloc[0]!r}.")
    return frame[list(COLUMNS)]


def check_place(data: Path) -> None:
    """Check that a folder holds nothing of other programs that an import into it would replace.

    Raises
    ------
    DatasetError
        Where it has a manifest or a report that this program did not write.
    """
    folder = Workspace(data)
    try:
        with folder.manifest.open(encoding="utf-8", errors="replace") as file:
            named = file.readline(MAX_HEADER).strip()
        if not named or {COLUMNS[0], COLUMNS[-1]} <= set(named.split(",")):
            return
        others = [folder.manifest]
    except FileNotFoundError:
        others = [path for path in (folder.import_report, folder.import_report_text) if path.exists()]
    if others:
        raise DatasetError(
            f"{others[0]} exists and was not written by this program. It was not changed: choose another "
            "folder."
        )


def write(data: Path, frame: pd.DataFrame) -> None:
    """Write the manifest of a data folder, whole or not at all."""
    with whole_file(Workspace(data).manifest) as partial:
        frame[list(COLUMNS)].to_csv(partial, index=False, lineterminator="\n")


def fingerprint(frame: pd.DataFrame) -> str:
    """SHA-256 over images, labels and patient groups, whatever the rows' order: 64 hex digits."""
    lines = frame["image_id"] + "," + frame["label"] + "," + frame["patient_group"]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
