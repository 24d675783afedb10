"""Everything that was recorded about a case, the newest first."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.audit.trail import Recorded
from leukemia.cases import case as cases
from leukemia.cases import cells
from leukemia.cases.case import Case
from leukemia.reports import case_wording
from leukemia.storage.spreadsheet import inert_texts
from pages.components import identity

ABOUT = "Entries are never changed or removed. They are numbered by the server."
# Pixels, for the texts that are long.
WIDTHS = {"What": 160, "Before": 200, "Reason": 240}
KEPT_BACK = "Entries about cells that you have not read yet are left out."


def show(data: Path, case: Case) -> None:
    """Lay out the entries, without those that would tell a reader what is kept back from her."""
    entries, closed = cases.history(data, case.id), set()
    if not case.is_signed and (case.blind or case.hide_model):
        name = identity.name()
        closed = {cell.number for cell in cells.cells(data, case.id) if not cell.by(name)}
    shown = [one for one in entries if one.cell not in closed]
    st.caption(f"{ABOUT} {KEPT_BACK if len(shown) < len(entries) else ''}")
    table = inert_texts(pd.DataFrame(map(_row, shown)))
    widths = {name: st.column_config.Column(width=width) for name, width in WIDTHS.items()}
    st.dataframe(table, hide_index=True, width="stretch", column_config=widths)


def _row(one: Recorded) -> dict[str, object]:
    return {
        "No.": one.number,
        "When": case_wording.when(one.at),
        "Who": one.who,
        "What": one.event,
        "Cell": one.cell,
        "Probability of ALL": "" if one.probability is None else f"{one.probability:.3f}",
        "Before": one.old,
        "After": one.new,
        "Reason": one.reason,
        "Model": one.version,
    }
