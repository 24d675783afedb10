"""Labels that a reviewer doubts or corrects: a log that only grows, beside the manifest.

The manifest keeps the label that the set came with. Each correction is a row with who, why and
when; to undo one is a further row. What counts for an image is its last row. The log is a table of the
records, which themselves refuse to change or delete a row, and each row has its entry in the trail.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.attribution import MAX_WHO, MAX_WHY, attribute
from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.classes import LABELS
from leukemia.dataset import manifest, old_label_log
from leukemia.errors import CorrectionError, DatasetError, RecordsError
from leukemia.storage import database

DOUBTED = "doubted"

_LOG = sa.Table(
    "corrections",
    database.METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("image_id", sa.String(64), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("who", sa.String(MAX_WHO), nullable=False),
    sa.Column("reason", sa.String(MAX_WHY), nullable=False),
    sa.Column("original", sa.String(8), nullable=False),
    sa.Column("old", sa.String(8), nullable=False),
    sa.Column("new", sa.String(8), nullable=False),
    sa.Column("undoes", sa.Integer, nullable=True),
    sa.Index("corrections_of_image", "image_id", "number"),
)


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


@permissions.requires(Action.CORRECT_LABELS, signed_by="who")
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


@permissions.requires(Action.CORRECT_LABELS, signed_by="who")
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
    number = connection.scalar(sa.select(sa.func.coalesce(sa.func.max(_LOG.c.number), 0))) + 1
    connection.execute(_LOG.insert(), row | {"number": number})
    entry = Entry(
        trail.CORRECTION_UNDONE if undoes else trail.CORRECTED,
        given.who,
        image_id=image_id,
        old=old,
        new=new,
        reason=given.why,
        details=json.dumps({"number": number, "undoes": undoes}),
    )
    trail.append(connection, [entry])
    return Correction(number, **row)


def _last(connection: sa.Connection, image_id: str) -> sa.Row | None:
    rows = sa.select(_LOG).where(_LOG.c.image_id == image_id).order_by(_LOG.c.number.desc()).limit(1)
    return connection.execute(rows).one_or_none()


def _current_label(connection: sa.Connection, image_id: str, original: str) -> str:
    row = _last(connection, image_id)
    return row.new if row else original


def _read(data: Path, wanted: sa.Select) -> list[Correction]:
    with _translated():
        old_label_log.bring_over(data, _LOG)
        if database.is_absent(data):
            return []
        with database.reading(data) as connection:
            return [Correction(**row) for row in connection.execute(wanted).mappings()]


@contextlib.contextmanager
def _writing(data: Path) -> Iterator[sa.Connection]:
    """A transaction that no other one can come between."""
    with _translated():
        old_label_log.bring_over(data, _LOG)
        with database.writing(data) as connection:
            yield connection


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except RecordsError as error:
        raise DatasetError(f"The corrected labels are not available. {error}") from error
