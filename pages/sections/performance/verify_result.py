"""What a verification says, its report, and the version accepted for the laboratory."""

import streamlit as st

from leukemia import attribution
from leukemia.access.permissions import Action
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.plots.chart import Chart
from leukemia.registry.versions import Version
from leukemia.reports import verification as report
from leukemia.reports import verification_wording as wording
from leukemia.storage import spreadsheet
from leukemia.verification import acceptance, store
from leukemia.verification.store import Verification
from pages.components import charts, flash, identity, offer
from pages.sections.performance import resources

WHO, WHY, WHICH = "verify-accept-who", "verify-accept-why", "verify-accept-which"
FLASH = "verify-accept"
ACROSS = 2


def show(verification: Verification, version: Version) -> None:
    """Lay out the result of a verification."""
    result, stated = verification.result, verification.stated
    box, icon = (
        (st.success, ":material/check_circle:") if result.acceptable else (st.warning, ":material/warning:")
    )
    box(f"**{plain(wording.headline(result))}**", icon=icon)
    st.caption(f":material/lock: {plain(wording.criterion(stated))}")
    for remark in wording.warnings(result):
        st.warning(plain(remark), icon=":material/warning:")
    st.dataframe(wording.rates_table(result, stated.criterion.confidence), hide_index=True)
    for sentence in wording.more_patients(result):
        st.markdown(plain(sentence))
    try:
        cells = store.cells(verification)
        first, strips, *measures = report.charts(verification, cells, version.bundle)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    charts.show(first)
    st.caption(plain(f"{wording.HOW} {wording.LEFT_OUT}"))
    _accept(verification, version)
    st.subheader("Patients and cells")
    st.dataframe(wording.counts_table(result), hide_index=True)
    for sentence in wording.remarks(result):
        st.markdown(f"- {plain(sentence)}")
    if result.problems:
        with st.expander(f"Files and rows that could not be used ({len(result.problems)})"):
            st.markdown("\n".join(f"- {plain(problem)}" for problem in result.problems))
    charts.show(strips)
    st.caption(plain(wording.design_effects(result)))
    st.subheader("How your cells differ")
    _side_by_side(measures)
    st.subheader("Indeterminate cells and calibration")
    for sentence in filter(None, (wording.abstention(result), wording.calibration(result))):
        st.markdown(plain(sentence))
    _downloads(verification, version, cells)


def _side_by_side(measures: list[Chart]) -> None:
    for start in range(0, len(measures), ACROSS):
        for column, chart in zip(
            st.columns(ACROSS, gap="medium"), measures[start : start + ACROSS], strict=False
        ):
            with column:
                charts.show(chart)


def _downloads(verification: Verification, version: Version, cells: object) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Download the report (HTML)",
            lambda: report.render(verification, cells, version.bundle),
            file_name=f"verification-{verification.id}.html",
            mime="text/html",
            icon=":material/summarize:",
            on_click="ignore",
        )
        st.download_button(
            "Download the cells (CSV)",
            lambda: spreadsheet.to_csv(cells),
            file_name=f"verification-{verification.id}.csv",
            mime="text/csv",
            icon=":material/table:",
            on_click="ignore",
        )


def _accept(verification: Verification, version: Version) -> None:
    """Offer to accept the version for the laboratory, where the criterion is met."""
    flash.show(FLASH)
    stated, acceptable = verification.stated, verification.result.acceptable
    if given := verification.accepted:
        st.info(plain(wording.accepted(verification)), icon=":material/verified:")
        st.page_link(
            "pages/performance.py",
            label=f"Open version {given.version}",
            icon=":material/monitoring:",
            query_params={"version": str(given.version), "section": "card"},
        )
        return
    if not acceptable:
        st.caption(
            "This version cannot be accepted for your laboratory, because the criterion is not met. You can "
            "still download the report."
        )
        return
    if not offer.allowed(Action.VERIFY):
        return
    state = st.session_state
    state.setdefault(WHO, identity.name())
    with st.form("verify-accept"):
        st.markdown(f"**Accept this version for {plain(stated.site)}**")
        if len(acceptable) > 1:
            st.radio(
                "Threshold",
                list(acceptable),
                format_func=lambda name: f"The {_called(name)} ({acceptable[name].threshold:.4f})",
                key=WHICH,
                horizontal=True,
            )
        else:
            (only,) = acceptable
            st.caption(f"With the {_called(only)} ({acceptable[only].threshold:.4f}).")
        left, right = st.columns([2, 3])
        identity.field(left, "Your name", key=WHO)
        right.text_input("Reason", key=WHY, max_chars=attribution.MAX_WHY)
        st.form_submit_button(
            "Accept as a new version",
            icon=":material/verified:",
            on_click=_save,
            args=(verification, version),
        )
    st.caption(
        "A new version is made that names your laboratory, the criterion and the result. The version in "
        "service "
        "does not change until someone promotes it on the Training page."
    )


def _called(name: str) -> str:
    return wording.SHIPPED if name == acceptance.SHIPPED else "threshold from your patients"


def _save(verification: Verification, version: Version) -> None:
    state = st.session_state
    acceptable = verification.result.acceptable
    which = state.get(WHICH) if len(acceptable) > 1 else next(iter(acceptable))
    try:
        done = acceptance.accept(verification.data, verification, version, which, state[WHO], state[WHY])
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, f"Not accepted. {error}")
        return
    resources.refresh()
    identity.remember(state[WHO])
    flash.put(FLASH, flash.SUCCESS, f"Saved as version {done.accepted.version}, with your name and reason.")
