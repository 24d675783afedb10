"""A case's signature, and its report."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from leukemia import attribution
from leukemia.access.permissions import Action
from leukemia.cases import cells, signing
from leukemia.cases.case import Case
from leukemia.cases.signing import MEANINGS
from leukemia.errors import AccessError, LeukemiaError
from leukemia.reports import case_files
from pages.components import flash, identity, offer
from pages.sections.cases import answered_by, reject

FLASH = "sign"
LABELS = {
    "pdf": "PDF",
    "html": "HTML",
    "csv": "CSV",
    "fhir.json": "FHIR",
    "hl7": "HL7",
    "dicom.zip": "DICOM",
}
ICONS = {
    "pdf": "picture_as_pdf",
    "html": "summarize",
    "csv": "table",
    "fhir.json": "local_fire_department",
    "hl7": "lan",
    "dicom.zip": "folder_zip",
}
ABOUT = (
    "Signing puts your printed name, the time and what the signature means on record. The case is then "
    "read-only."
)
MISSING_KEPT_BACK = (
    "Which cells need a verdict is shown once you have read all cells: readers of this case do not see each "
    "other's verdicts before their own."
)
ABOUT_REPORT = (
    "The PDF has one or two pages to print and sign. The HTML report also lists every cell; the CSV is the "
    "same list as a table. FHIR, HL7 and DICOM (the pictures, and a structured report) are for other "
    "systems, and name no patient. DICOM of 100 cells takes some ten seconds to write. None needs an "
    "internet connection."
)
REOPEN = "The signature stays in the history. The case must be signed again afterwards."


def show(data: Path, case: Case) -> None:
    """Lay out the signature, or what it still takes, and the report."""
    flash.show(FLASH)
    _signature(data, case)
    _downloads(data, case)


def _signature(data: Path, case: Case) -> None:
    if case.is_signed:
        if not offer.may(Action.REOPEN):
            return
        with st.expander("Reopen the case", icon=":material/lock_open:"):
            _reopen(data, case)
        return
    missing = signing.missing(cells.cells(data, case.id), case)
    if missing:
        seen = cells.cells(data, case.id, reader=identity.name())
        others_hidden = any(cell.others_hidden for cell in seen)
        said = MISSING_KEPT_BACK if others_hidden else missing
        st.info(f"Not ready to be signed. {said}", icon=":material/rule:")
        reject.offer(data, case, seen, "sign")
        return
    st.markdown("**Sign the case**")
    if offer.allowed(Action.SIGN):
        _sign(data, case)


def _downloads(data: Path, case: Case) -> None:
    """Offer the report, unless it would tell what the case keeps back from this reader."""
    st.markdown("**Report**")
    seen = cells.cells(data, case.id, reader=identity.name())
    if case_files.is_kept_back(seen):
        st.caption(case_files.KEPT_BACK)
        return
    with st.container(horizontal=True):
        for kind, media_type in case_files.MEDIA_TYPES.items():
            reason = case_files.unavailable(kind, seen)
            st.download_button(
                f"Download {LABELS[kind]}",
                partial(_made, data, case, kind, identity.name()),
                file_name=case_files.name(case, kind),
                mime=media_type,
                icon=f":material/{ICONS[kind]}:",
                on_click="ignore",
                disabled=bool(reason),
                help=reason or None,
            )
    st.caption(ABOUT_REPORT)


def _made(data: Path, case: Case, kind: str, reader: str) -> bytes:
    """Make a report as its button is pressed: the case may have been reopened since it was offered."""
    if case_files.is_kept_back(cells.cells(data, case.id, reader=reader)):
        raise AccessError(case_files.KEPT_BACK)
    return case_files.make(data, case, kind, partial(answered_by.of, data))


def _sign(data: Path, case: Case) -> None:
    identity.prefill("sign-who")
    with st.form("sign", border=False):
        identity.field(st, "Printed name", key="sign-who", width=420)
        st.selectbox("Meaning", MEANINGS, key="sign-meaning", accept_new_options=True)
        st.form_submit_button(
            "Sign",
            icon=":material/draw:",
            type="primary",
            on_click=_try,
            args=(
                lambda who: signing.sign(
                    data, case.id, who=who, meaning=st.session_state["sign-meaning"] or "", seen=case.changed
                ),
                "sign",
                "Signed.",
            ),
        )
        st.caption(ABOUT)


def _reopen(data: Path, case: Case) -> None:
    with st.form("reopen", border=False):
        st.text_input("Reason", key="reopen-reason", max_chars=attribution.MAX_WHY)
        st.form_submit_button(
            "Reopen",
            icon=":material/lock_open:",
            on_click=_try,
            args=(
                lambda who: signing.reopen(data, case.id, who=who, reason=st.session_state["reopen-reason"]),
                "reopen",
                "The case is open again.",
            ),
        )
        st.caption(REOPEN)


def _try(change: Callable[[str], Case], form: str, done: str) -> None:
    who = identity.in_field(f"{form}-who")
    try:
        change(who)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, str(error))
        return
    identity.remember(who)
    flash.put(FLASH, flash.SUCCESS, done)
