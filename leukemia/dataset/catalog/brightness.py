"""How bright each cell is, measured once in the background and stored.

Reading the pixels costs some milliseconds a cell, so a page never waits for it: what is measured so
far lies in ``cache/brightness/``, a few seconds of work a file, each written whole. The same pass
fills the thumbnails, since it has the pixels at hand.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from PIL import Image

from leukemia.dataset.catalog import manifest_parquet
from leukemia.errors import BusyError, ImageError
from leukemia.imaging.cell import BACKGROUND, Cell, read_cell
from leukemia.imaging.thumbnails import Thumbnails, picture
from leukemia.storage.atomic import whole_file, write_text
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace

FINISHED = "finished"  # holds the state of the manifest whose images are all measured
EVERY = 5.0  # seconds of work in one file
CHUNK = 32

Progress = Callable[[int, int, str], None]


def mean_luma(cell: Cell) -> float:
    """Mean luma of a cell's pixels, the black background left out; 0 to 255, NaN where blank."""
    luma = np.asarray(Image.fromarray(cell.pixels).convert("L"))
    own = luma[luma > BACKGROUND]
    return float(own.mean()) if own.size else float("nan")


def files(data: Path) -> list[str]:
    """Parquet files with what is measured so far: columns image_id and brightness."""
    return [str(path) for path in sorted(Workspace(data).brightness.glob("[0-9]*.parquet"))]


def stamp(data: Path) -> tuple[str, int]:
    """Tell one state of the measurements from another, at no cost.

    While they come in, the state changes at each doubling only, so that readers need not start anew
    every few seconds.
    """
    count = len(files(data))
    return ("finished", count) if finished(data) else ("growing", count.bit_length())


def finished(data: Path) -> bool:
    """Whether all images of the manifest as it is now are measured; raises DatasetError without one."""
    try:
        finished = (Workspace(data).brightness / FINISHED).read_text(encoding="utf-8")
        return finished == manifest_parquet.stamp(data)
    except FileNotFoundError:
        return False


def measure(data: Path, *, workers: int, progress: Progress | None = None) -> int:
    """Measure the images that are not measured yet; break off and call again as you like.

    Parameters
    ----------
    data : Path
        The prepared folder.
    workers : int
        Threads that decode.
    progress : callable, optional
        Called with (done, total, "Measuring").

    Returns
    -------
    int
        How many images were measured.

    Raises
    ------
    DatasetError
        Where the folder is not prepared.
    BusyError
        Where another process measures it.
    OSError
        Where the disk is full; what was measured before stays.
    """
    data = Path(data)
    now = manifest_parquet.stamp(data)
    folder = Workspace(data).brightness
    with exclusive(folder / "lock", 0, BusyError(f"The images of {data} are already being measured.")):
        done = _measure_all(data, workers, progress)
    write_text(folder / FINISHED, now)
    return done


def _measure_all(data: Path, workers: int, progress: Progress | None) -> int:
    with manifest_parquet.connect() as connection, manifest_parquet.parquet(data, connection) as source:
        todo = _todo(data, source, connection)
    done = 0
    for batch in _batches(data, iter(todo), workers):
        _write(data, batch)
        done += len(batch)
        if progress:
            progress(done, len(todo), "Measuring")
    return done


def _todo(data: Path, source: Path, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """image_id and path of what is not measured."""
    known = "SELECT image_id FROM read_parquet(?)" if files(data) else "SELECT NULL AS image_id WHERE false"
    values = [files(data)] if files(data) else []
    return connection.execute(
        "SELECT image_id, any_value(path) FROM read_parquet(?) m "  # noqa: S608
        f"WHERE NOT EXISTS (FROM ({known}) k WHERE k.image_id = m.image_id) GROUP BY image_id "
        "ORDER BY min(path)",
        [str(source), *values],
    ).fetchall()


def _batches(data: Path, todo: Iterator[tuple[str, str]], workers: int) -> Iterator[list[tuple[str, float]]]:
    thumbnails = Thumbnails(data)
    batch: list[tuple[str, float]] = []
    since = time.monotonic()
    with ThreadPoolExecutor(workers) as pool:
        while chunk := list(islice(todo, CHUNK)):
            measured = list(pool.map(lambda one: _measure(data / one[1]), chunk))
            names = [image_id for image_id, _ in chunk]
            batch += zip(names, (value for value, _ in measured), strict=True)
            thumbnails.store({name: small for name, (_, small) in zip(names, measured, strict=True) if small})
            if time.monotonic() - since > EVERY:
                yield batch
                batch, since = [], time.monotonic()
    if batch:
        yield batch


def _measure(path: Path) -> tuple[float, bytes]:
    """Brightness and thumbnail; NaN where the image cannot be read, so that it is not tried for ever."""
    try:
        cell = read_cell(path)
    except ImageError:
        return float("nan"), b""
    return mean_luma(cell), picture(cell)


def _write(data: Path, batch: list[tuple[str, float]]) -> None:
    folder = Workspace(data).brightness
    last = max((int(Path(name).stem) for name in files(data)), default=0)
    with whole_file(folder / f"{last + 1:06d}.parquet") as partial:
        pd.DataFrame(batch, columns=["image_id", "brightness"]).to_parquet(partial, index=False)
