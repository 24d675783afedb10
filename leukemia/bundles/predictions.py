"""Held-out predictions of a bundle as they lie in its folder: their columns, and what each must hold."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

from leukemia.classes import LABELS

COLUMNS = ("image_id", "patient_group", "label", "probability")
# Of networks that learned from no cell of the source: see :mod:`leukemia.evaluation.breakdown.sources`.
UNSEEN_COLUMNS = ("unseen_probability", "unseen_called")
# What predictions hold beside, where it is known: those of a cross-validation the fold, the distance, and
# what the band of the other folds called the cell, and the logit of a network without the hard sources.
FURTHER_COLUMNS = ("fold", "cell_area", "source", "distance", "called", "logit_without_hard", *UNSEEN_COLUMNS)
TEXTS = ("image_id", "patient_group", "label", "source", "called", "unseen_called")
CALLS = {*LABELS, "Indeterminate"}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
LONGEST = 300
BASIC = "has rows without a label, a patient or a probability from 0 to 1"


def problem(path: Path) -> str:
    """Say in a clause what is wrong with a file of predictions; empty where nothing is.

    Of all columns but :data:`COLUMNS` a value may be absent; columns that are not known here are kept.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader)
            if missing := [name for name in COLUMNS if name not in header]:
                return f"lacks columns: {', '.join(missing)}"
            if len(set(header)) < len(header):
                return "names a column twice"
            return _rows(header, reader)
    except (OSError, ValueError, StopIteration, csv.Error):
        return "cannot be read"


def _rows(header: list[str], rows: "csv.Reader") -> str:
    checks = [(place, name, CHECKS[name]) for place, name in enumerate(header) if name in CHECKS]
    empty = True
    for row in rows:
        if not row:
            continue
        empty = False
        if len(row) != len(header):
            return "has rows of another length than its header"
        for place, name, is_right in checks:
            text = row[place]
            if not is_right(text) and (text or name in COLUMNS):
                return BASIC if name in COLUMNS else f"has rows with no possible {name}"
    return "has no rows" if empty else ""


def _number(low: float, high: float) -> Callable[[str], bool]:
    def is_right(text: str) -> bool:
        return bool(NUMBER.fullmatch(text)) and low <= float(text) <= high

    return is_right


def _name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= LONGEST


CHECKS: dict[str, Callable[[str], bool]] = {
    "image_id": _name,
    "patient_group": _name,
    "label": set(LABELS).__contains__,
    "probability": _number(0, 1),
    "fold": _number(-1, 1_000),
    "cell_area": _number(0, 1e9),
    "source": _name,
    "distance": _number(0, 1e9),
    "called": CALLS.__contains__,
    "logit_without_hard": _number(-1e9, 1e9),
    "unseen_probability": _number(0, 1),
    "unseen_called": CALLS.__contains__,
}
