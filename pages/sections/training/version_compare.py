"""A version beside the one in service, on the cells that both held out; each at its own threshold."""

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.reports import wording as said
from pages.sections.performance import compare, resources

NONE = "What is in service cannot be read: there is nothing to compare with."
WHAT = (
    "▲ better, ▼ worse, ○ too few patients to be sure. Paired: each resample draws the same patients for "
    "both. A threshold that finds more ALL cells raises more false alarms: read both rates together."
)


def show(number: int) -> None:
    """Lay out the comparison of a registered version with what is in service."""
    st.markdown("**Beside the version in service**")
    version = resources.numbered(number)
    if version.problem:
        st.error(plain(version.problem), icon=":material/error:")
        return
    served = resources.served()
    if served is None or not served.bundle:
        st.error(plain(served.problem) if served else NONE, icon=":material/error:")
        return
    if served.number == number:
        st.caption("This is the version in service.")
        return
    try:
        found = compare.paired([served, version], [served.bundle.threshold, version.bundle.threshold])
    except LeukemiaError as error:
        st.info(
            f"{plain(str(error))} So nothing can be said here of the difference between them.",
            icon=":material/info:",
        )
        return
    for one in (served, version):
        if one.bundle.leaky:
            st.warning(compare.LEAKY.format(plain(resources.name(one))), icon=":material/warning:")
    (differences,) = found.against_first
    st.markdown("  \n".join(compare.marked(one) for one in differences if one.name in compare.FIRST))
    st.caption(
        f"On {said.cohort(found.of.frame)} In service: {plain(resources.name(served))}, at its own threshold "
        f"{served.bundle.threshold:.4f}; version {number} at {version.bundle.threshold:.4f}. {WHAT}"
    )
    with st.expander("All metrics side by side"):
        table = compare.table(differences, "in service", f"version {number}")
        st.dataframe(table, hide_index=True)
