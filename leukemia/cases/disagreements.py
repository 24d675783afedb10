"""How a disagreement of readers on a cell is settled."""

from dataclasses import replace
from pathlib import Path

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.attribution import attribute
from leukemia.audit import trail
from leukemia.cases.case import DISPUTED, SETTLED, open_case, touch
from leukemia.cases.cells import Cell, Settlement, cells_of
from leukemia.cases.tables import SETTLEMENTS
from leukemia.cases.verdicts import VERDICTS, entry, refuse_unseen, write_outcome
from leukemia.errors import RecordsError
from leukemia.storage import database


@permissions.requires(Action.SETTLE, signed_by="who")
def settle(data: Path, case_id: int, number: int, verdict: str, *, who: str, reason: str) -> Cell:
    """Give the verdict in which a disagreement ends; each reader's own stays beside it.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id, number : int
        The case and the cell's number in it.
    verdict : str
        One of :data:`leukemia.cases.verdicts.VERDICTS`.
    who, reason : str
        Both are needed.

    Returns
    -------
    Cell
        As it is now.

    Raises
    ------
    RecordsError
        Where readers do not disagree on it, something is missing, a cell without a picture is to be more than
        rejected, or nothing could be written.
    """
    given = attribute(who, reason, RecordsError)
    if verdict not in VERDICTS:
        raise RecordsError(f"A verdict can be {', '.join(VERDICTS)}, not {verdict!r}.")
    with database.writing(data) as connection:
        open_case(connection, case_id)
        found = cells_of(connection, case_id, [number])
        if not found or found[0].status not in (DISPUTED, SETTLED):
            raise RecordsError(
                f"{database.NOTHING_SAVED} The readers no longer disagree on cell {number}. Review it again."
            )
        cell = found[0]
        refuse_unseen([cell], verdict)
        old = cell.verdict or " / ".join(f"{one.reader}: {one.verdict}" for one in cell.readings)
        recorded = trail.append(connection, [entry(trail.SETTLED, given.who, cell, old, verdict, given.why)])
        row = {
            "number": recorded[0].number,
            "case_id": case_id,
            "cell": number,
            "verdict": verdict,
            "who": given.who,
            "reason": given.why,
            "at": recorded[0].at,
        }
        connection.execute(SETTLEMENTS.insert(), row)
        touch(connection, case_id, recorded)
        settlement = Settlement(recorded[0].number, number, verdict, given.who, given.why, recorded[0].at)
        return write_outcome(connection, [replace(cell, settlement=settlement)])[0]
