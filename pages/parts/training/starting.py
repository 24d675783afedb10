"""Who asks for a training, and its start: at once, or behind those that wait."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from leukemia import jobs, waiting
from leukemia.errors import LeukemiaError
from pages.parts import person, working
from pages.parts.text import plain

WHO, LEFT = "training-who", "training-left"
SECTION, NOW = "section", "now"


def show(data: Path, kind: str, title: str, arguments: Sequence[str], *, disabled: bool = False) -> None:
    """Lay out the name and the button; a press starts or queues it, and the page goes on to Now.

    Parameters
    ----------
    data : Path
        The data folder.
    kind, title, arguments
        As of :func:`leukemia.waiting.ask`.
    disabled : bool, optional
        Whether something that was said makes it impossible.
    """
    if st.session_state.pop(LEFT, False):
        st.rerun()
    if WHO not in st.session_state:
        st.session_state[WHO] = person.name()
    busy = jobs.running(data, jobs.CHANGE)
    ahead = len(waiting.queue(data))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Your name (optional)", key=WHO, max_chars=waiting.NAME, width=260, help="All see who started it."
        )
        st.button(
            "Put it in the queue" if busy or ahead else "Start",
            type="primary",
            icon=":material/playlist_add:" if busy or ahead else ":material/play_arrow:",
            on_click=_ask,
            args=(data, kind, title, tuple(arguments)),
            disabled=disabled,
        )
    if busy or ahead:
        behind = f"{plain(busy.title)} is at work" if busy else "Another is about to start"
        more = f", and {ahead} more {'waits' if ahead == 1 else 'wait'}" if ahead else ""
        st.caption(f"One at a time: {behind}{more}. This one starts by itself when its turn comes.")
    working.said()


def _ask(data: Path, kind: str, title: str, arguments: Sequence[str]) -> None:
    state = st.session_state
    who = state.get(WHO, "")
    try:
        waiting.ask(data, kind, title, arguments, by=who)
    except LeukemiaError as error:
        state[working.SAID] = str(error)
        return
    person.remember(who)
    state[LEFT] = True
    st.query_params.from_dict({SECTION: NOW})
