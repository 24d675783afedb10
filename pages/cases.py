"""Cases: a patient's cells, read by people beside the model's answers, signed."""

import streamlit as st

from leukemia.errors import RecordsError
from leukemia.markdown import plain
from pages.components import entry, heading, records, section_picker
from pages.sections.cases import address, case_view, monitoring, worklist

TITLE = "Cases"
PURPOSE = (
    "One patient's cells: the model says whether each looks like acute lymphoblastic leukemia (ALL) or "
    "normal, and readers give their verdicts and sign. Begin with **New case**; each verdict is saved at "
    "once."
)
# A section's word in the address, and what lays it out, given the data folder.
SECTIONS = {"worklist": worklist.show, "monitoring": monitoring.show}


def main() -> None:
    """Lay out the list of cases or their monitoring, or the case that the address names."""
    data, case_id = records.data(), address.case_id()
    if case_id is None:
        heading.show(TITLE, PURPOSE)
    else:
        _head_of_a_case()
    try:
        if case_id is None:
            SECTIONS[section_picker.pick("cases", SECTIONS)](data)
        else:
            case_view.show(data, case_id)
    except RecordsError as error:
        st.error(plain(str(error)), icon=":material/error:")


def _head_of_a_case() -> None:
    """No more than the way back: the cells should be on the first screen."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(TITLE, width="content")
        st.button("All cases", icon=":material/arrow_back:", on_click=address.close_case)


entry.enter()
main()
