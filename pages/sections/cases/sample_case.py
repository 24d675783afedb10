"""Without any case yet: a case of the sample cells at one press, to see what the page does."""

from pathlib import Path

import streamlit as st

from leukemia.access.permissions import Action
from leukemia.cases import case as cases
from leukemia.dataset.demonstration.cells import CREDIT
from leukemia.errors import LeukemiaError
from pages.components import flash, identity, sample_cells
from pages.components.offer import may
from pages.sections.cases import address, intake

IDENTIFIER = "Sample cells"
# Who begins it where nobody has given a name.
NOBODY = "Demonstration"
ABOUT = (
    "To see what a case is, make one of the 16 sample cells that come with the program. "
    f"{sample_cells.ABOUT} Their patients were not published either, so this case is only for trying: what "
    "is said in it never becomes a label for training."
)


def offer(data: Path, key: str) -> None:
    """Lay out the button.

    Parameters
    ----------
    data : Path
        The data folder.
    key : str
        Where a failure is said, of :mod:`pages.components.flash`.
    """
    if not may(Action.MAKE_CASES):
        return
    st.markdown(ABOUT)
    st.button("Make a case of the sample cells", icon=":material/biotech:", on_click=_make, args=(data, key))
    st.caption(CREDIT)


def _make(data: Path, key: str) -> None:
    who = identity.name() or NOBODY
    try:
        case = cases.create(data, IDENTIFIER, who=who)
    except LeukemiaError as error:
        flash.put(key, flash.ERROR, str(error))
        return
    intake.take(case.id, sample_cells.items(), who=who)
    address.open_case(case.id)
