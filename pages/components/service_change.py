"""Tells an open page when another model, or another operating point, has come into service."""

from dataclasses import dataclass

import streamlit as st

from leukemia import settings
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.registry.serving import InService
from pages.components import model_in_service

EVERY = 10.0  # seconds between two looks
SEEN, TAKEN = "service-seen", "service-taken"


@dataclass(frozen=True)
class Seen:
    """What a session has seen in service: its record and network by their hashes, and both in words."""

    identity: str
    digest: str
    name: str
    point: str


# What is on the page stays as it is until the reader presses: only this function runs again.
@st.fragment(run_every=EVERY)
def show() -> None:
    """Say what has come into service since this session saw it last; nothing where that is the same."""
    try:
        now = _seen(model_in_service.in_service())
    except LeukemiaError:
        return  # each page says so itself
    if st.session_state.pop(TAKEN, False):
        st.session_state[SEEN] = now
        st.rerun()
    before = st.session_state.setdefault(SEEN, now)
    if before.identity == now.identity:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="service-change"):
        st.markdown(f":material/sync_alt: {plain(words(before, now))}", width="stretch")
        st.button("Update this page", key="service-change-take", on_click=_take)


def _take() -> None:
    st.session_state[TAKEN] = True


def words(before: Seen, now: Seen) -> str:
    """What is in service now, in two sentences."""
    if before.digest != now.digest or before.point == now.point:
        return (
            f"The model in service has changed: {now.name} now answers instead of {before.name}. Answers "
            f"given before are those of {before.name}."
        )
    name = now.name[:1].upper() + now.name[1:]
    return f"The operating point in service has changed. {name} answers now: {now.point}"


def _seen(now: InService) -> Seen:
    bundle = now.bundle
    name = settings.BUILT_IN
    if now.version:
        name = f"version {now.version}"
    elif settings.load().model_given:
        name = bundle.name
    return Seen(bundle.identity, bundle.digest, name, str(bundle.operating_point))
