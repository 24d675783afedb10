"""Readers' verdicts on cells: given one by one or many at once, taken back, and what they come to.

A verdict is a row that stays; the last one of a reader counts. Readers who differ are no error: the cell is
disputed until they agree or somebody settles it (:mod:`leukemia.cases.disagreements`).
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from leukemia.access import people, permissions
from leukemia.access.permissions import Action
from leukemia.attribution import MAX_WHY, clean
from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.cases.case import DISPUTED, READ, SETTLED, UNREAD, open_case, reader_name, touch
from leukemia.cases.cell import as_seen
from leukemia.cases.cells import Cell, Reading, Settlement, cells_of, reading_of
from leukemia.cases.tables import ACTS, CELLS, READINGS, STANDS
from leukemia.errors import RecordsError
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from leukemia.storage import database

REJECTED = "Rejected"
VERDICTS = (ALL_LIKE, NORMAL_LIKE, INDETERMINATE, REJECTED)
# Reasons to choose from for a rejection; any other text will do, too.
REASONS = (
    "Blurred or damaged",
    "Not a white blood cell",
    "More than one cell",
    "Stain or artefact",
    "File cannot be read",
)
ANOTHER_ACT = f"{database.NOTHING_SAVED} Another verdict was sent before under the same key."


@permissions.requires(Action.GIVE_VERDICTS, signed_by="reader")
def give(
    data: Path,
    case_id: int,
    numbers: Collection[int],
    verdict: str,
    *,
    reader: str,
    reason: str = "",
    key: str | None = None,
    only_unread: bool = False,
) -> list[Cell]:
    """Give one verdict on one or many cells, all or none of them.

    A cell on which the reader has given just this verdict is left as it is.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id : int
    numbers : collection of int
        The cells' numbers in the case.
    verdict : str
        One of :data:`VERDICTS`.
    reader : str
    reason : str, optional
        Needed for a rejection.
    key : str, optional
        Chosen anew by the page for each act, at most 64 characters: sent again after a lost connection, it is
        written once.
    only_unread : bool, optional
        Whether cells that have a verdict by now, as this reader may see them, are left as they are.

    Returns
    -------
    list of Cell
        The cells as they are now, in full; without those left as they are for that.

    Raises
    ------
    RecordsError
        Where a cell is not in the case, the case is signed, a reason is missing, a cell without a picture is
        to be more than rejected, something else was sent under this key, or nothing could be written.
    """
    person, why = reader_name(reader), clean(reason)
    if verdict not in VERDICTS:
        raise RecordsError(f"A verdict can be {', '.join(VERDICTS)}, not {verdict!r}.")
    if verdict == REJECTED and not why:
        raise RecordsError("Please say why the cell is rejected.")
    if len(why) > MAX_WHY:
        raise RecordsError(f"A reason can have at most {MAX_WHY:,} characters.")
    with database.writing(data) as connection:
        case = open_case(connection, case_id)
        found = _cells(connection, case_id, numbers)
        refuse_unseen(found, verdict)
        if only_unread:
            found = [cell for cell in found if as_seen(cell, case, person).status == UNREAD]
        if not _is_new(connection, case_id, key, "give", sorted(set(numbers)), person, verdict, why):
            return found
        other = [cell for cell in found if not _is_same(cell.by(person), verdict, why)]
        given = [(cell, verdict, why) for cell in other]
        changed = _write(connection, given, reader=person, event=trail.VERDICT, key=key)
        now = {cell.number: cell for cell in changed}
        return [now.get(cell.number, cell) for cell in found]


@permissions.requires(Action.GIVE_VERDICTS, signed_by="reader")
def undo(data: Path, case_id: int, *, reader: str, key: str | None = None) -> list[Cell]:
    """Take back what a reader gave last in a case; again, what she gave before that.

    Verdicts given at once are taken back at once. What counted before counts again.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id : int
    reader : str
    key : str, optional
        As for :func:`give`: sent again, it takes back once.

    Returns
    -------
    list of Cell
        The cells as they are now, in full; empty where there is nothing to take back.

    Raises
    ------
    RecordsError
        Where the case is signed, or nothing could be written.
    """
    person = reader_name(reader)
    with database.writing(data) as connection:
        open_case(connection, case_id)
        if not _is_new(connection, case_id, key, "undo", person):
            return []
        in_case = READINGS.c.case_id == case_id
        by_person = people.is_called(connection, READINGS.c.reader, person, in_case)
        own = sa.select(READINGS).where(in_case, by_person).order_by(READINGS.c.number)
        rows = connection.execute(own).all()
        # Of each cell by itself: where one was removed at that moment, its verdict was not taken back.
        undone = {(row.undoes, row.cell) for row in rows}
        # What was said of a cell that was removed since stays as it is.
        gone = set(
            connection.scalars(sa.select(CELLS.c.number).where(CELLS.c.case_id == case_id, sa.not_(STANDS)))
        )
        standing = [
            row
            for row in rows
            if row.undoes is None and (row.act, row.cell) not in undone and row.cell not in gone
        ]
        if not standing:
            return []
        act = standing[-1].act
        numbers = [row.cell for row in standing if row.act == act]
        before = {row.cell: reading_of(row) for row in standing if row.act != act}
        given = [
            (cell, one.verdict, one.reason) if (one := before.get(cell.number)) else (cell, "", "")
            for cell in _cells(connection, case_id, numbers)
        ]
        return _write(
            connection,
            given,
            reader=person,
            event=trail.VERDICT_UNDONE,
            key=key,
            undoes=act,
            restored=before,
        )


def refuse_unseen(cells: Iterable[Cell], verdict: str) -> None:
    """Raise RecordsError where a cell that has no picture is given another verdict than a rejection."""
    unseen = [cell.number for cell in cells if not cell.image_id]
    if unseen and verdict != REJECTED:
        raise RecordsError(
            f"{database.NOTHING_SAVED} Cell {unseen[0]} has no picture: it can only be rejected."
        )


def judge(readings: Iterable[Reading], settlement: Settlement | None) -> tuple[str, str]:
    """What readers' verdicts on a cell come to.

    A settlement holds until a reader gives another verdict after it.

    Returns
    -------
    tuple of str
        The status, and the verdict, which is empty where there is none or readers differ.
    """
    readings = list(readings)
    if settlement and all(
        one.number < settlement.number or one.verdict == settlement.verdict for one in readings
    ):
        return SETTLED, settlement.verdict
    verdicts = {one.verdict for one in readings}
    if not verdicts:
        return UNREAD, ""
    return (READ, verdicts.pop()) if len(verdicts) == 1 else (DISPUTED, "")


def write_outcome(connection: sa.Connection, cells: list[Cell]) -> list[Cell]:
    """Write down what verdicts on cells come to; returns the cells as they are now."""
    out = []
    for cell in cells:
        status, verdict = judge(cell.readings, cell.settlement)
        out.append(replace(cell, status=status, verdict=verdict))
    rows = [{"of": cell.number, "now": cell.status, "as": cell.verdict} for cell in out]
    connection.execute(
        CELLS.update()
        .where(CELLS.c.case_id == cells[0].case_id, CELLS.c.number == sa.bindparam("of"))
        .values(status=sa.bindparam("now"), verdict=sa.bindparam("as")),
        rows,
    )
    return out


def _write(
    connection: sa.Connection,
    given: list[tuple[Cell, str, str]],
    *,
    reader: str,
    event: str,
    key: str | None = None,
    undoes: int | None = None,
    restored: Mapping[int, Reading] | None = None,
) -> list[Cell]:
    """Append to the trail and to the readings, then what they come to; returns the cells as they are now."""
    if not given:
        return []
    entries = [entry(event, reader, cell, _old(cell, reader), verdict, why) for cell, verdict, why in given]
    recorded = trail.append(connection, entries)
    rows = [
        {
            "number": one.number,
            "case_id": cell.case_id,
            "cell": cell.number,
            "reader": reader,
            "verdict": verdict,
            "reason": why,
            "at": one.at,
            "act": recorded[0].number,
            "undoes": undoes,
            "key": key,
        }
        for one, (cell, verdict, why) in zip(recorded, given, strict=True)
    ]
    connection.execute(READINGS.insert(), rows)
    touch(connection, given[0][0].case_id, recorded)
    changed = []
    for one, (cell, verdict, why) in zip(recorded, given, strict=True):
        others = tuple(each for each in cell.readings if each.reader != reader)
        new = Reading(one.number, cell.number, reader, verdict, why, one.at) if verdict else None
        # What counts again keeps its place: a settlement after it goes on to hold.
        own = new if restored is None else restored.get(cell.number)
        changed.append(replace(cell, readings=(*others, own) if own else others))
    return write_outcome(connection, changed)


def entry(event: str, who: str, cell: Cell, old: str, new: str, reason: str) -> Entry:
    """An entry of the trail about a cell, with the model's answer beside it."""
    return Entry(
        event,
        who,
        case_id=cell.case_id,
        cell=cell.number,
        image_id=cell.image_id,
        version=f"version {cell.version}" if cell.version else cell.model,
        record_sha256=cell.record_sha256,
        threshold=cell.threshold,
        low=cell.low,
        high=cell.high,
        probability=cell.probability,
        old=old,
        new=new,
        reason=reason,
    )


def _old(cell: Cell, reader: str) -> str:
    own = cell.by(reader)
    return own.verdict if own else ""


def _is_same(own: Reading | None, verdict: str, reason: str) -> bool:
    return own is not None and (own.verdict, own.reason) == (verdict, reason)


def _is_new(connection: sa.Connection, case_id: int, key: str | None, *act: object) -> bool:
    """Whether an act comes for the first time; it is noted, also where it will change nothing.

    Sent again after another act, one that changed nothing at first would change something.
    """
    if key is None:
        return True
    what = hashlib.sha256(json.dumps(act).encode()).hexdigest()
    noted = connection.scalar(sa.select(ACTS.c.sha256).where(ACTS.c.key == key, ACTS.c.case_id == case_id))
    if noted not in (None, what):
        raise RecordsError(ANOTHER_ACT)
    # Those of an earlier version of this program were noted with what they changed.
    given = sa.select(READINGS.c.number).where(READINGS.c.key == key, READINGS.c.case_id == case_id).limit(1)
    if noted or connection.scalar(given) is not None:
        return False
    connection.execute(ACTS.insert(), {"key": key, "case_id": case_id, "sha256": what})
    return True


def _cells(connection: sa.Connection, case_id: int, numbers: Collection[int]) -> list[Cell]:
    wanted = sorted(set(numbers))
    found = cells_of(connection, case_id, wanted)
    if missing := set(wanted) - {cell.number for cell in found}:
        raise RecordsError(f"There is no cell {min(missing)} in this case.")
    return found
