"""What others do in a case that is open on this screen, shown without an action.

Every few seconds the case's counter is asked for; only where it moved are cells read, and only cards that
changed are sent to the grid. Nothing else is laid out anew: focus, place, windows and texts stay.
"""

import contextlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from leukemia.cases import case as cases
from leukemia.cases.case import Case
from leukemia.errors import RecordsError
from pages.sections.cases import cards

# Seconds between two looks.
EVERY = 3.0
NEWS = "Others have changed this case since this was shown."

_component = st.components.v2.component(
    "leukemia.review_news",
    html="<span></span>",
    js=(Path(__file__).parent / "review_news.js").read_text(encoding="utf-8"),
)


@dataclass
class Shown:
    """What the grid of this session was given last.

    Attributes
    ----------
    key : str
        Of what was given, chosen anew each time: news are about one key.
    changed : int
        The case's counter when this, or the news since, was read.
    given : cards.Cards
    news : dict
        What changed since then, as it was sent.
    """

    key: str = ""
    changed: int = 0
    given: cards.Cards = field(default_factory=cards.Cards)
    news: dict[str, Any] = field(default_factory=dict)


def shown(case_id: int) -> Shown:
    """What the grid of this session was given last; see :func:`give`."""
    return st.session_state.setdefault(f"review-shown-{case_id}", Shown())


def give(data: Path, case_id: int, reader: str) -> Shown:
    """Read what the grid is to be given, and note it.

    Raises
    ------
    RecordsError
        Where it cannot be read; what was shown then stays noted.
    """
    # The counter first: what changes between the two is found by the next look.
    changed = cases.find(data, case_id).changed
    given = cards.read(data, case_id, reader)
    state = shown(case_id)
    state.key, state.changed, state.given, state.news = secrets.token_hex(8), changed, given, {}
    return state


def watch(data: Path, case: Case, reader: str) -> None:
    """Look for others' verdicts as long as the grid is on the screen; a signed case does not change."""
    if not case.is_signed:
        st.fragment(_look, run_every=EVERY)(data, case.id, reader)


def offer(data: Path, case: Case) -> None:
    """Beside what is not a grid: say that the case has changed since, and offer to show it."""
    st.fragment(_offer, run_every=EVERY)(data, case)


def _look(data: Path, case_id: int, reader: str) -> None:
    state = shown(case_id)
    # Where the records cannot be read, what is shown stays; a verdict that waits says so in the grid.
    with contextlib.suppress(RecordsError):
        case = cases.find(data, case_id)
        if case.changed != state.changed:
            given = cards.read(data, case_id, reader)
            if case.is_signed or given.by_number.keys() != state.given.by_number.keys():
                st.rerun()
            state.changed = case.changed
            state.news = {"cells": given.unlike(state.given), "progress": given.progress}
    _component(key=f"news-{case_id}", data={"case": case_id, "shown": state.key, **state.news})


def _offer(data: Path, case: Case) -> None:
    try:
        same = cases.find(data, case.id).changed == case.changed
    except RecordsError:
        return
    if same:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/sync: {NEWS}", width="content")
        if st.button("Show the changes", key=f"news-of-{case.id}"):
            st.rerun()
