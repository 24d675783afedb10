"""A case's report as a file, the same from a page, over REST and by the command line."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from leukemia.bundles.bundle import Bundle
from leukemia.cases import cells as case_cells
from leukemia.cases.case import Case
from leukemia.cases.cells import Cell
from leukemia.reports import case as case_report
from leukemia.reports import case_pdf, case_tables
from leukemia.reports.exchange import fhir, hl7v2

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "html": "text/html",
    "csv": "text/csv",
    "fhir.json": "application/fhir+json",
    "hl7": "x-application/hl7-v2+er7",
}
KEPT_BACK = (
    "The report contains all answers and verdicts. It becomes available once you have read all cells, or "
    "once the case is signed."
)


def is_kept_back(seen: Sequence[Cell]) -> bool:
    """Whether the report would tell a reader what the case keeps back from her.

    Parameters
    ----------
    seen : sequence of Cell
        The case's cells as she sees them.
    """
    return any(cell.hidden or cell.others_hidden for cell in seen)


def make(
    data: Path,
    case: Case,
    kind: str,
    answered_by: Callable[[Sequence[Cell]], Bundle | None],
    *,
    patient_id: str = "",
) -> bytes:
    """Make a report.

    Parameters
    ----------
    data : Path
        The data folder.
    case : Case
    kind : str
        One of :data:`MEDIA_TYPES`.
    answered_by : callable
        Finds the bundle of the model that answered some cells, or None.
    patient_id : str, optional
        The patient's number in the system that is to receive it: FHIR and HL7 alone name it, and nobody else.

    Raises
    ------
    RecordsError
        Where the case cannot be read.
    """
    found = case_cells.cells(data, case.id)
    if kind == "csv":
        return case_tables.to_csv(case_tables.cells([(case, found)])).encode()
    content = case_report.gather(data, case.id, answered_by(found))
    if kind == "pdf":
        return case_pdf.render(content)
    if kind == "html":
        return case_report.render(content).encode()
    return (fhir if kind == "fhir.json" else hl7v2).render(content, patient_id=patient_id).encode()


def name(case: Case, kind: str) -> str:
    """What the file is called: from the case's identifier, in letters that every system takes."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", case.identifier)[:60].strip("-.") or f"number-{case.id}"
    return f"case-{plain}.{kind}"
