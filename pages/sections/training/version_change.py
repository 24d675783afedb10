"""What can be done with a version: put it in service, or look at it as the challenger."""

from pathlib import Path

import streamlit as st

from leukemia import attribution
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.registry import promotion, versions
from leukemia.registry.versions import Version
from leukemia.tracking.records import CHALLENGER
from pages.components import flash, identity
from pages.sections.training import times, version_in_service

KEY = "training-change-"
WHO, WHY = KEY + "who", KEY + "why"
# Where the registry cannot be asked for a moment, what was typed is there again afterwards.
DRAFT = KEY + "draft"
NEEDED = "Not promoted. Please give your name and a reason: both are kept with the version."
UNREAD = "Not promoted. Please read what there is to be wary of, and tick that you did."
CHANGED = (
    "Not promoted. What is in service was changed meanwhile: read what there is to be wary of now, and press "
    "again."
)


def show(data: Path, number: int) -> None:
    """Lay it out; for the version in service, say since when and why it is."""
    try:
        version = versions.version(data, number)
        wary = () if version.in_service else promotion.warnings(data, version)
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    if version.in_service:
        if version.events:
            last = version.events[-1]
            st.caption(f"Since {times.when(last.at)}, by {plain(last.by)}: {plain(last.reason)}")
        return
    st.markdown(f"**Put version {number} in service**")
    _promote(data, version, wary)
    _challenge(data, version)


def _promote(data: Path, version: Version, wary: tuple[str, ...]) -> None:
    for text in wary:
        st.warning(plain(text), icon=":material/warning:")
    who, why, ticked = st.session_state.get(DRAFT, (identity.name(), "", ""))
    st.session_state.setdefault(WHO, who)
    st.session_state.setdefault(WHY, why)
    # What was ticked holds for these warnings of this version and for no others.
    read = f"{KEY}read-{version.number}-{hash(wary)}"
    st.session_state.setdefault(read, ticked == read)
    with st.form(f"{KEY}promote-{version.number}", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Your name", key=WHO, max_chars=attribution.MAX_WHO, width=220)
            st.text_input("Reason", key=WHY, max_chars=attribution.MAX_WHY, width=400)
        if wary:
            st.checkbox("I have read it", key=read)
        st.form_submit_button(
            f"Promote version {version.number}",
            type="primary",
            icon=":material/publish:",
            on_click=_put_in_service,
            args=(data, version.number, wary, read),
        )
    st.caption("It then answers on the page Classify, for everyone. Name and reason are kept for good.")


def _put_in_service(data: Path, number: int, wary: tuple[str, ...], read: str) -> None:
    state = st.session_state
    who, why = state.get(WHO, "").strip(), state.get(WHY, "").strip()
    state[DRAFT] = (who, why, read if state.get(read) else "")
    if not who or not why:
        flash.put(version_in_service.FLASH, flash.ERROR, NEEDED)
        return
    if wary and not state.get(read):
        flash.put(version_in_service.FLASH, flash.ERROR, UNREAD)
        return
    try:
        if set(promotion.warnings(data, versions.version(data, number))) - set(wary):
            flash.put(version_in_service.FLASH, flash.WARNING, CHANGED)
            return
        done = promotion.promote(data, number, who, why)
    except LeukemiaError as error:
        flash.put(version_in_service.FLASH, flash.ERROR, f"Not promoted. {error}")
        return
    identity.remember(who)
    state[DRAFT] = (who, "", "")
    state[WHY] = ""
    earlier = version_in_service.called(done.event.earlier)
    version_in_service.tell_change(f"Version {number} was put in service in place of {earlier}.")


def _challenge(data: Path, version: Version) -> None:
    already = CHALLENGER in version.aliases
    st.button(
        "No longer the challenger" if already else "Make it the challenger",
        key=KEY + "challenge",
        icon=":material/visibility_off:" if already else ":material/visibility:",
        help="The challenger is marked as the version that is being looked at. What answers stays.",
        on_click=_mark,
        args=(data, version.number, already),
    )


def _mark(data: Path, number: int, already: bool) -> None:
    try:
        promotion.challenge(data, None if already else number)
    except LeukemiaError as error:
        flash.put(version_in_service.FLASH, flash.ERROR, str(error))
        return
    told = "is no longer" if already else "is now"
    flash.put(version_in_service.FLASH, flash.SUCCESS, f"Version {number} {told} the challenger.")
