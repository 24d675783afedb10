"""The version in service: which it is, how to roll back, and who changed it before."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia import attribution, settings
from leukemia.access.permissions import Action
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.registry import promotion, promotion_log, versions
from leukemia.registry.promotion_log import Event
from leukemia.registry.serving import InService
from leukemia.storage import spreadsheet
from leukemia.tracking.records import RegistryState
from pages.components import flash, identity, model_in_service, offer

KEY = "training-service-"
FLASH, WHO, WHY = "service", KEY + "back-who", KEY + "back-why"
BACK_BY, BACK_WHY = "Rolled back by", "Reason for rolling back"
NEEDED = "Not rolled back. Please give your name and a reason; both are kept with the version."
UNREAD = "Not rolled back yet. Please read the warnings, tick the box to confirm and press Roll back again."
# The warnings that are shown, and the box that says that they were read.
ASKED, READ = KEY + "asked", KEY + "read"
NAMED = "the bundle set by LEUKEMIA_MODEL"
MODEL_GIVEN = (
    "LEUKEMIA_MODEL sets the bundle in service. Until it is unset, promoting and rolling back do not "
    "change the model on the Classify page."
)
NOTHING = "The built-in model is in service; there is nothing to roll back to."
ELSEWHERE = "Someone else has just changed the version in service; nothing was rolled back."


def show(data: Path) -> None:
    """Show it, with the messages that :func:`announce` and its neighbours leave at :data:`FLASH`."""
    flash.show(FLASH)
    with st.container(border=True):
        st.markdown(_in_service())
        if settings.load().model_given:
            st.caption(MODEL_GIVEN)
        try:
            state = versions.registry_state(data)
        except LeukemiaError as error:
            st.error(plain(str(error)), icon=":material/error:")
            st.button(
                "Try again",
                key=KEY + "again",
                icon=":material/refresh:",
                on_click=model_in_service.refresh,
            )
            return
        events = promotion_log.events(state.tags)
        _show_rollback(data, state, events)
        if events:
            with st.expander(f"History: {len(events)} {'change' if len(events) == 1 else 'changes'}"):
                st.dataframe(spreadsheet.inert_texts(_history_table(events)), hide_index=True)


def name(version: int | None) -> str:
    """Name a version; None is the built-in model, which has no number."""
    return f"version {version}" if version else settings.BUILT_IN


def announce(change: str, warnings: tuple[str, ...] = ()) -> None:
    """Leave a message that says what was changed, and what is in service now."""
    model_in_service.refresh()
    try:
        now = model_in_service.in_service()
        change = f"{change} Now in service: {_name(now)} ({now.bundle.name})."
        more = " ".join((*warnings, now.notice)).strip()
    except LeukemiaError as error:
        more = str(error)
    flash.put(FLASH, flash.WARNING if more else flash.SUCCESS, f"{change} {more}".strip())


def _in_service() -> str:
    try:
        now = model_in_service.in_service()
    except LeukemiaError as error:
        return f":material/error: **No model is in service.** {plain(str(error))}"
    text = f":material/verified: In service: **{plain(_name(now))}** ({plain(now.bundle.name)})."
    return f"{text} {plain(now.notice)}" if now.notice else text


def _name(now: InService) -> str:
    return NAMED if settings.load().model_given else name(now.version)


def _show_rollback(data: Path, state: RegistryState, events: list[Event]) -> None:
    if state.champion is None:
        st.caption(NOTHING)
        return
    if not offer.allowed(Action.ROLL_BACK):
        return
    before = promotion_log.before(events, state.champion)
    target = name(before[0] if before else None)
    if WHO not in st.session_state:
        st.session_state[WHO] = identity.name()
    champion, warnings = st.session_state.get(ASKED, (None, ()))
    if champion == state.champion:
        for text in warnings:
            st.warning(plain(text), icon=":material/warning:")
        st.checkbox("I have read the warnings about rolling back", key=READ)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Roll back",
            key=KEY + "back",
            icon=":material/undo:",
            on_click=_roll_back,
            args=(data, state.champion),
        )
        identity.field(st, BACK_BY, key=WHO, width=220, placeholder="Your name")
        st.text_input(BACK_WHY, key=WHY, max_chars=attribution.MAX_WHY, width=340)
    st.caption(f"Rolling back puts {target} back in service. Your name and reason are kept permanently.")


def _roll_back(data: Path, champion: int) -> None:
    state = st.session_state
    who, why = state.get(WHO, "").strip(), state.get(WHY, "").strip()
    if not who or not why:
        flash.put(FLASH, flash.ERROR, NEEDED)
        return
    try:
        if versions.registry_state(data).champion != champion:
            model_in_service.refresh()
            flash.put(FLASH, flash.WARNING, ELSEWHERE)
            return
        warnings = promotion.rollback_warnings(data)
        if warnings and not (state.get(ASKED) == (champion, warnings) and state.get(READ)):
            # What was ticked holds for the warnings that were shown.
            state[ASKED], state[READ] = (champion, warnings), False
            flash.put(FLASH, flash.WARNING, UNREAD)
            return
        done = promotion.roll_back(data, who, why)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, f"Not rolled back. {error}")
        return
    identity.remember(who)
    state[WHY] = ""
    state.pop(ASKED, None)
    announce(f"Rolled back from {name(done.event.earlier)} to {name(done.event.version)}.", done.warnings)


def _history_table(events: list[Event]) -> pd.DataFrame:
    """List the changes of the version in service, newest first."""
    events = events[::-1]
    return pd.DataFrame(
        {
            "When (UTC)": [event.at[:16].replace("T", " ") for event in events],
            "Who": [event.by for event in events],
            "Change": [event.action for event in events],
            "In service": [name(event.version) for event in events],
            "Before": [name(event.earlier) for event in events],
            "Why": [event.reason for event in events],
        }
    )
