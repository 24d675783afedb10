"""A case's signature."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from leukemia import attribution
from leukemia.cases import cells, signing
from leukemia.cases.case import Case
from leukemia.cases.signing import MEANINGS
from leukemia.errors import RecordsError
from leukemia.markdown import plain
from leukemia.reports import case_wording
from pages.components import flash, identity

FLASH = "sign"
ABOUT = (
    "Signing puts your printed name, the time and what the signature means on record. The case is then "
    "read-only."
)
REOPEN = "The signature stays in the history. The case must be signed again afterwards."


def show(data: Path, case: Case) -> None:
    """Lay out the signature, or what it still takes."""
    flash.show(FLASH)
    if case.is_signed:
        st.markdown(f"**{plain(case_wording.signature(case))}**")
        with st.expander("Reopen the case", icon=":material/lock_open:"):
            _reopen(data, case)
        return
    missing = signing.missing(cells.cells(data, case.id))
    if missing:
        st.info(f"Not ready to be signed. {missing}", icon=":material/rule:")
        return
    st.markdown("**Sign the case**")
    _sign(data, case)


def _sign(data: Path, case: Case) -> None:
    identity.prefill("sign-who")
    with st.form("sign", border=False):
        st.text_input("Printed name", key="sign-who", max_chars=attribution.MAX_WHO, width=420)
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
    who = st.session_state.get(f"{form}-who") or identity.name()
    try:
        change(who)
    except RecordsError as error:
        flash.put(FLASH, flash.ERROR, str(error))
        return
    identity.remember(who)
    flash.put(FLASH, flash.SUCCESS, done)
