"""Cards that open: a button of HTML in a card tells the page which cell was pressed."""

from collections.abc import Callable
from html import escape
from pathlib import Path

import streamlit as st

# What is pressed of a card that has no picture.
NO_PICTURE = '<span class="open-word">Open</span>'

_opener = st.components.v2.component(
    "leukemia.opener",
    html="<span></span>",
    js=Path(__file__).with_name("cell_opener.js").read_text(encoding="utf-8"),
)


def button(key: str, spoken: str, content: str) -> str:
    """HTML of a button around a card's picture; the whole card opens its cell.

    Parameters
    ----------
    key : str
        Which cell; any text.
    spoken : str
        What it opens, for a screen reader; any text.
    content : str
        HTML, shown in the button.
    """
    return (
        f'<button type="button" class="open" data-open="{escape(key)}" aria-label="{escape(spoken)}">'
        f"{content}</button>"
    )


def listen(key: str, on_open: Callable[[str], None]) -> None:
    """Call ``on_open`` with the key of the card that is pressed, before the page runs again.

    Parameters
    ----------
    key : str
        Keeps this listener apart from others; one to a page.
    on_open : callable
    """

    def opened() -> None:
        if pressed := st.session_state[key].get("opened"):
            on_open(pressed)

    _opener(key=key, data={}, on_opened_change=opened)
