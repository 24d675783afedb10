"""Everything that was recorded about a case, the newest first."""

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.audit import trail
from leukemia.audit.trail import Recorded
from leukemia.cases import case as cases
from leukemia.cases.case import Case
from leukemia.reports import case_wording
from leukemia.storage.spreadsheet import inert_texts
from pages.components import identity

ABOUT = "Entries are never changed or removed. They are numbered by the server."
# Columns with texts that may be long; pixels of a column at most, of a letter, and of a line.
LONG, WIDEST, LETTER, LINE = ("What", "Before", "After", "Reason"), 420, 7, 22
# Streamlit wraps texts in rows that are higher than 64 pixels.
WRAPS, MOST_LINES = 66, 6
# As the trail writes it into what was signed before a case was reopened.
TIME = re.compile(r"(?<= at )\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+\+00:00(?=: )")
KEPT_BACK = "Entries about cells that you have not read yet are left out."


def show(data: Path, case: Case) -> None:
    """Lay out the entries, without those that would tell a reader what is kept back from her."""
    entries = shown = cases.history(data, case.id)
    if case.keeps_back:
        # Not the cells that stand: those that were removed by hand have entries, too.
        known = cases.read_by(data, case.id, identity.name())
        shown = [one for one in entries if one.cell is None or one.cell in known]
    st.caption(f"{ABOUT} {KEPT_BACK if len(shown) < len(entries) else ''}")
    table = inert_texts(pd.DataFrame(map(_row, shown)))
    widths = {name: _width(table[name]) for name in LONG if name in table}
    lines = max((-(-width // WIDEST) for width in widths.values()), default=1)
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={
            name: st.column_config.Column(width=min(width, WIDEST)) for name, width in widths.items()
        },
        # Else an entry about no cell says "None" of it.
        placeholder="",
        row_height=max(WRAPS, min(lines, MOST_LINES) * LINE) if lines > 1 else None,
    )


def _width(texts: Iterable[str]) -> int:
    """Pixels that the longest text takes; an eastern letter takes two places."""
    wide = (sum(1 + (unicodedata.east_asian_width(one) in "WF") for one in text) for text in texts)
    return LETTER * max(12, *wide, 0) + LINE


def _row(one: Recorded) -> dict[str, object]:
    return {
        "No.": one.number,
        "When": case_wording.when(one.at),
        "Who": one.who,
        "What": one.event,
        "Cell": one.cell,
        "Probability of ALL": "" if one.probability is None else f"{one.probability:.3f}",
        "Before": _before(one),
        "After": one.new,
        "Reason": one.reason,
        "Model": one.version,
    }


def _before(one: Recorded) -> str:
    if one.event != trail.REOPENED:
        return one.old
    return TIME.sub(lambda found: case_wording.when(found.group()), one.old, count=1)
