"""What a press asks of its page: done when that page is next laid out, forgotten where another one is first.

It would else be done later, when nobody asks for it any more.
"""

import streamlit as st

# A training to be started, cells sent to Classify, a case that was made there; and the page of each.
START, SENT, MADE = "training-pressed", "sent-to-classify", "made-case"
_PAGES = {START: "Training", SENT: "Dataset", MADE: "Classify"}
_FORGOTTEN = "forgotten-"


def forget(title: str) -> None:
    """Forget what other pages were asked for; before the page of this title is laid out."""
    state = st.session_state
    for what, page in _PAGES.items():
        if page != title and what in state:
            state[_FORGOTTEN + what] = True
            del state[what]


def was_forgotten(what: str) -> bool:
    """Whether something was; asked once."""
    return bool(st.session_state.pop(_FORGOTTEN + what, False))
