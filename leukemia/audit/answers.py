"""Answers that a model gave outside of a case: one entry of the trail for many, whose hash covers each.

The entry says who asked, when, which model answered and by which limits; a row here is one image. Rows are
never changed or removed, and :mod:`leukemia.audit.verify` compares them with the hash in their entry.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa

from leukemia.audit import trail
from leukemia.audit.trail import Entry, Recorded
from leukemia.storage import database

ANSWERS = sa.Table(
    "answers",
    database.METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # of the entry
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("image_id", sa.String(64), nullable=False),
    sa.Column("probability", sa.Double, nullable=True),
    sa.Column("decision", sa.String(20), nullable=False),
    sa.Column("error", sa.String(1000), nullable=False),
)
COUNT, DIGEST = "answers", "answers_sha256"  # in the entry's details


@dataclass(frozen=True)
class Given:
    """One answer.

    Attributes
    ----------
    image_id : str
        SHA-256 of the pixels; empty where they could not be read.
    probability : float or None
        Of ALL; None where ``error`` says why.
    decision : str
        By the limits of the entry.
    error : str
        At most 1,000 characters.
    """

    image_id: str
    probability: float | None
    decision: str
    error: str


def record(data: Path, entry: Entry, given: Sequence[Given]) -> Recorded:
    """Append an entry with its answers; raises RecordsError as ``writing`` does.

    Where there is an entry with the same key, nothing is appended, and that one is returned.

    Parameters
    ----------
    data : Path
        The data folder.
    entry : Entry
        Its ``event`` and ``details`` are set here.
    given : sequence of Given
        In the order in which they were given.
    """
    details = json.dumps({COUNT: len(given), DIGEST: digest(given)})
    with database.writing(data) as connection:
        if entry.key is not None:
            same = sa.select(trail.TRAIL).where(trail.TRAIL.c.key == entry.key)
            if there := connection.execute(same).mappings().one_or_none():
                return Recorded(**there)
        (recorded,) = trail.append(connection, [replace(entry, event=trail.ANSWERS, details=details)])
        names = ("image_id", "probability", "decision", "error")
        rows = [
            {"number": recorded.number, "place": place, **dict(zip(names, astuple(one), strict=True))}
            for place, one in enumerate(given, 1)
        ]
        if rows:
            connection.execute(ANSWERS.insert(), rows)
    return recorded


def of_entry(data: Path, number: int) -> list[Given]:
    """The answers of an entry, in their order; raises RecordsError where they cannot be read."""
    if database.is_absent(data):
        return []
    with database.reading(data) as connection:
        wanted = sa.select(ANSWERS).where(ANSWERS.c.number == number).order_by(ANSWERS.c.place)
        return [_given(row) for row in connection.execute(wanted)]


def digest(given: Sequence[Given]) -> str:
    """SHA-256 over answers in their order, as canonical JSON: 64 hex digits."""
    text = json.dumps([astuple(one) for one in given], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def first_altered(connection: sa.Connection, entries: Mapping[int, str]) -> int | None:
    """The first entry whose answers are not as they were written, or that has answers it should not have.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    entries : mapping of int to str
        The details of each entry about answers, by its number.
    """
    wrong = set(entries)
    for number, given in _by_entry(connection):
        if number not in entries or digest(given) != _expected(entries[number]):
            wrong.add(number)
        else:
            wrong.discard(number)
    return min(wrong, default=None)


def _by_entry(connection: sa.Connection) -> Iterator[tuple[int, list[Given]]]:
    rows = connection.execution_options(stream_results=True).execute(
        sa.select(ANSWERS).order_by(ANSWERS.c.number, ANSWERS.c.place)
    )
    for number, some in groupby(rows, key=lambda row: row.number):
        yield number, [_given(row) for row in some]


def _given(row: sa.Row) -> Given:
    return Given(row.image_id, row.probability, row.decision, row.error)


def _expected(details: str) -> str:
    try:
        return str(json.loads(details)[DIGEST])
    except (ValueError, KeyError, TypeError):
        return ""
