"""What a press asks of its page: done when that page is next laid out, forgotten where another one is first.

It would else be done later, when nobody asks for it any more.
"""

import streamlit as st

from pages.components import flash

# A training to be started, cells sent to Classify, a case that was made there; and the page of each.
START, SENT, MADE = "training-pressed", "sent-to-classify", "made-case"
_PAGES = {START: "Training", SENT: "Dataset", MADE: "Classify"}
NOT_STARTED = (
    "The run you set up was not started, because you left the form at the same moment. To start it, press "
    "Start under New run."
)
# What its page says at the place of the same name; of the others, what they made is there.
_SAID = {START: NOT_STARTED}


def leave(title: str) -> None:
    """Forget what other pages were asked for; before the page of this title is laid out."""
    for what, page in _PAGES.items():
        if page != title:
            forget(what)


def forget(what: str) -> None:
    """Forget what was asked for, if it was, and have its page say so."""
    if what not in st.session_state:
        return
    if what in _SAID:
        flash.put(what, flash.WARNING, _SAID[what])
    del st.session_state[what]
