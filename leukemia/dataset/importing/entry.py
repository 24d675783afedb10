"""The entry that an import has in the trail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.dataset import manifest
from leukemia.errors import DatasetError
from leukemia.jobs import progress as jobs
from leukemia.storage import database, files


@contextmanager
def on_record(source: Path, output: Path, cells: pd.DataFrame) -> Iterator[None]:
    """Change the set in the transaction of its entry in the trail; one that stays as it is has none.

    Parameters
    ----------
    source : Path
        What is imported: its name is recorded.
    output : Path
        The data folder.
    cells : pandas.DataFrame
        The manifest as it will be.

    Raises
    ------
    RecordsError
        Where it cannot be put on record: nothing is imported then.
    """
    before, after = _fingerprint(output), manifest.fingerprint(cells)
    if before == after:
        yield
        return
    imported = Entry(
        trail.IMPORTED,
        jobs.who(),
        old=before,
        new=after,
        details=json.dumps({"source": files.shown(source.name), "images": len(cells)}),
    )
    with database.writing(output) as connection:
        trail.append(connection, [imported])
        yield


def _fingerprint(output: Path) -> str:
    try:
        return manifest.fingerprint(manifest.read(output))
    except DatasetError:
        return ""
