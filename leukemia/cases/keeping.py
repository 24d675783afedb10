"""What of the trail would tell readers of an open case the answers or verdicts that it keeps back."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from leukemia.audit.trail import ANSWER, Recorded
from leukemia.cases import worklist
from leukemia.cases.case import Case

KEPT_BACK = "kept back until the case is signed"


def kept_back(data: Path) -> dict[int, Case]:
    """The open cases that keep something back, by number; raises RecordsError where they cannot be read."""
    return {one.case.id: one.case for one in worklist.worklist(data) if one.case.keeps_back}


def as_seen(entry: Recorded, cases: Mapping[int, Case]) -> Recorded:
    """An entry without what its case keeps back from readers who have not read the cell.

    Parameters
    ----------
    entry : Recorded
    cases : mapping of int to Case
        Of :func:`kept_back`.
    """
    case = cases.get(entry.case_id or 0)
    if case is None or entry.cell is None:
        return entry
    is_answer = entry.event == ANSWER
    if case.hide_model:
        entry = replace(entry, probability=None, low=None, high=None, threshold=None)
    if case.hide_model if is_answer else case.blind:
        entry = replace(entry, old="", new=KEPT_BACK, reason="")
    return entry
