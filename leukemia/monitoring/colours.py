"""Colours and sharpness of the cells of a model's record, as they are measured of the cells of cases.

Those of C-NMC 2019 come with the program: :data:`SHIPPED`, made by :func:`measure` of the archive's 6,037
labelled images. Of another set they are measured once, where the prepared folder still holds it.

The images: Gupta A, Gupta R. ALL Challenge dataset of ISBI 2019 (C-NMC 2019). The Cancer Imaging Archive,
2019, CC BY 3.0; measured, not shown.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from leukemia.bundles.bundle import Bundle
from leukemia.errors import DatasetError, ImageError
from leukemia.evaluation import held_out
from leukemia.imaging import appearance
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.monitoring.measures import COLOURS
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace

SHIPPED = Path(__file__).with_name("cnmc2019_colours.csv")
FILE = "colours.csv"
# Characters of an image_id that tell it from all others of a set.
ENOUGH = 16
DIGITS = 4

Progress = Callable[[int, int, str], None]


def of(data: Path, image_ids: pd.Series) -> pd.DataFrame:
    """Look up what is on record of images.

    Parameters
    ----------
    data : Path
        The data folder.
    image_ids : pandas.Series

    Returns
    -------
    pandas.DataFrame
        float, columns :data:`leukemia.monitoring.measures.COLOURS`, a row for each in the same order; NaN
        where nothing is on record.
    """
    known = pd.concat([_read(_file(data)), _read(SHIPPED)])
    known = known[~known.index.duplicated()]
    return known.reindex(image_ids.str[:ENOUGH]).set_axis(image_ids.index)


def stamp(data: Path) -> tuple[int, int] | None:
    """Tell one state of what was measured in a data folder from another."""
    try:
        status = _file(data).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def measure(data: Path, bundle: Bundle, *, workers: int, progress: Progress | None = None) -> tuple[int, int]:
    """Measure the cells of a model's record of which nothing is on record, in the prepared folder.

    Parameters
    ----------
    data : Path
        The prepared folder.
    bundle : Bundle
    workers : int
        Threads that decode.
    progress : callable, optional
        Called with (done, total, what is being done).

    Returns
    -------
    tuple of int
        Cells of the record that have their measures now, and all of them.

    Raises
    ------
    DatasetError
        Where the folder holds none of those that lack them.
    """
    cells = held_out.facts(data, bundle.predictions).drop_duplicates("image_id")
    lacking = cells[of(data, cells["image_id"])["hue"].isna()]
    there = lacking.dropna(subset="path")
    if len(lacking) and there.empty:
        raise DatasetError(
            f"The images of this model's record are not in {data}: their colours stay unknown."
        )

    def one(path: str) -> dict[str, float]:
        try:
            cell = read_cell(Path(data) / path)
        except ImageError:
            return dict.fromkeys(COLOURS, float("nan"))
        measured = appearance.measure(crop_cell(cell, bundle.input_size), cell.area)
        return {name: round(measured[name], DIGITS) for name in COLOURS}

    rows = []
    with ThreadPoolExecutor(workers) as pool:
        for done, row in enumerate(pool.map(one, there["path"]), 1):
            rows.append(row)
            if progress:
                progress(done, len(there), "Measuring colours")
    if rows:
        new = pd.DataFrame(rows, index=there["image_id"].str[:ENOUGH]).dropna()
        with whole_file(_file(data)) as partial:
            pd.concat([_read(_file(data)), new]).to_csv(partial, index_label="image_id")
    return int(of(data, cells["image_id"])["hue"].notna().sum()), len(cells)


def _file(data: Path) -> Path:
    return Workspace(data).cache / FILE


def _read(file: Path) -> pd.DataFrame:
    """A table of measures by the beginning of the image_id; empty where it is not there, or damaged."""
    try:
        # An image_id may look like a number.
        table = pd.read_csv(file, dtype={"image_id": str}).set_index("image_id")
        return table[list(COLOURS)].astype(float)
    except (OSError, ValueError, KeyError):
        return pd.DataFrame(columns=list(COLOURS), index=pd.Index([], dtype=str), dtype=float)
