"""What is in service: what answers now, the way back, and who changed it before."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia import attribution, settings
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.registry import promotion, promotion_log, versions
from leukemia.registry.promotion_log import Event
from leukemia.tracking.records import RegistryState
from pages.components import flash, identity, model_in_service

KEY = "training-service-"
FLASH, WHO, WHY = "service", KEY + "back-who", KEY + "back-why"
UNNAMED, UNEXPLAINED = "name not given", "rolled back on the page Training"
SHIPPED, NAMED = promotion.SHIPPED, "the bundle that LEUKEMIA_MODEL names"
GIVEN = (
    "LEUKEMIA_MODEL names the bundle that answers here: until it is unset, that one does, whatever is "
    "promoted or rolled back."
)
NOTHING = "No version is in service yet, so that there is nothing to roll back."
ELSEWHERE = "Somebody else changed what is in service just now: nothing was rolled back."


def show(data: Path) -> None:
    """Lay it out."""
    flash.show(FLASH)
    with st.container(border=True):
        st.markdown(_answers())
        if settings.load().model_given:
            st.caption(GIVEN)
        try:
            standing = versions.registry_state(data)
        except LeukemiaError as error:
            st.error(plain(str(error)), icon=":material/error:")
            st.button(
                "Look again",
                key=KEY + "again",
                icon=":material/refresh:",
                on_click=model_in_service.look_again,
            )
            return
        events = promotion_log.events(standing.tags)
        _back(data, standing, events)
        if events:
            with st.expander(f"History: {len(events)} {'change' if len(events) == 1 else 'changes'}"):
                st.dataframe(frame(events), hide_index=True)


def frame(events: list[Event]) -> pd.DataFrame:
    """Changes of what is in service, the last one first."""
    events = events[::-1]
    return pd.DataFrame(
        {
            "When (UTC)": [event.at[:16].replace("T", " ") for event in events],
            "Who": [event.by for event in events],
            "What": [event.action for event in events],
            "In service": [called(event.version) for event in events],
            "Before": [called(event.earlier) for event in events],
            "Why": [event.reason for event in events],
        }
    )


def called(version: int | None) -> str:
    """What a version is called, or the shipped bundle, which has no number."""
    return f"version {version}" if version else SHIPPED


def tell_change(done: str, warnings: tuple[str, ...] = ()) -> None:
    """Have said what was changed, and what answers now as it is found to be."""
    model_in_service.look_again()
    try:
        found = model_in_service.in_service()
        name = NAMED if settings.load().model_given else called(found.version)
        done = f"{done} What answers now: {name} ({found.bundle.name})."
        more = " ".join((*warnings, found.notice)).strip()
    except LeukemiaError as error:
        more = str(error)
    flash.put(FLASH, flash.WARNING if more else flash.SUCCESS, f"{done} {more}".strip())


def _answers() -> str:
    try:
        found = model_in_service.in_service()
    except LeukemiaError as error:
        return f":material/error: **No model answers now.** {plain(str(error))}"
    name = NAMED if settings.load().model_given else called(found.version)
    told = f":material/verified: In service: **{plain(name)}** ({plain(found.bundle.name)})."
    return f"{told} {plain(found.notice)}" if found.notice else told


def _back(data: Path, standing: RegistryState, events: list[Event]) -> None:
    if standing.champion is None:
        st.caption(NOTHING)
        return
    before = promotion_log.before(events, standing.champion)
    target = called(before[0] if before else None)
    if WHO not in st.session_state:
        st.session_state[WHO] = identity.name()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Roll back",
            key=KEY + "back",
            icon=":material/undo:",
            on_click=_roll_back,
            args=(data, standing.champion),
        )
        st.text_input("Your name (optional)", key=WHO, max_chars=attribution.MAX_WHO, width=220)
        st.text_input("Reason (optional)", key=WHY, max_chars=attribution.MAX_WHY, width=340)
    st.caption(f"One click puts {target} in service again.")


def _roll_back(data: Path, champion: int) -> None:
    state = st.session_state
    who, why = state.get(WHO, "").strip(), state.get(WHY, "").strip()
    try:
        if versions.registry_state(data).champion != champion:
            model_in_service.look_again()
            flash.put(FLASH, flash.WARNING, ELSEWHERE)
            return
        done = promotion.roll_back(data, who or UNNAMED, why or UNEXPLAINED)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, f"Not rolled back. {error}")
        return
    identity.remember(who)
    state[WHY] = ""
    told = f"Rolled back from {called(done.event.earlier)} to {called(done.event.version)}."
    tell_change(told, done.warnings)
