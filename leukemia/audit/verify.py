"""Is the trail as it was written? Names the first entry that was altered, removed or put elsewhere."""

from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from leukemia.audit import answers
from leukemia.audit.trail import ANSWERS, FIRST, HEAD, TRAIL, hash_of
from leukemia.errors import RecordsError
from leukemia.storage import database


@dataclass(frozen=True)
class Verification:
    """What :func:`verify` found.

    Attributes
    ----------
    count : int
        Entries that were read until the first that is wrong.
    head : str
        Hash of the last of them. Written down elsewhere with ``count``, it shows later whether the trail up
        to there is still the same, even where somebody wrote the whole of it anew.
    broken_at : int or None
        Number of the first entry that is not as it was written; None where all are.
    problem : str
        What is wrong with it, in a sentence; empty where nothing is.
    set_back : tuple of int
        Entries whose time is before that of the entry before them: the server's clock was set back.
    """

    count: int
    head: str
    broken_at: int | None = None
    problem: str = ""
    set_back: tuple[int, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every entry is as it was written."""
        return self.broken_at is None


def verify(data: Path, known: tuple[int, str] | None = None) -> Verification:
    """Read the whole trail and check each entry against the one before, and the last against the count.

    Parameters
    ----------
    data : Path
        The data folder.
    known : tuple of int and str, optional
        Count and head of an earlier verification, as they were written down then.

    Raises
    ------
    RecordsError
        Where the trail cannot be read.
    """
    if database.is_absent(data):
        wrong = bool(known and known[0])
        return Verification(0, FIRST, 1 if wrong else None, "There are no records any more." if wrong else "")
    with database.reading(data) as connection:
        head = connection.execute(sa.select(HEAD.c.count, HEAD.c.hash)).one_or_none()
        rows = connection.execution_options(stream_results=True).execute(
            sa.select(TRAIL).order_by(TRAIL.c.number)
        )
        about_answers: dict[int, str] = {}
        found = _walk(rows.mappings(), known, about_answers)
        altered = answers.first_altered(connection, about_answers)
    # Answers of entries after the one that is broken cannot be judged.
    if altered is not None and altered <= found.count:
        return replace(
            found, broken_at=altered, problem=f"Answers of entry {altered:,} were altered, added or removed."
        )
    if not found.is_whole:
        return found
    if head is None:
        return _broken(found, "The count of entries was removed.")
    if (head.count, head.hash) != (found.count, found.head):
        return _broken(
            found, f"Entries are missing at the end: {head.count:,} were written, {found.count:,} are there."
        )
    if known and known[0] > found.count:
        return _broken(found, f"Entries are missing at the end: there were {known[0]:,} before.")
    if altered is not None:
        return _broken(found, "There are answers without an entry.")
    return found


def parse_known(text: str) -> tuple[int, str]:
    """Read ``COUNT:HASH`` as a verification prints it; raises RecordsError where it is none."""
    count, _, head = text.strip().partition(":")
    if not count.isdecimal() or len(head) != len(FIRST):
        raise RecordsError(
            "An earlier state of the trail is written COUNT:HASH, as `audit verify` prints it."
        )
    return int(count), head.lower()


def _walk(
    rows: sa.MappingResult, known: tuple[int, str] | None, about_answers: dict[int, str]
) -> Verification:
    """Check entry by entry; the details of those about answers are put into ``about_answers``."""
    number, previous, at, back = 0, FIRST, "", []
    for row in rows:
        so_far = Verification(number, previous, set_back=tuple(back))
        if row["number"] != number + 1:
            return _broken(so_far, f"Entry {number + 1:,} was removed.")
        if row["hash"] != hash_of(row):
            return _broken(so_far, f"Entry {number + 1:,} was altered.")
        if row["previous"] != previous:
            return _broken(
                so_far, f"Entry {number + 1:,} does not follow the one before it: one of them was replaced."
            )
        number, previous = number + 1, row["hash"]
        if row["event"] == ANSWERS:
            about_answers[number] = row["details"]
        if row["at"] < at:
            back.append(number)
        at = row["at"]
        if known and number == known[0] and previous != known[1]:
            return _broken(so_far, f"Entry {number:,} or one before it is not the one that was there before.")
    return Verification(number, previous, set_back=tuple(back))


def _broken(found: Verification, problem: str) -> Verification:
    return Verification(found.count, found.head, found.count + 1, problem, found.set_back)
