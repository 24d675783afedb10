"""A case is signed once every cell that needs a verdict has one; then it is read-only until reopened."""

import contextlib
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.attribution import attribute
from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.cases import labels
from leukemia.cases.case import DISPUTED, UNREAD, Case, case_of, open_case, touch
from leukemia.cases.cells import Cell, cells_of
from leukemia.cases.tables import CASES
from leukemia.errors import LeukemiaError, RecordsError
from leukemia.inference.decisions import NOT_COMPARABLE
from leukemia.operating_point import UNCLASSIFIED
from leukemia.storage import database

# What a signature can mean; any other sentence will do, too.
MEANINGS = (
    "I have reviewed the cells of this case, and the verdicts are as I see them.",
    "I have checked the review of this case by others.",
)


@dataclass(frozen=True)
class Missing:
    """Cells without which a case cannot be signed, by their numbers.

    Attributes
    ----------
    indeterminate, not_comparable, set_apart : tuple of int
        Without a verdict: those that the model called Indeterminate, cells of a field that are unlike the
        training cells, and others that it did not classify.
    disputed : tuple of int
        On which readers disagree.
    unread : tuple of int
        Without a verdict, in a case that hides the model's answer: there every cell needs one, so that what
        is missing does not tell how the model called the others.
    empty : bool
        Whether the case has no cell at all.
    """

    indeterminate: tuple[int, ...]
    not_comparable: tuple[int, ...]
    set_apart: tuple[int, ...]
    disputed: tuple[int, ...]
    unread: tuple[int, ...] = ()
    empty: bool = False

    def __bool__(self) -> bool:
        missing = (self.indeterminate, self.not_comparable, self.set_apart, self.disputed, self.unread)
        return any(missing) or self.empty

    def __str__(self) -> str:
        """What is missing, in a sentence."""
        if self.empty:
            return "The case has no cells."
        parts = []
        for numbers, what in (
            (self.indeterminate, "indeterminate"),
            (self.not_comparable, NOT_COMPARABLE.lower()),
            (self.set_apart, "not classified"),
            (self.unread, "without a verdict"),
            (self.disputed, "disputed"),
        ):
            if numbers:
                parts.append(f"{len(numbers):,} {what} ({_listed(numbers)})")
        return f"These cells need a verdict first: {', '.join(parts)}." if parts else ""


def missing(cells: list[Cell], case: Case) -> Missing:
    """Tell which cells of a case (all of them, in full) still need a verdict before it can be signed."""
    disputed = tuple(cell.number for cell in cells if cell.status == DISPUTED)
    unread = [cell for cell in cells if cell.status == UNREAD]
    if case.hide_model:
        return Missing((), (), (), disputed, tuple(cell.number for cell in unread), not cells)
    waiting = [cell for cell in unread if cell.needs_verdict]
    return Missing(
        tuple(cell.number for cell in waiting if cell.probability is not None),
        tuple(cell.number for cell in waiting if cell.called == NOT_COMPARABLE),
        tuple(cell.number for cell in waiting if cell.called == UNCLASSIFIED),
        disputed,
        empty=not cells,
    )


@permissions.requires(Action.SIGN, signed_by="who")
def sign(data: Path, case_id: int, *, who: str, meaning: str, seen: int | None = None) -> Case:
    """Sign a case: printed name, time and meaning are recorded with the verdicts as they are.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id : int
    who : str
        The printed name.
    meaning : str
        What the signature says; see :data:`MEANINGS`.
    seen : int, optional
        The case's ``changed`` as the signer saw it: where something changed since, nothing is signed.

    Raises
    ------
    RecordsError
        Where cells need a verdict (see :class:`Missing`), the case is signed or changed, something is
        missing, or nothing could be written.
    """
    given = attribute(who, meaning, RecordsError)
    with database.writing(data) as connection:
        case = open_case(connection, case_id)
        if seen is not None and seen != case.changed:
            raise RecordsError(
                "Not signed: the case was changed in the meantime. Review it, then sign again."
            )
        cells = cells_of(connection, case_id)
        if lacks := missing(cells, case):
            raise RecordsError(f"Not signed. {lacks}")
        counts = Counter(cell.final for cell in cells)
        recorded = trail.append(
            connection,
            [
                Entry(
                    trail.SIGNED,
                    given.who,
                    case_id=case_id,
                    new=given.why,
                    details=json.dumps({"cells": len(cells), "final": dict(sorted(counts.items()))}),
                )
            ],
        )
        signature = {
            "signed_at": recorded[0].at,
            "signed_by": given.who,
            "signed_meaning": given.why,
        }
        connection.execute(CASES.update().where(CASES.c.id == case_id), signature)
        touch(connection, case_id, recorded)
        signed = case_of(connection, case_id)
    _publish(data)
    return signed


@permissions.requires(Action.REOPEN, signed_by="who")
def reopen(data: Path, case_id: int, *, who: str, reason: str) -> Case:
    """Open a signed case again; the signature stays in its history.

    Raises
    ------
    RecordsError
        Where it is not signed, name or reason is missing, or nothing could be written.
    """
    given = attribute(who, reason, RecordsError)
    with database.writing(data) as connection:
        case = case_of(connection, case_id)
        if not case.is_signed:
            raise RecordsError("This case is not signed.")
        old = f"signed by {case.signed_by} at {case.signed_at}: {case.signed_meaning}"
        recorded = trail.append(
            connection, [Entry(trail.REOPENED, given.who, case_id=case_id, old=old, reason=given.why)]
        )
        blank = dict.fromkeys(("signed_at", "signed_by", "signed_meaning"))
        connection.execute(CASES.update().where(CASES.c.id == case_id), blank)
        touch(connection, case_id, recorded)
        reopened = case_of(connection, case_id)
    _publish(data)
    return reopened


def _publish(data: Path) -> None:
    """Bring the labels for the next training up to date; a training does it again before it begins."""
    with contextlib.suppress(LeukemiaError, OSError):
        labels.publish(data)


def _listed(numbers: tuple[int, ...], most: int = 8) -> str:
    shown = ", ".join(str(number) for number in numbers[:most])
    return f"cell {shown}" if len(numbers) == 1 else f"cells {shown}{' …' if len(numbers) > most else ''}"
