"""The worklist: what each case comes to, as far as whoever asks may know it."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from leukemia.access import people
from leukemia.attribution import clean
from leukemia.cases.case import DISPUTED, READ, SETTLED, UNDECIDED, UNREAD, Case
from leukemia.cases.tables import CASES, CELLS, PLACES, READINGS, STANDS
from leukemia.errors import RecordsError
from leukemia.inference.decisions import NOT_COMPARABLE
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, UNCLASSIFIED
from leukemia.storage import database

# What can be said of a case.
EMPTY, TO_REVIEW, IN_DISPUTE = "No cells yet", "To review", "Disputed"
READY, SIGNED = "Ready to sign", "Signed"
STATES = (TO_REVIEW, IN_DISPUTE, READY, SIGNED, EMPTY)
# Orders of the worklist.
LATEST, MOST_UNCERTAIN, BY_IDENTIFIER = "Last changed", "Most uncertain", "Identifier"
ORDERS = (LATEST, MOST_UNCERTAIN, BY_IDENTIFIER)

_WORDS = (ALL_LIKE, INDETERMINATE, NORMAL_LIKE, NOT_COMPARABLE, UNCLASSIFIED)
_COUNTS = ("cells", "unread", "disputed", "with_verdict", "kept_back")


@dataclass(frozen=True)
class Overview:
    """A case in the worklist.

    A cell that a reader has not read counts as :func:`leukemia.cases.cell.as_seen` shows it: no decision
    where the case hides the model's answer, unread where its readers are blind to each other.

    Attributes
    ----------
    case : Case
    decisions : dict of str to int
        The model's decisions, as :class:`leukemia.cases.summary.Summary` counts them: cells ALL-like,
        Indeterminate, Normal-like, Not comparable where there are such, and Not classified.
    cells : int
        All cells.
    unread : int
        Cells that need a verdict and have none: those Indeterminate or without an answer; all where the
        case hides the model's answer.
    disputed : int
        Cells on which readers disagree.
    with_verdict : int
        Cells on which readers agree, or that are settled.
    kept_back : int
        Cells whose decision is hidden, and counted nowhere.
    """

    case: Case
    decisions: dict[str, int]
    cells: int
    unread: int
    disputed: int
    with_verdict: int
    kept_back: int

    @property
    def uncertainty(self) -> float:
        """The share of cells that the model left undecided, 0 to 1; 0 where none is known."""
        known = sum(self.decisions.values())
        undecided = sum(self.decisions.get(name, 0) for name in (*UNDECIDED, NOT_COMPARABLE))
        return undecided / known if known else 0.0

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


def overview(data: Path, case_id: int, *, reader: str | None = None) -> Overview:
    """The case with a number; raises RecordsError where there is none. See :func:`worklist`."""
    found = _overviews(data, CASES.c.id == case_id, reader)
    if not found:
        raise RecordsError(f"There is no case number {case_id}.")
    return found[0]


def worklist(
    data: Path,
    *,
    search: str = "",
    states: Collection[str] = (),
    order: str = LATEST,
    reader: str | None = None,
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
    reader : str, optional
        Who is to see it: what cases keep back from her counts nowhere. None for all there is.

    Raises
    ------
    RecordsError
        Where they cannot be read.
    """
    part = clean(search)
    wanted = CASES.c.identifier.icontains(part, autoescape=True) if part else sa.true()
    found = [one for one in _overviews(data, wanted, reader) if not states or one.state in states]
    keys = {
        LATEST: lambda one: -one.case.changed,
        MOST_UNCERTAIN: lambda one: (one.case.is_signed, -one.uncertainty, -one.case.changed),
        BY_IDENTIFIER: lambda one: (one.case.identifier.casefold(), one.case.id),
    }
    return sorted(found, key=keys[order])


def _overviews(data: Path, wanted: sa.ColumnElement[bool], reader: str | None) -> list[Overview]:
    if database.is_absent(data):
        return []
    open_to_all = CASES.c.signed_at.is_not(None) | ~(CASES.c.blind | CASES.c.hide_model)
    out = []
    with database.reading(data) as connection:
        names = None if reader is None else people.as_written(connection, READINGS.c.reader, reader)
        counts = sa.union_all(
            _counts(wanted & open_to_all, CELLS, sa.false()), _kept_back(wanted & ~open_to_all, names)
        ).subquery()
        rows = sa.select(CASES, counts).outerjoin(counts, counts.c.case_id == CASES.c.id).where(wanted)
        for row in connection.execute(rows).mappings():
            case = Case(**{column.name: row[column] for column in CASES.c})
            decisions = {word: row[word] or 0 for word in _WORDS if word != NOT_COMPARABLE or row[word]}
            out.append(Overview(case, decisions, **{name: row[name] or 0 for name in _COUNTS}))
    return out


def _kept_back(wanted: sa.ColumnElement[bool], names: Collection[str] | None) -> sa.Select:
    """Counts of cases that keep something back, as the reader of these names sees them."""
    if names is None:
        return _counts(wanted, CELLS, sa.false())
    last = (
        sa.select(sa.func.max(READINGS.c.number).label("number"))
        .where(
            READINGS.c.reader.in_(names),
            READINGS.c.case_id.in_(sa.select(CASES.c.id).where(wanted)),
        )
        .group_by(READINGS.c.case_id, READINGS.c.cell)
        .cte("last")
        .prefix_with("MATERIALIZED")
    )
    # Found once, and not again for each cell.
    read = (
        sa.select(READINGS.c.case_id, READINGS.c.cell)
        .join(last, last.c.number == READINGS.c.number)
        .where(READINGS.c.verdict != "")
        .cte("read")
        .prefix_with("MATERIALIZED")
    )
    own = (read.c.case_id == CELLS.c.case_id) & (read.c.cell == CELLS.c.number)
    return _counts(wanted, sa.outerjoin(CELLS, read, own), read.c.cell.is_(None))


def _counts(wanted: sa.ColumnElement[bool], of: sa.FromClause, closed: sa.ColumnElement[bool]) -> sa.Select:
    """Counts by case of the cells in ``of``; those that are ``closed`` as the case shows them."""
    hidden = closed & CASES.c.hide_model
    status = sa.case((closed & CASES.c.blind, UNREAD), else_=CELLS.c.status)
    # As decisions.is_not_comparable tells it of one cell.
    in_field = sa.exists().where(
        PLACES.c.case_id == CELLS.c.case_id, PLACES.c.number == CELLS.c.number, sa.not_(PLACES.c.edge)
    )
    unlike = (CELLS.c.decision == UNCLASSIFIED) & CELLS.c.distance.is_not(None) & in_field
    called = sa.case((unlike, NOT_COMPARABLE), else_=CELLS.c.decision)

    def count(condition: sa.ColumnElement[bool], name: str) -> sa.Label[int]:
        return sa.func.count(sa.case((condition, 1))).label(name)

    return (
        sa.select(
            CELLS.c.case_id,
            *(count(~hidden & (called == word), word) for word in _WORDS),
            sa.func.count().label("cells"),
            count((status == UNREAD) & (CASES.c.hide_model | CELLS.c.decision.in_(UNDECIDED)), "unread"),
            count(status == DISPUTED, "disputed"),
            count(status.in_((READ, SETTLED)), "with_verdict"),
            count(hidden, "kept_back"),
        )
        .select_from(sa.join(of, CASES, CASES.c.id == CELLS.c.case_id))
        .where(wanted, STANDS)
        .group_by(CELLS.c.case_id)
    )
