"""Labels that a reviewer doubts or corrects: a log that only grows, beside the manifest.

The manifest keeps the label that the set came with. Each correction is a row with who, why and
when; to undo one is a further row. What counts for an image is its last row. The log is one SQLite
file in the data folder, and the database itself refuses to change or delete a row.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from leukemia.attribution import MAX_WHO, MAX_WHY, attribute
from leukemia.classes import LABELS
from leukemia.dataset import manifest
from leukemia.errors import CorrectionError, DatasetError
from leukemia.storage import databases
from leukemia.storage.workspace import Workspace

DOUBTED = "doubted"

_METADATA = sa.MetaData()
_LOG = sa.Table(
    "corrections",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("image_id", sa.String(64), nullable=False, index=True),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("who", sa.String(MAX_WHO), nullable=False),
    sa.Column("reason", sa.String(MAX_WHY), nullable=False),
    sa.Column("original", sa.String(8), nullable=False),
    sa.Column("old", sa.String(8), nullable=False),
    sa.Column("new", sa.String(8), nullable=False),
    sa.Column("undoes", sa.Integer, nullable=True),
)
_GUARDS = [
    f"CREATE TRIGGER IF NOT EXISTS no_{verb.lower()} BEFORE {verb} ON corrections "
    "BEGIN SELECT RAISE(ABORT, 'the log of corrections only grows'); END"
    for verb in ("UPDATE", "DELETE")
]


@dataclass(frozen=True)
class Correction:
    """One row of the log.

    Attributes
    ----------
    number : int
        In the order of their making.
    image_id : str
        All images with these pixels are meant.
    at : str
        ISO 8601, UTC.
    who, reason : str
        As they were typed: untrusted text.
    original : str
        The manifest's label.
    old, new : str
        What counted before and counts from here on: Normal, ALL or :data:`DOUBTED`.
    undoes : int or None
        The number of the row that this one takes back.
    """

    number: int
    image_id: str
    at: str
    who: str
    reason: str
    original: str
    old: str
    new: str
    undoes: int | None


def correct(data: Path, image_id: str, new: str, *, who: str, reason: str, old: str = "") -> Correction:
    """Write down that a label is another, or doubted.

    Parameters
    ----------
    data : Path
        The prepared folder.
    image_id : str
    new : str
        Normal, ALL or :data:`DOUBTED`.
    who, reason : str
        Both are needed.
    old : str, optional
        What the reviewer saw; where another change came in between, nothing is written.

    Raises
    ------
    CorrectionError
        Where something is missing, the image is unknown or has no label, or nothing would change.
    """
    if new not in (*LABELS, DOUBTED):
        raise CorrectionError(f"A label can be Normal, ALL or doubted, not {new!r}.")
    original = _original(data, image_id)
    with _writing(data) as connection:
        current_label = _current_label(connection, image_id, original)
        if old and old != current_label:
            raise CorrectionError(
                f"The label was changed to {current_label} in the meantime. Review the cell again."
            )
        if current_label == new:
            raise CorrectionError(f"The label is already {new}.")
        return _append(connection, image_id, who, reason, original, current_label, new)


def undo(data: Path, number: int, *, who: str, reason: str) -> Correction:
    """Take a correction back, by a further row; only an image's last one can be taken back.

    Raises
    ------
    CorrectionError
        Where there is no such row, or a later one changed the label again.
    """
    with _writing(data) as connection:
        row = connection.execute(sa.select(_LOG).where(_LOG.c.number == number)).one_or_none()
        if row is None:
            raise CorrectionError(f"There is no correction number {number}.")
        last = _last(connection, row.image_id)
        if last.number != number:
            raise CorrectionError(
                "The label has been changed again since. Only its last change can be undone."
            )
        return _append(connection, row.image_id, who, reason, row.original, row.new, row.old, undoes=number)


def history(data: Path, image_id: str | None = None) -> list[Correction]:
    """All rows of the log, or those of one image; the newest first."""
    wanted = sa.select(_LOG).order_by(_LOG.c.number.desc())
    if image_id is not None:
        wanted = wanted.where(_LOG.c.image_id == image_id)
    return _read(data, wanted)


def current(data: Path) -> dict[str, Correction]:
    """The row that counts for each image whose label is not the manifest's."""
    last = sa.select(sa.func.max(_LOG.c.number)).group_by(_LOG.c.image_id)
    rows = _read(data, sa.select(_LOG).where(_LOG.c.number.in_(last), _LOG.c.new != _LOG.c.original))
    return {row.image_id: row for row in rows}


def apply(data: Path, cells: pd.DataFrame) -> pd.DataFrame:
    """Put the corrected labels into manifest rows.

    Parameters
    ----------
    data : Path
        The prepared folder.
    cells : pandas.DataFrame
        Columns image_id and label (the manifest's).

    Returns
    -------
    pandas.DataFrame
        The same rows; ``label`` is the corrected one, ``original_label`` the manifest's, and
        ``doubted`` (bool) says that neither should be learned from.
    """
    changed = current(data)
    new = cells["image_id"].map({image_id: row.new for image_id, row in changed.items()})
    # An image that came without a label keeps none: its twin may have had one.
    new = new.where(cells["label"] != "")
    label = new.where(new.isin(LABELS), cells["label"]).astype(cells["label"].dtype)
    return cells.assign(label=label, original_label=cells["label"], doubted=(new == DOUBTED).to_numpy(bool))


def stamp(data: Path) -> int:
    """Number of the last row: tells one state of the log from another; 0 where there is none."""
    rows = _read(data, sa.select(_LOG).order_by(_LOG.c.number.desc()).limit(1))
    return rows[0].number if rows else 0


def _original(data: Path, image_id: str) -> str:
    cells = manifest.read(data)
    same_pixels = cells.loc[cells["image_id"] == image_id, "label"]
    if same_pixels.empty:
        raise CorrectionError("This image is not in the set. Was another set imported in the meantime?")
    labels = sorted(set(same_pixels) - {""})
    if not labels:
        raise CorrectionError("This image came without a label: there is nothing to correct.")
    return labels[0]


def _append(
    connection: sa.Connection,
    image_id: str,
    who: str,
    reason: str,
    original: str,
    old: str,
    new: str,
    undoes: int | None = None,
) -> Correction:
    given = attribute(who, reason, CorrectionError)
    row = {
        "image_id": image_id,
        "at": given.at,
        "who": given.who,
        "reason": given.why,
        "original": original,
        "old": old,
        "new": new,
        "undoes": undoes,
    }
    number = connection.execute(_LOG.insert(), row).inserted_primary_key[0]
    return Correction(number, **row)


def _last(connection: sa.Connection, image_id: str) -> sa.Row | None:
    rows = sa.select(_LOG).where(_LOG.c.image_id == image_id).order_by(_LOG.c.number.desc()).limit(1)
    return connection.execute(rows).one_or_none()


def _current_label(connection: sa.Connection, image_id: str, original: str) -> str:
    row = _last(connection, image_id)
    return row.new if row else original


def _read(data: Path, wanted: sa.Select) -> list[Correction]:
    if not Workspace(data).corrections.is_file():
        return []
    try:
        with _engine(Path(data).resolve()).connect() as connection:
            if not sa.inspect(connection).has_table(_LOG.name):
                return []
            return [Correction(**row) for row in connection.execute(wanted).mappings()]
    except SQLAlchemyError as error:
        raise DatasetError(f"{Workspace(data).corrections} (the corrected labels) cannot be read.") from error


@contextlib.contextmanager
def _writing(data: Path) -> Iterator[sa.Connection]:
    """A transaction that no other one can come between."""
    try:
        with _engine(Path(data).resolve()).connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            _METADATA.create_all(connection)
            for guard in _GUARDS:
                connection.exec_driver_sql(guard)
            yield connection
            connection.commit()
    except SQLAlchemyError as error:
        raise DatasetError(
            f"{Workspace(data).corrections} (the corrected labels) cannot be written."
        ) from error


@cache
def _engine(data: Path) -> sa.Engine:
    engine = sa.create_engine(databases.url(Workspace(data).corrections), poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "connect")
    def by_hand(connection: object, _: object) -> None:
        # Left to itself, sqlite3 begins a transaction only at the first write, after what was read.
        connection.isolation_level = None

    return engine
