"""The cells of a quick look become a case."""

from collections.abc import Mapping, Sequence

import streamlit as st

from leukemia.access.permissions import Action
from leukemia.bundles.bundle import Bundle
from leukemia.cases import cells
from leukemia.cases.case import Case
from leukemia.inference.batch import Result
from leukemia.operating_point import OperatingPoint
from leukemia.segmentation.place import FieldPicture
from pages.components import identity, model_in_service, offer, records
from pages.sections.cases import address, new_case

FORM, MADE = "make-case", "made-case"


def show(
    results: Sequence[Result], fields: Mapping[str, FieldPicture], bundle: Bundle, point: OperatingPoint
) -> None:
    """Offer to put answered images into a new case; where one was just made, open it.

    Parameters
    ----------
    results : sequence of Result
    fields : mapping of str to FieldPicture
        The fields of the batch.
    bundle : Bundle
        The model that answered.
    point : OperatingPoint
        By which cells are called.
    """
    data = records.data()
    if number := st.session_state.pop(MADE, None):
        st.switch_page("pages/cases.py", query_params={address.CASE: str(number)})

    if not offer.may(Action.MAKE_CASES):
        return

    def fill(case: Case) -> None:
        serving = model_in_service.in_service()
        version = serving.version if serving.bundle.digest == bundle.digest else None
        who = identity.name()
        cells.add(data, case.id, results, bundle, point, who=who, version=version, fields=fields)
        st.session_state[MADE] = case.id

    with st.popover("Make a case of these cells", icon=":material/create_new_folder:"):
        new_case.form(data, FORM, "Make the case", fill)
