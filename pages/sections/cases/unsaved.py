"""Beside the list: says that verdicts of a case wait in this tab, and opens the case, which sends them."""

from pathlib import Path

import streamlit as st

from pages.sections.cases import address

FOLDER = Path(__file__).parent
KEY = "cases-unsaved"

_component = st.components.v2.component(
    "leukemia.unsaved",
    html='<div class="unsaved" role="alert"></div>',
    css=(FOLDER / "unsaved.css").read_text(encoding="utf-8"),
    js=(FOLDER / "unsaved.js").read_text(encoding="utf-8"),
)


def show() -> None:
    """Lay out what waits; nothing where nothing does."""

    def opened() -> None:
        number = st.session_state[KEY].get("opened")
        if type(number) is int and 0 < number <= address.MOST:
            address.open_case(number)

    _component(key=KEY, on_opened_change=opened)
