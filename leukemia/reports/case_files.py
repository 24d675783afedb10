"""A case's report as a file, the same from a page, over REST and by the command line."""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from leukemia.cases import case as cases
from leukemia.cases import cells as case_cells
from leukemia.cases.case import Case
from leukemia.cases.cells import Cell
from leukemia.reports import case as case_report
from leukemia.reports import case_pdf, case_tables
from leukemia.reports.case import Content
from leukemia.reports.case_tables import AnsweredBy
from leukemia.reports.exchange import fhir, hl7v2, results

DICOM = "dicom.zip"

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "html": "text/html",
    "csv": "text/csv",
    "fhir.json": "application/fhir+json",
    "hl7": "x-application/hl7-v2+er7",
    DICOM: "application/zip",
}
# Pictures that a page or REST hands out at once: they hold them in memory, at 60 KB or so each.
MOST_PICTURES = 500
TOO_MANY = (
    "This case has more than {:,} pictures. Whoever runs this program can write them as DICOM with the "
    "command `report`, or send them with `send`."
)
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


def unavailable(kind: str, seen: Sequence[Cell]) -> str:
    """Why a page or REST does not offer a kind of report of these cells; empty where it does."""
    pictures = sum(bool(cell.image_id) for cell in seen)
    if kind != DICOM or 0 < pictures <= MOST_PICTURES:
        return ""
    return TOO_MANY.format(MOST_PICTURES) if pictures else results.NO_PICTURE


def make(data: Path, case: Case, kind: str, answered_by: AnsweredBy, *, patient_id: str = "") -> bytes:
    """Make a report in memory; see :func:`write`."""
    made = io.BytesIO()
    write(data, case, kind, answered_by, made, patient_id=patient_id)
    return made.getvalue()


def write(
    data: Path, case: Case, kind: str, answered_by: AnsweredBy, target: BinaryIO, *, patient_id: str = ""
) -> None:
    """Write a report, piece by piece where it has pictures.

    Parameters
    ----------
    data : Path
        The data folder.
    case : Case
        Which one: it is read anew.
    kind : str
        One of :data:`MEDIA_TYPES`.
    answered_by : callable
        Finds the bundle of the model that answered some cells, or None.
    target : binary file
    patient_id : str, optional
        The patient's number in the system that is to receive it: FHIR, HL7 and DICOM alone name it, and
        nobody else.

    Raises
    ------
    RecordsError
        Where the case cannot be read.
    NoPictureError
        Where there is no picture to write as DICOM.
    """
    if kind == "csv":
        # Whoever offers it may have known the case as it was a while ago.
        case = cases.find(data, case.id)
        found = case_cells.cells(data, case.id)
        table = case_tables.cells([(case, found)], case_tables.learned_from(data, found, answered_by))
        target.write(case_tables.to_csv(table).encode())
        return
    content = gather(data, case, answered_by)
    if kind == DICOM:
        # It takes a second to import.
        from leukemia.reports.exchange.dicom import export

        export.write(data, content, target, patient_id=patient_id)
        return
    if kind == "pdf":
        made = case_pdf.render(content)
    elif kind == "html":
        made = case_report.render(content).encode()
    else:
        made = (fhir if kind == "fhir.json" else hl7v2).render(content, patient_id=patient_id).encode()
    target.write(made)


def gather(data: Path, case: Case, answered_by: AnsweredBy) -> Content:
    """What a report of a case says, beside the record of the model that answered it."""
    return case_report.gather(data, case.id, answered_by(case_cells.cells(data, case.id)))


def name(case: Case, kind: str) -> str:
    """What the file is called: from the case's identifier, in letters that every system takes."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", case.identifier)[:60].strip("-.") or f"number-{case.id}"
    return f"case-{plain}.{kind}"
