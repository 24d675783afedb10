"""What a case tells another system: a few results, each by the model alone or with readers' verdicts."""

import uuid
from dataclasses import dataclass

from leukemia.cases.case import Case
from leukemia.cases.cell import Cell
from leukemia.cases.summary import DECISIONS, Summary
from leukemia.evaluation.estimate import Estimate
from leukemia.operating_point import ALL_LIKE
from leukemia.reports import case_wording
from leukemia.reports.case import Content
from leukemia.settings import RESEARCH_USE

# Codes of our own: neither LOINC nor SNOMED CT has one for what a research model calls a cell.
CODES = "urn:leukemia-dashboard:results"
PRELIMINARY, FINAL = "preliminary", "final"
NO_PICTURE = "This case has no picture, so that there is nothing to write as DICOM."


@dataclass(frozen=True)
class Result:
    """A share of ALL-like cells with the counts that it is made of.

    Attributes
    ----------
    code, text : str
        Of :data:`CODES`; and in words.
    by_model : bool
        Whether only the model stands behind it.
    share : Estimate
        0 to 1, with its 95 % interval over the cells of the one patient; NaN where no cell was called.
    counts : dict of str to int
        Cells ALL-like, Indeterminate and Normal-like.
    cells : int
        Their sum.
    """

    code: str
    text: str
    by_model: bool
    share: Estimate
    counts: dict[str, int]
    cells: int


def results(counts: Summary) -> list[Result]:
    """The model's result, and the one with readers' verdicts where it is another."""
    found = [
        Result(
            "all-like-by-model",
            f"{ALL_LIKE} cells by the model",
            True,
            counts.share,
            {name: counts.decisions[name] for name in DECISIONS},
            counts.classified,
        )
    ]
    if any(counts.final[name] != counts.decisions[name] for name in DECISIONS):
        found.append(
            Result(
                "all-like-with-verdicts",
                f"{ALL_LIKE} cells with readers' verdicts",
                False,
                counts.reviewed_share,
                {name: counts.final[name] for name in DECISIONS},
                counts.reviewed,
            )
        )
    return found


def status(case: Case) -> str:
    """``final`` once the case is signed, ``preliminary`` until then."""
    return FINAL if case.is_signed else PRELIMINARY


def conclusion(content: Content) -> str:
    """The sentences of the report, and that it is for research use only."""
    signed = case_wording.signature(content.case)
    said = [*case_wording.shares(content.counts), content.place, content.untold, signed, RESEARCH_USE]
    return " ".join(filter(None, said))


def answered_by(content: Content) -> str:
    """The models that answered, in a sentence."""
    return "; ".join(content.models) or case_wording.NONE_CLASSIFIED


def versions(cells: list[Cell]) -> list[str]:
    """SHA-256 of the record of each model that answered, the first cell's first."""
    return list(dict.fromkeys(cell.record_sha256 for cell in cells if cell.probability is not None))


def identity(content: Content, part: str, patient_id: str = "") -> str:
    """The same UUID for the same part of the same state of a case, wherever it is made.

    A case has no number that is its own in all houses: its identifier and the time of its beginning stand
    for it. What names a patient is another message than the same without one.
    """
    case = content.case
    named = [case.identifier, case.created_at, str(case.changed), part, *filter(None, [patient_id])]
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(named)))
