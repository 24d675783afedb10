"""Probabilities to the words that a clinic uses, and the table that leaves the house."""

import csv
import io
from collections.abc import Iterable

from leukemia.bundles.bundle import Bundle
from leukemia.classes import ALL, NORMAL
from leukemia.inference.classifier import Answer
from leukemia.settings import RESEARCH_USE

ALL_LIKE = "ALL-like"
NORMAL_LIKE = "Normal-like"
INDETERMINATE = "Indeterminate"
NEEDED = "needs a haematologist"
UNREADABLE = "Not readable"
# Probabilities between which a model does not decide: from the first to below the second.
Band = tuple[float, float]
WORDS = {ALL: ALL_LIKE, NORMAL: NORMAL_LIKE, "": UNREADABLE}

# Closer to the threshold than this (in probability), a decision is marked as near it.
NEAR = 0.05

COLUMNS = (
    "file",
    "probability",
    "label",
    "error",
    "decision",
    "distance_to_threshold",
    "threshold",
    "image_id",
    "cell_area_px",
    "model",
    "model_sha256",
    "note",
    "notice",
)

# What tells such a table from others, in each version of it.
OWN = {"model_sha256", "notice"}


def is_table(beginning: str) -> bool:
    """Whether a file that begins like this holds a table of answers, also of an earlier version."""
    named = beginning.partition("\n")[0].strip().split(",")
    return named[:2] == list(COLUMNS[:2]) and set(named) >= OWN


def label(probability: float | None, threshold: float) -> str:
    """Class at a threshold: ``"ALL"`` from the threshold on, else ``"Normal"``; ``""`` for no answer."""
    if probability is None:
        return ""
    return ALL if probability >= threshold else NORMAL


def decision(probability: float | None, threshold: float, band: Band | None = None) -> str:
    """Decision in the clinic's words.

    Parameters
    ----------
    probability : float or None
        Of ALL; None where the image could not be read.
    threshold : float
        Probability from which a cell is called ALL-like.
    band : Band, optional
        Within it a cell is indeterminate, wherever the threshold lies.

    Returns
    -------
    str
        :data:`ALL_LIKE`, :data:`NORMAL_LIKE`, :data:`INDETERMINATE` or :data:`UNREADABLE`.
    """
    if probability is not None and band and band[0] <= probability < band[1]:
        return INDETERMINATE
    return WORDS[label(probability, threshold)]


def is_near(probability: float | None, threshold: float) -> bool:
    """Whether a probability lies within :data:`NEAR` of the threshold."""
    return probability is not None and abs(probability - threshold) < NEAR


def count(answers: Iterable[Answer], threshold: float, band: Band | None = None) -> dict[str, int]:
    """How many answers there are of each decision; see :func:`decision`."""
    counts = dict.fromkeys((*WORDS.values(), *((INDETERMINATE,) if band else ())), 0)
    for answer in answers:
        counts[decision(answer.probability, threshold, band)] += 1
    return counts


def row(answer: Answer, threshold: float, bundle: Bundle) -> dict[str, object]:
    """One answer as a row of the export; columns :data:`COLUMNS`."""
    known = answer.probability is not None
    return {
        "file": _inert(answer.name),
        "probability": answer.probability if known else "",
        "label": label(answer.probability, threshold),
        "error": answer.error,
        "decision": _whole(decision(answer.probability, threshold, bundle.band)),
        "distance_to_threshold": round(answer.probability - threshold, 6) if known else "",
        "threshold": threshold,
        "image_id": answer.image_id,
        "cell_area_px": answer.area or "",
        "model": bundle.name,
        "model_sha256": bundle.digest,
        "note": answer.note,
        "notice": RESEARCH_USE + (" Model trained on synthetic cells." if bundle.synthetic else ""),
    }


def to_csv(answers: Iterable[Answer], threshold: float, bundle: Bundle) -> str:
    """All answers as CSV text with a header line."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row(answer, threshold, bundle) for answer in answers)
    return out.getvalue()


def _whole(word: str) -> str:
    return f"{word}: {NEEDED}" if word == INDETERMINATE else word


def _inert(text: str) -> str:
    # A file name that begins like a formula would run in a spreadsheet.
    return "'" + text if text[:1] in "=+-@\t\r" and text else text
