"""A small data folder as the program wrote it before its modules were rearranged: ``old_data.zip``.

It was made by that program's own commands in ``/old/data``: ``sample --patients 12 --cells 4 --seed 4`` and
``prepare``; two trainings of dense-baseline (2 epochs of 32 cells, seeds 0 and 1, ``--in-registry``),
promoted one after the other by "Dr Old"; two corrected labels; then, through the queue, a training (seed 3),
a sweep of dropout with two trials, and a training that was cancelled at once while two more waited.

The network was narrowed to 8 units on 8 x 8 averaged pixels, so that a bundle is 50 kB. Left out: ``cache``,
``serving``, lock files, and what a library wrote to the logs; the computer is called "old-host".
"""

import sqlite3
import zipfile
from pathlib import Path

ARCHIVE = Path(__file__).with_name("old_data.zip")
MADE_IN = "/old/data"
# Columns of SQLite in which the folder is named.
NAMED = {
    "mlflow.db": (("experiments", "artifact_location"), ("runs", "artifact_uri")),
    "sweeps/studies.db": (("study_user_attributes", "value_json"),),
}


def unpack(folder, waiting=False):
    """Lay the old folder down as if it had been made in ``folder``.

    Where nothing shall be ``waiting``, the queue is left out: a page would start its first training.
    """
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    for file in folder.rglob("*"):
        if file.suffix in (".json", ".jsonl", ".txt"):
            file.write_text(file.read_text().replace(MADE_IN, str(folder)))
    for name, columns in NAMED.items():
        with sqlite3.connect(folder / name) as database:
            for table, column in columns:
                database.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (MADE_IN, str(folder))
                )
        database.close()
    if not waiting:
        (folder / "jobs" / "queue.json").unlink()
    return folder
