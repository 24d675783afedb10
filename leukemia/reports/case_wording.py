"""What page, HTML and PDF say of a case, in the same words and with the same numbers."""

from leukemia.cases.agreement import Agreement
from leukemia.cases.case import Case
from leukemia.cases.summary import Placement, Summary
from leukemia.counting import counted
from leukemia.evaluation import formatting
from leukemia.evaluation.breakdown.subgroups import ENOUGH
from leukemia.operating_point import ALL_LIKE, OperatingPoint
from leukemia.plots import case_placement

# How a sentence that somebody wrote may end already.
ENDS = (".", "!", "?", "…", "。", "！", "？")
COUNT_HEADER = ("Cells", "Model's answers", "With readers' verdicts")
ABOUT_SHARE = (
    "The interval (95%, Wilson) is over the cells of this one patient. It does not show how another smear, "
    "or another model, would differ."
)
NONE_CLASSIFIED = "The model classified no cell."
ANSWERS_HIDDEN = "The model's answers are hidden until you have read the cells."
SEVERAL_MODELS = (
    "Several models, or several limits, answered these cells: their share cannot be placed in the record of "
    "one."
)
SEVERAL_RECORDS = "Several models, or several limits, answered these cells."
LATEST_RECORD = "What follows is the record of the one that answered last: {}."
LATEST_GONE = "The record of the one that answered last is not available."
NO_RECORD = "The model's record is not available."
NO_ANSWER = "No cell was classified, so no model's record is shown."
PLACE_GONE = "The model's record is not available: the share cannot be placed among its patients."


def count_rows(counts: Summary) -> list[tuple[str, str, str]]:
    """Rows of the table of counts, under :data:`COUNT_HEADER`."""
    return [
        (word, f"{counts.decisions[word]:,}" if word in counts.decisions else "–", f"{number:,}")
        for word, number in counts.final.items()
    ]


def shares(counts: Summary, *, hidden: bool = False) -> list[str]:
    """The share of ALL-like cells by the model, and with readers' verdicts in place of its answers.

    ``hidden`` is whether answers are kept back from whoever asks, and so not counted.
    """
    said = ANSWERS_HIDDEN if hidden else NONE_CLASSIFIED
    if counts.classified:
        said = (
            f"{ALL_LIKE} by the model: {counts.all_like:,} of {counts.classified:,} classified cells, "
            f"{formatting.interval(counts.share, True)}."
        )
    if not counts.reviewed:
        return [said]
    reviewed = (
        f"{ALL_LIKE} with readers' verdicts: {counts.final[ALL_LIKE]:,} of {counts.reviewed:,} cells, "
        f"{formatting.interval(counts.reviewed_share, True)}."
    )
    return [said, reviewed]


def about_shares(counts: Summary) -> str:
    """What the interval of :func:`shares` is over; empty where they have none."""
    return ABOUT_SHARE if counts.classified or counts.reviewed else ""


def place(placed: Placement | None, models: int) -> str:
    """Where the share lies among the patients of the model's record, or why that is not known.

    Parameters
    ----------
    placed : Placement or None
    models : int
        How many models, or limits, answered the cells.
    """
    if placed:
        return case_placement.sentence(placed)
    return SEVERAL_MODELS if models > 1 else PLACE_GONE if models else ""


def learned(number: int, cells: int) -> str:
    """That the model learned from cells of a case; empty where it learned from none.

    Parameters
    ----------
    number : int
        Cells that it learned from.
    cells : int
        All of the case.
    """
    if not number:
        return ""
    which = "the only cell" if number == cells == 1 else f"{number:,} of these {counted(cells, 'cell')}"
    return (
        f"The model learned from {which}. Its answers on {'it' if number == 1 else 'them'} say nothing about "
        "new cells, so the share of ALL-like cells is not placed among the patients of its record."
    )


def model(one: tuple[str, str, OperatingPoint]) -> str:
    """A model of :func:`leukemia.cases.summary.models`: name, record, limits."""
    name, record_sha256, point = one
    return f"{name} (record {record_sha256[:8]}). {point}".rstrip(".")


def agreement(one: Agreement) -> str:
    """How far two readers agree, in a sentence."""
    first, second = one.readers
    cells = "1 cell" if one.cells == 1 else f"{one.cells:,} cells"
    return f"{first} and {second}: the same verdict on {one.same:,} of {cells} that both read; {kappa(one)}."


def kappa(one: Agreement) -> str:
    """Cohen's kappa with its interval, or why it is not told: the end of a sentence."""
    if not one.has_enough:
        return f"too few for Cohen's kappa, which needs at least {ENOUGH}"
    if not one.is_told:
        return "Cohen's kappa cannot be told, since one of the two said the same of every cell"
    return f"Cohen's kappa {formatting.interval(one.kappa)} (95% interval over {one.over})"


def when(at: str) -> str:
    """A time on record (ISO 8601, UTC), for a reader."""
    return f"{at[:10]} {at[11:16]} UTC"


def signature(case: Case) -> str:
    """Printed name, time and meaning of a signature, in a sentence; what stands where there is none."""
    if not case.is_signed:
        return "Not signed."
    said = f"Signed by {case.signed_by}, {when(case.signed_at or '')}: {case.signed_meaning}"
    return said if said.endswith(ENDS) else f"{said}."
