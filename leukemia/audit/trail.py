"""The trail: every answer, verdict, signature, promotion, correction, import and change of a setting.

It only grows: the database itself refuses to change or delete an entry, and each entry carries the hash of
the one before, so that one that was altered, removed or put elsewhere all the same is found by
:mod:`leukemia.audit.verify`. An entry is appended in the transaction of the change that it records: neither
is there without the other. Entries are numbered one by one; the time is the server's, and need not be right.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from leukemia.storage import database

# What happened, as it stands in the trail.
CASE_CREATED, CASE_CHANGED = "case created", "case changed"
ANSWERS = "answers"  # many at once, outside of a case: see leukemia.audit.answers
FIELD = "field added"
# By hand, on a field of a case.
CELL_DRAWN, CELL_REMOVED, CELL_OUTLINED = "cell drawn", "cell removed", "cell outlined anew"
CHANGE_UNDONE = "change of field undone"
ANSWER, VERDICT, VERDICT_UNDONE, SETTLED = "answer", "verdict", "verdict undone", "disagreement settled"
SIGNED, REOPENED = "signed", "reopened"
SENT = "sent to another system"
CORRECTED, CORRECTION_UNDONE = "label corrected", "correction undone"
PROMOTED, ROLLED_BACK = "model promoted", "model rolled back"
IMPORTED, MODEL_IMPORTED = "images imported", "model imported"
SETTINGS_CHANGED = "settings changed"
THRESHOLD_CHANGED, ACCEPTED = "threshold changed", "verification accepted"
ALERT, ALERT_OVER = "monitoring alert", "monitoring alert over"

FIRST = "0" * 64  # what stands for the hash before the first entry

TRAIL = sa.Table(
    "trail",
    database.METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("event", sa.String(40), nullable=False),
    sa.Column("case_id", sa.Integer, nullable=True),
    sa.Column("cell", sa.Integer, nullable=True),
    sa.Column("image_id", sa.String(64), nullable=False),
    sa.Column("version", sa.String(200), nullable=False),
    sa.Column("record_sha256", sa.String(64), nullable=False),
    *(sa.Column(name, sa.Double, nullable=True) for name in ("threshold", "low", "high", "probability")),
    *(sa.Column(name, sa.Text, nullable=False) for name in ("old", "new", "reason", "details")),
    sa.Column("key", sa.String(300), nullable=True),
    sa.Column("previous", sa.String(64), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Index("trail_of_case", "case_id", "number"),
    sa.Index("trail_of_event", "event", "number"),
    sa.Index("trail_key", "key", unique=True),
)
HEAD = sa.Table(
    "trail_head",
    database.METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.CheckConstraint("id = 1", name="one_row"),
)


@dataclass(frozen=True)
class Entry:
    """What is to be recorded.

    Attributes
    ----------
    event : str
        One of this module's words, such as :data:`VERDICT`.
    who : str
        Untrusted text.
    case_id, cell : int or None
        The case, and the cell's number in it.
    image_id : str
        SHA-256 of the cell's pixels.
    version, record_sha256 : str
        The model, and the SHA-256 of its ``bundle.json``.
    threshold, low, high, probability : float or None
        Probabilities of ALL: the threshold, the limits, the answer.
    old, new, reason : str
        What counted before and from now on, and why: untrusted text.
    details : str
        Anything else, JSON.
    key : str or None
        What tells an entry that is to be there once: one that was brought over from elsewhere, or a part of
        the answers of a run that may be begun anew.
    """

    event: str
    who: str
    case_id: int | None = None
    cell: int | None = None
    image_id: str = ""
    version: str = ""
    record_sha256: str = ""
    threshold: float | None = None
    low: float | None = None
    high: float | None = None
    probability: float | None = None
    old: str = ""
    new: str = ""
    reason: str = ""
    details: str = ""
    key: str | None = None


@dataclass(frozen=True)
class Recorded(Entry):
    """An entry of the trail.

    Attributes
    ----------
    number : int
        1 for the first; one more for each.
    at : str
        The server's time: ISO 8601, UTC, to the microsecond.
    previous, hash : str
        SHA-256 of the entry before (:data:`FIRST` where there is none) and of this one, 64 hex digits.
    """

    number: int = 0
    at: str = ""
    previous: str = ""
    hash: str = ""

    @property
    def imported_from(self) -> str:
        """Where an entry was before it was brought into the trail; empty for one that was made here."""
        return self._details().get("imported_from", "")

    @property
    def imported_at(self) -> str:
        """When such an entry was made, as it said there."""
        return self._details().get("at", "") if self.imported_from else ""

    def _details(self) -> dict[str, Any]:
        try:
            details = json.loads(self.details)
        except ValueError:
            return {}
        return details if isinstance(details, dict) else {}


HASHED = tuple(field.name for field in fields(Recorded) if field.name != "hash")


def append(connection: sa.Connection, entries: Sequence[Entry]) -> list[Recorded]:
    """Append entries in a transaction of :func:`leukemia.storage.database.writing`.

    Returns
    -------
    list of Recorded
        In the order given.
    """
    if not entries:
        return []
    head = connection.execute(sa.select(HEAD.c.count, HEAD.c.hash)).one()
    number, previous, out = head.count, head.hash, []
    for entry in entries:
        number += 1
        row = asdict(entry) | {"number": number, "at": now(), "previous": previous}
        row["hash"] = previous = hash_of(row)
        out.append(Recorded(**row))
    connection.execute(TRAIL.insert(), [asdict(one) for one in out])
    connection.execute(HEAD.update(), {"count": number, "hash": previous})
    return out


def record(data: Path, *entries: Entry) -> list[Recorded]:
    """Append entries in a transaction of their own; raises RecordsError as ``writing`` does."""
    with database.writing(data) as connection:
        return append(connection, entries)


def entries(
    data: Path,
    *,
    case_id: int | None = None,
    events: Iterable[str] = (),
    before: int | None = None,
    most: int | None = None,
) -> list[Recorded]:
    """Read entries, the newest first.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id : int, optional
        Those of one case.
    events : iterable of str, optional
        Those of some kinds.
    before : int, optional
        Those with a smaller number: for the next page.
    most : int, optional
        How many.

    Raises
    ------
    RecordsError
        Where they cannot be read.
    """
    if database.is_absent(data):
        return []
    wanted = sa.select(TRAIL).order_by(TRAIL.c.number.desc()).limit(most)
    if case_id is not None:
        wanted = wanted.where(TRAIL.c.case_id == case_id)
    if kinds := list(events):
        wanted = wanted.where(TRAIL.c.event.in_(kinds))
    if before is not None:
        wanted = wanted.where(TRAIL.c.number < before)
    with database.reading(data) as connection:
        return [Recorded(**row) for row in connection.execute(wanted).mappings()]


def hash_of(row: Mapping[str, Any]) -> str:
    """SHA-256 over all fields of an entry but its hash, as canonical JSON: 64 hex digits."""
    text = json.dumps({name: row[name] for name in HASHED}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def now() -> str:
    """The server's time as the trail has it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
