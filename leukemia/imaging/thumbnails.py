"""Small pictures of the cells, made once and cached on disk, within bounds.

All are cut out at one scale, so that a large cell looks large beside a small one. They lie in one
SQLite file below ``cache/thumbnails/`` in the data folder, which may be deleted at any time: what
is missing is made again. Over the bound, those that were not used for longest go first.
"""

import contextlib
import io
import sqlite3
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from leukemia import settings
from leukemia.errors import ImageError
from leukemia.imaging.cell import Cell, crop_cell, read_cell
from leukemia.storage.workspace import Workspace

# Frame pixels a side that are shown: the largest cells of C-NMC measure 318. And pixels on screen.
CROP, SIDE = 320, 160
LIMIT = 512 * 1024**2
# Share of the limit that is left after an eviction: it should not come at every turn of a page.
AFTER_EVICTION = 0.9
# Seconds by which the time of use may be out of date: reading should not write each time.
USE_GRAIN = 3_600.0
QUALITY = 85
# Seconds to wait for another process's write.
TIMEOUT = 5.0
# Identifiers in one query; SQLite takes no more than some thousands.
PER_QUERY = 500


class Thumbnails:
    """The thumbnails of one data folder; safe to share between threads and processes.

    Parameters
    ----------
    data : Path
        The prepared folder.
    limit : int, optional
        Bytes of pictures that are cached.
    """

    def __init__(self, data: Path, limit: int = LIMIT) -> None:
        self._data = Path(data)
        self._path = Workspace(self._data).thumbnails
        self._limit = limit

    def get(self, cells: Iterable[tuple[str, str]]) -> dict[str, bytes]:
        """Thumbnails of some cells: those on disk, and the others made now and cached.

        Parameters
        ----------
        cells : iterable of tuple of str
            image_id and path (relative to the data folder) of each.

        Returns
        -------
        dict of str to bytes
            image_id to JPEG, :data:`SIDE` pixels a side. Images that cannot be read are left out.
        """
        wanted = dict(cells)
        pictures = self.cached(wanted)
        missing = [(name, path) for name, path in wanted.items() if name not in pictures]
        if missing:
            with ThreadPoolExecutor(settings.load().workers) as pool:
                made = dict(zip([name for name, _ in missing], pool.map(self._make, missing), strict=True))
            fresh = {name: picture for name, picture in made.items() if picture}
            self.store(fresh)
            pictures |= fresh
        return pictures

    def cached(self, image_ids: Iterable[str]) -> dict[str, bytes]:
        """Thumbnails that are on disk already, by image_id; this counts as a use."""
        pictures: dict[str, bytes] = {}
        names, now = list(image_ids), time.time()
        for start in range(0, len(names), PER_QUERY):
            some = names[start : start + PER_QUERY]
            marks = ", ".join("?" * len(some))
            with self._open() as database:
                rows = database.execute(
                    f"SELECT image_id, picture, used FROM thumbnails WHERE image_id IN ({marks})",  # noqa: S608
                    some,
                ).fetchall()
                pictures |= {name: picture for name, picture, _ in rows}
                old = [name for name, _, used in rows if now - used > USE_GRAIN]
                database.executemany(
                    "UPDATE thumbnails SET used = ? WHERE image_id = ?", [(now, name) for name in old]
                )
        return pictures

    def store(self, pictures: dict[str, bytes]) -> None:
        """Cache thumbnails that were made elsewhere, by image_id; over the bound, the oldest go."""
        now = time.time()
        with self._open() as database:
            database.executemany(
                "INSERT OR REPLACE INTO thumbnails (image_id, picture, size, used) VALUES (?, ?, ?, ?)",
                [(name, data, len(data), now) for name, data in pictures.items()],
            )
            (total,) = database.execute("SELECT coalesce(sum(size), 0) FROM thumbnails").fetchone()
            if total > self._limit:
                self._evict(database, total - int(self._limit * AFTER_EVICTION))

    def size(self) -> int:
        """Bytes of all cached pictures."""
        total = 0
        with self._open() as database:
            (total,) = database.execute("SELECT coalesce(sum(size), 0) FROM thumbnails").fetchone()
        return total

    def _make(self, one: tuple[str, str]) -> bytes:
        try:
            return picture(read_cell(self._data / one[1]))
        except ImageError:
            return b""

    @staticmethod
    def _evict(database: sqlite3.Connection, surplus: int) -> None:
        database.execute(
            "DELETE FROM thumbnails WHERE image_id IN (SELECT image_id FROM (SELECT image_id, "
            "sum(size) OVER (ORDER BY used, image_id) - size AS before FROM thumbnails) WHERE before < ?)",
            [surplus],
        )

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One whole change. A cache that cannot be read or written is as good as empty."""
        try:
            database = self._connect()
        except (sqlite3.Error, OSError):
            database = _memory()
        try:
            with database:
                yield database
        except sqlite3.OperationalError:
            pass  # a full disk, or another process that does not let go
        except sqlite3.DatabaseError:
            self._start_anew()
        finally:
            database.close()

    def _start_anew(self) -> None:
        """Drop a damaged file: all of it can be made again."""
        for side in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + side).unlink(missing_ok=True)

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _prepared(sqlite3.connect(self._path, timeout=TIMEOUT))
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self._start_anew()
            return _prepared(sqlite3.connect(self._path, timeout=TIMEOUT))


def picture(cell: Cell) -> bytes:
    """A cell's thumbnail: JPEG of :data:`SIDE` pixels a side, showing :data:`CROP` frame pixels."""
    small = Image.fromarray(crop_cell(cell, CROP)).resize(
        (SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0
    )
    out = io.BytesIO()
    small.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _memory() -> sqlite3.Connection:
    return _prepared(sqlite3.connect(":memory:"))


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS thumbnails "
        "(image_id TEXT PRIMARY KEY, picture BLOB NOT NULL, size INTEGER NOT NULL, used REAL NOT NULL)"
    )
    database.execute("CREATE INDEX IF NOT EXISTS age ON thumbnails (used, size)")
    return database
