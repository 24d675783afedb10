"""The cells of a quick look become a case."""

import streamlit as st

from leukemia.access.permissions import Action
from leukemia.bundles.bundle import Bundle
from leukemia.cases import cells
from leukemia.cases.case import Case
from leukemia.inference.batch import Batch
from leukemia.operating_point import OperatingPoint
from pages.components import flash, identity, model_in_service, offer, pending, records, session_batch
from pages.sections.cases import address, new_case

FORM = "make-case"
CLEARED = "The cells were cleared just as the case was made. Drop them in again here."


def open_made() -> None:
    """Open the case that was just made, if one was; the first act of the page."""
    if number := st.session_state.pop(pending.MADE, None):
        st.switch_page("pages/cases.py", query_params={address.CASE: str(number)})


def show(batch: Batch, bundle: Bundle, point: OperatingPoint) -> None:
    """Offer to put answered images into a new case; see :func:`open_made`.

    Parameters
    ----------
    batch : Batch
        Of this session.
    bundle : Bundle
        The model that answered.
    point : OperatingPoint
        By which cells are called.
    """
    data, results, fields = records.data(), batch.final, batch.fields
    if not offer.may(Action.MAKE_CASES):
        return

    def fill(case: Case) -> None:
        if fields and session_batch.of_session() is not batch:
            flash.put(address.CASE_FLASH, flash.WARNING, CLEARED)  # the pixels of fields are gone with it
        else:
            serving = model_in_service.in_service()
            version = serving.version if serving.bundle.digest == bundle.digest else None
            who = identity.name()
            cells.add(data, case.id, results, bundle, point, who=who, version=version, fields=fields)
        st.session_state[pending.MADE] = case.id

    with st.popover("Make a case of these cells", icon=":material/create_new_folder:"):
        new_case.form(data, FORM, "Make the case", fill)
