"""Cases: made, found, listed. One holds a patient's cells under an identifier of the user's choosing."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from leukemia.attribution import clean
from leukemia.audit import trail
from leukemia.audit.trail import Entry, Recorded
from leukemia.cases.names import clean_identifier, normal, reader_name
from leukemia.cases.tables import CASES, CELLS
from leukemia.errors import RecordsError
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, UNCLASSIFIED
from leukemia.storage import database

# What a cell's verdicts come to.
UNREAD, READ, DISPUTED, SETTLED = "unread", "read", "disputed", "settled"
# Decisions with which a cell needs a verdict before its case can be signed.
UNDECIDED = (INDETERMINATE, UNCLASSIFIED)

# What can be said of a case.
EMPTY, TO_REVIEW, IN_DISPUTE = "No cells yet", "To review", "Disputed"
READY, SIGNED = "Ready to sign", "Signed"
STATES = (TO_REVIEW, IN_DISPUTE, READY, SIGNED, EMPTY)
# Orders of the worklist.
LATEST, MOST_UNCERTAIN, BY_IDENTIFIER = "Last changed", "Most uncertain", "Identifier"
ORDERS = (LATEST, MOST_UNCERTAIN, BY_IDENTIFIER)


@dataclass(frozen=True)
class Case:
    """A case as it is on record.

    Attributes
    ----------
    id : int
        Its number: what its address names.
    identifier : str
        As the user chose it: untrusted text.
    created_at, created_by : str
        ISO 8601, UTC; and who.
    blind : bool
        Whether a reader sees the others' verdicts on a cell only once she has given her own.
    hide_model : bool
        Whether she sees the model's answer only then.
    keep_names : bool
        Whether names of files are recorded.
    changed : int
        Number of the last entry of the trail about it: it grows with each change.
    changed_at : str
    signed_at, signed_by, signed_meaning : str or None
        Of its signature; None where it is open.
    """

    id: int
    identifier: str
    created_at: str
    created_by: str
    blind: bool
    hide_model: bool
    keep_names: bool
    changed: int
    changed_at: str
    signed_at: str | None = None
    signed_by: str | None = None
    signed_meaning: str | None = None

    @property
    def is_signed(self) -> bool:
        """Whether it is signed, and so cannot be changed."""
        return self.signed_at is not None


@dataclass(frozen=True)
class Overview:
    """A case in the worklist.

    Attributes
    ----------
    case : Case
    decisions : dict of str to int
        The model's decisions: cells ALL-like, Indeterminate, Normal-like and Not classified.
    unread : int
        Cells that are Indeterminate or Not classified and have no verdict.
    disputed : int
        Cells on which readers disagree.
    with_verdict : int
        Cells on which readers agree, or that are settled.
    """

    case: Case
    decisions: dict[str, int]
    unread: int
    disputed: int
    with_verdict: int

    @property
    def cells(self) -> int:
        """All cells."""
        return sum(self.decisions.values())

    @property
    def uncertainty(self) -> float:
        """The share of cells that the model left undecided, 0 to 1; 0 where there is no cell."""
        return sum(self.decisions[name] for name in UNDECIDED) / self.cells if self.cells else 0.0

    @property
    def state(self) -> str:
        """One of :data:`STATES`."""
        if self.case.is_signed:
            return SIGNED
        if not self.cells:
            return EMPTY
        if self.unread:
            return TO_REVIEW
        return IN_DISPUTE if self.disputed else READY


def create(
    data: Path,
    identifier: str,
    *,
    who: str,
    blind: bool = False,
    hide_model: bool = False,
    keep_names: bool = False,
) -> Case:
    """Begin a case.

    Parameters
    ----------
    data : Path
        The data folder.
    identifier : str
        1 to 200 characters, unlike that of any other case; spaces about it are dropped.
    who : str
    blind, hide_model, keep_names : bool, optional
        See :class:`Case`.

    Raises
    ------
    RecordsError
        Where the identifier cannot be taken, there is one like it, or nothing could be written.
    """
    name, person = clean_identifier(identifier), reader_name(who)
    row = {
        "identifier": name,
        "created_at": trail.now(),
        "created_by": person,
        "blind": blind,
        "hide_model": hide_model,
        "keep_names": keep_names,
        "changed": 0,
        "changed_at": trail.now(),
    }
    with database.writing(data) as connection:
        try:
            case_id = connection.execute(CASES.insert(), row).inserted_primary_key[0]
        except IntegrityError as error:
            raise RecordsError(
                "There is a case with this identifier already. Open it, or choose another."
            ) from error
        asked = json.dumps({key: row[key] for key in ("blind", "hide_model", "keep_names")})
        recorded = trail.append(
            connection,
            [Entry(trail.CASE_CREATED, person, case_id=case_id, new=name, details=asked)],
        )
        touch(connection, case_id, recorded)
        return case_of(connection, case_id)


def find(data: Path, case_id: int) -> Case:
    """The case with a number; raises RecordsError where there is none."""
    if database.is_absent(data):
        raise RecordsError(f"There is no case number {case_id}.")
    with database.reading(data) as connection:
        return case_of(connection, case_id)


def by_identifier(data: Path, identifier: str) -> Case:
    """The case with an identifier; raises RecordsError where there is none."""
    missing = RecordsError("There is no case with this identifier.")
    if database.is_absent(data):
        raise missing
    wanted = sa.select(CASES).where(CASES.c.identifier == clean_identifier(identifier))
    with database.reading(data) as connection:
        row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        raise missing
    return Case(**row)


def overview(data: Path, case_id: int) -> Overview:
    """The case with a number as the worklist has it; raises RecordsError where there is none."""
    found = _overviews(data, CASES.c.id == case_id, CELLS.c.case_id == case_id)
    if not found:
        raise RecordsError(f"There is no case number {case_id}.")
    return found[0]


def worklist(
    data: Path, *, search: str = "", states: Collection[str] = (), order: str = LATEST
) -> list[Overview]:
    """List cases.

    Parameters
    ----------
    data : Path
        The data folder.
    search : str, optional
        Part of the identifier, small and capital letters alike.
    states : collection of str, optional
        Some of :data:`STATES`; none for all.
    order : str, optional
        One of :data:`ORDERS`. :data:`MOST_UNCERTAIN` has signed cases last.

    Raises
    ------
    RecordsError
        Where they cannot be read.
    """
    part = normal(clean(search))
    wanted = CASES.c.identifier.icontains(part, autoescape=True) if part else sa.true()
    found = [one for one in _overviews(data, wanted) if not states or one.state in states]
    keys = {
        LATEST: lambda one: -one.case.changed,
        MOST_UNCERTAIN: lambda one: (one.case.is_signed, -one.uncertainty, -one.case.changed),
        BY_IDENTIFIER: lambda one: (one.case.identifier.casefold(), one.case.id),
    }
    return sorted(found, key=keys[order])


def history(data: Path, case_id: int) -> list[Recorded]:
    """Everything that was recorded about a case, the newest first."""
    return trail.entries(data, case_id=case_id)


def case_of(connection: sa.Connection, case_id: int) -> Case:
    """A case within a transaction; raises RecordsError where there is none."""
    row = connection.execute(sa.select(CASES).where(CASES.c.id == case_id)).mappings().one_or_none()
    if row is None:
        raise RecordsError(f"There is no case number {case_id}.")
    return Case(**row)


def open_case(connection: sa.Connection, case_id: int) -> Case:
    """A case that is to be changed; raises RecordsError where there is none, or it is signed."""
    case = case_of(connection, case_id)
    if case.is_signed:
        raise RecordsError(
            f"{database.NOTHING_SAVED} This case was signed by {case.signed_by}. Reopen it to change it."
        )
    return case


def touch(connection: sa.Connection, case_id: int, recorded: list[Recorded]) -> None:
    """Note the last entry about a case with it."""
    last = recorded[-1]
    connection.execute(
        CASES.update().where(CASES.c.id == case_id), {"changed": last.number, "changed_at": last.at}
    )


def _overviews(
    data: Path, wanted: sa.ColumnElement[bool], cells: sa.ColumnElement[bool] | None = None
) -> list[Overview]:
    """Cases that are ``wanted``; their cells, where a condition says which these are."""
    if database.is_absent(data):
        return []

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.count(sa.case((condition, 1)))

    words = (ALL_LIKE, INDETERMINATE, NORMAL_LIKE, UNCLASSIFIED)
    counts = (
        sa.select(
            CELLS.c.case_id,
            *(count(CELLS.c.decision == word).label(word) for word in words),
            count((CELLS.c.status == UNREAD) & CELLS.c.decision.in_(UNDECIDED)).label("unread"),
            count(CELLS.c.status == DISPUTED).label("disputed"),
            count(CELLS.c.status.in_((READ, SETTLED))).label("with_verdict"),
        )
        .where(sa.true() if cells is None else cells)
        .group_by(CELLS.c.case_id)
        .subquery()
    )
    rows = sa.select(CASES, counts).outerjoin(counts, counts.c.case_id == CASES.c.id).where(wanted)
    out = []
    with database.reading(data) as connection:
        for row in connection.execute(rows).mappings():
            case = Case(**{column.name: row[column.name] for column in CASES.c})
            decided = {word: row[word] or 0 for word in words}
            others = {name: row[name] or 0 for name in ("unread", "disputed", "with_verdict")}
            out.append(Overview(case, decided, **others))
    return out
