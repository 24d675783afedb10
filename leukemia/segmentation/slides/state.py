"""How far the search of a slide is, in SQLite: each part is there with all its cells or not at all."""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leukemia.errors import LeukemiaError
from leukemia.imaging.slide import Box
from leukemia.segmentation.outline import Outline
from leukemia.segmentation.segment import WhiteCell
from leukemia.segmentation.slides.track import Place

TABLES = """
CREATE TABLE search (slide TEXT NOT NULL, settings TEXT NOT NULL, planned INTEGER NOT NULL);
CREATE TABLE parts (turn INTEGER PRIMARY KEY, column INTEGER NOT NULL, row INTEGER NOT NULL, red INTEGER,
                    blurred INTEGER);
CREATE TABLE cells (number INTEGER PRIMARY KEY, x REAL, y REAL, width REAL, height REAL, confidence REAL,
                    edge INTEGER, left REAL, top REAL, across REAL, down REAL, high INTEGER, wide INTEGER,
                    mask BLOB);
CREATE TABLE damaged (left INTEGER, top INTEGER, right INTEGER, bottom INTEGER,
                      PRIMARY KEY (left, top, right, bottom));
"""
OTHER = "It belongs to another slide, or to a search with other settings."


class StateError(LeukemiaError):
    """What is on disk of a search cannot be used."""


@dataclass(frozen=True)
class Counts:
    """How far a search is: parts that are done, all parts to be searched, and cells so far."""

    done: int
    parts: int
    cells: int


class State:
    """A search on disk; a context manager.

    Parameters
    ----------
    file : Path
        Made where it is missing.
    slide, settings : dict
        What tells this search from any other; text and numbers.

    Raises
    ------
    StateError
        Where the file is of another search, or damaged.
    """

    def __init__(self, file: Path, slide: dict[str, object], settings: dict[str, object]) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        named = json.dumps(slide, sort_keys=True), json.dumps(settings, sort_keys=True)
        try:
            self._connection = sqlite3.connect(file)
            with self._connection as connection:
                there = connection.execute("SELECT name FROM sqlite_master WHERE name = 'search'").fetchone()
                if not there:
                    connection.executescript("BEGIN;" + TABLES)
                    connection.execute("INSERT INTO search VALUES (?, ?, 0)", named)
                elif connection.execute("SELECT slide, settings FROM search").fetchone() != named:
                    raise StateError(self._cannot(OTHER))
        except sqlite3.Error as error:
            raise StateError(self._cannot("It is damaged.")) from error

    def __enter__(self) -> "State":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def plan(self, places: Sequence[Place]) -> None:
        """Say which parts are to be searched, in which order."""
        with self._connection as connection:
            rows = [(turn, column, row) for turn, (column, row) in enumerate(places)]
            connection.executemany("INSERT INTO parts VALUES (?, ?, ?, NULL, NULL)", rows)
            connection.execute("UPDATE search SET planned = 1")

    @property
    def is_planned(self) -> bool:
        """Whether it is said which parts are to be searched."""
        return bool(self._one("SELECT planned FROM search"))

    @property
    def counts(self) -> Counts:
        """How far it is."""
        return Counts(
            self._one("SELECT count(*) FROM parts WHERE red IS NOT NULL"),
            self._one("SELECT count(*) FROM parts"),
            self._one("SELECT count(*) FROM cells"),
        )

    @property
    def whole_cells(self) -> int:
        """How many cells so far are cut by no edge."""
        return self._one("SELECT count(*) FROM cells WHERE NOT edge")

    def position(self, whole_cells: int) -> int:
        """How many cells there are until so many of them are cut by no edge."""
        wanted = "SELECT number FROM cells WHERE NOT edge ORDER BY number LIMIT 1 OFFSET ?"
        row = self._connection.execute(wanted, (whole_cells - 1,)).fetchone()
        if row is None:
            return self.counts.cells
        return self._connection.execute("SELECT count(*) FROM cells WHERE number <= ?", row).fetchone()[0]

    @property
    def red(self) -> int:
        """How many red cells were met so far."""
        return self._one("SELECT coalesce(sum(red), 0) FROM parts")

    @property
    def blurred(self) -> int:
        """How many of the parts that are done are out of focus."""
        return self._one("SELECT coalesce(sum(blurred), 0) FROM parts")

    def waiting(self) -> list[tuple[int, Place]]:
        """Turn and place of the parts that are not done, in order."""
        rows = self._connection.execute("SELECT turn, column, row FROM parts WHERE red IS NULL ORDER BY turn")
        return [(turn, (column, row)) for turn, column, row in rows]

    def boxes(self) -> np.ndarray:
        """Left, top, right and bottom of the cells so far, shape (n, 4)."""
        rows = self._connection.execute("SELECT x, y, x + width, y + height FROM cells ORDER BY number")
        return np.array(rows.fetchall(), float).reshape(-1, 4)

    def damaged(self) -> list[Box]:
        """Left, top, right and bottom of the damaged tiles that were met, row by row."""
        return self._connection.execute("SELECT * FROM damaged ORDER BY top, left").fetchall()

    def add(
        self,
        turn: int,
        cells: Iterable[WhiteCell],
        red: int,
        damaged: Iterable[Box],
        *,
        blurred: bool = False,
    ) -> None:
        """Put a part that is done on disk with what was found in it: all of it or nothing."""
        with self._connection as connection:
            connection.executemany(f"INSERT INTO cells VALUES (NULL{', ?' * 13})", map(_row, cells))  # noqa: S608
            connection.executemany("INSERT OR IGNORE INTO damaged VALUES (?, ?, ?, ?)", sorted(damaged))
            connection.execute("UPDATE parts SET red = ?, blurred = ? WHERE turn = ?", (red, blurred, turn))

    def cell(self, position: int) -> WhiteCell:
        """The cell at a position, from 0; raises IndexError beyond the last."""
        wanted = "SELECT * FROM cells ORDER BY number LIMIT 1 OFFSET ?"
        row = self._connection.execute(wanted, (position,)).fetchone()
        if row is None or position < 0:
            raise IndexError(position)
        return _cell(row)

    def _one(self, query: str) -> int:
        return self._connection.execute(query).fetchone()[0]

    def _cannot(self, why: str) -> str:
        return f"The search that was begun in {self._file} cannot be resumed. {why} Delete it to begin again."


class Cells(Sequence[WhiteCell]):
    """The first so many cells of a search, each read when it is asked for."""

    def __init__(self, state: State, length: int) -> None:
        self._state, self._length = state, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: int) -> WhiteCell:  # type: ignore[override]
        if position >= len(self):
            raise IndexError(position)
        return self._state.cell(position)


def begun(file: Path) -> Counts | None:
    """How far the search in a file is; None where there is none, or it has not found its parts yet."""
    if not file.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return Counts(
                *connection.execute(
                    "SELECT (SELECT count(*) FROM parts WHERE red IS NOT NULL), "
                    "(SELECT count(*) FROM parts), (SELECT count(*) FROM cells)"
                ).fetchone()
            )
    except sqlite3.Error:
        return None


def _row(cell: WhiteCell) -> tuple[object, ...]:
    outline = cell.outline
    mask = zlib.compress(np.packbits(outline.mask).tobytes())
    return (
        *(cell.x, cell.y, cell.width, cell.height, cell.confidence, cell.edge),
        *(outline.left, outline.top, outline.across, outline.down, *outline.mask.shape, mask),
    )


def _cell(row: Sequence) -> WhiteCell:
    _, x, y, width, height, confidence, edge, left, top, across, down, high, wide, mask = row
    bits = np.unpackbits(np.frombuffer(zlib.decompress(mask), np.uint8), count=high * wide)
    outline = Outline(bits.reshape(high, wide).astype(bool), left, top, across, down)
    return WhiteCell(x, y, width, height, confidence, bool(edge), outline)
