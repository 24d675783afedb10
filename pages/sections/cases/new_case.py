"""Beginning a case: an identifier of the user's choosing, and how it is to be read."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from leukemia.access.permissions import Action
from leukemia.cases import case as cases
from leukemia.cases.case import Case
from leukemia.errors import LeukemiaError
from pages.components import flash, identity, offer
from pages.sections.cases import address

FORM = "new-case"
IDENTIFIER = "Any code that your laboratory uses. Do not enter a patient's name."


def show(data: Path) -> None:
    """Lay out the form, folded away; a case that was begun is opened."""
    if not offer.allowed(Action.MAKE_CASES):
        return
    with st.expander("New case", icon=":material/create_new_folder:", expanded=flash.waits(FORM)):
        form(data, FORM, "Begin the case", lambda case: address.open_case(case.id))


def form(data: Path, key: str, label: str, then: Callable[[Case], None]) -> None:
    """Ask for what a case needs.

    Parameters
    ----------
    data : Path
        The data folder.
    key : str
        Keeps this form apart from others.
    label : str
        Of its button.
    then : callable
        Called with the case once it is on record, before the page runs again.
    """
    flash.show(key)
    identity.prefill(f"{key}-who")
    with st.form(key, border=False):
        left, right = st.columns([3, 2])
        left.text_input("Identifier", key=f"{key}-identifier", help=IDENTIFIER)
        identity.field(right, "Your name", key=f"{key}-who")
        st.checkbox("Keep file names", key=f"{key}-names", help="File names can hold a patient's name.")
        st.checkbox("Readers do not see each other's verdicts before their own", key=f"{key}-blind")
        st.checkbox("Hide the model's answer until a reader has given a verdict", key=f"{key}-hide")
        st.form_submit_button(
            label, icon=":material/add:", type="primary", on_click=_create, args=(data, key, then)
        )


def _create(data: Path, key: str, then: Callable[[Case], None]) -> None:
    state = st.session_state
    try:
        case = cases.create(
            data,
            state[f"{key}-identifier"],
            who=state[f"{key}-who"],
            keep_names=state[f"{key}-names"],
            blind=state[f"{key}-blind"],
            hide_model=state[f"{key}-hide"],
        )
        identity.remember(state[f"{key}-who"])
        then(case)
    except LeukemiaError as error:
        flash.put(key, flash.ERROR, str(error))
