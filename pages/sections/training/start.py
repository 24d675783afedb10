"""Who asks for a training, and its start: at once, or behind those that wait."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.jobs import launcher, queue
from leukemia.markdown import plain
from pages.components import flash, identity, job_status

WHO, PRESSED = "training-who", "training-pressed"
SECTION, NOW = "section", "now"


def pressed(data: Path, *, disabled: bool = False) -> bool:
    """Lay out the name, the button and what is before it; return whether the button was pressed now.

    What was typed at the same moment is read before: :func:`ask` is given it.

    Parameters
    ----------
    data : Path
        The data folder.
    disabled : bool, optional
        Whether something that was said makes it impossible.
    """
    if WHO not in st.session_state:
        st.session_state[WHO] = identity.name()
    busy = launcher.running(data, launcher.CHANGE)
    ahead = len(queue.queue(data))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Your name (optional)", key=WHO, max_chars=queue.NAME, width=260, help="All see who started it."
        )
        st.button(
            "Put it in the queue" if busy or ahead else "Start",
            key="training-start",
            type="primary",
            icon=":material/playlist_add:" if busy or ahead else ":material/play_arrow:",
            disabled=disabled,
            on_click=_press,
        )
    if busy or ahead:
        behind = f"{plain(busy.title)} is at work" if busy else "another is about to start"
        more = f", and {ahead} more {'waits' if ahead == 1 else 'wait'}" if ahead else ""
        st.caption(f"One at a time: {behind}{more}. This one starts by itself when its turn comes.")
    flash.show(job_status.FLASH)
    return st.session_state.pop(PRESSED, False) and not disabled


def ask(data: Path, kind: str, title: str, arguments: Sequence[str]) -> None:
    """Start a training, or queue it, and go where it is seen; where neither can be, say why.

    Parameters are those of :func:`leukemia.jobs.queue.ask`.
    """
    who = st.session_state.get(WHO, "")
    identity.remember(who)
    try:
        queue.ask(data, kind, title, arguments, by=who)
    except LeukemiaError as error:
        flash.put(job_status.FLASH, flash.ERROR, str(error))
    else:
        st.query_params.from_dict({SECTION: NOW})
    st.rerun()


def _press() -> None:
    # Not begun in here: this is called before what was typed at the same moment is read.
    st.session_state[PRESSED] = True
