"""A guided tour over the pages, a sentence a step: for whoever sees the program for the first time.

It is started by a button or by ``?demo`` in any page's address (``?demo=3`` opens the third step), and where
it stands is known to the session alone: nothing is stored, and nothing is pressed for anyone.
"""

from dataclasses import dataclass

import streamlit as st

from pages.components.section_picker import WORD as SECTION

WORD = "demo"
STEP, MOVED = "tour-step", "tour-moved"


@dataclass(frozen=True)
class Step:
    """One step: a page's file, the section of it, and what there is to see or to try."""

    page: str
    section: str
    sentence: str


STEPS = (
    Step(
        "classify",
        "",
        "Press **Try sample cells**: each of these real cells is called ALL-like, Normal-like or "
        "Indeterminate, with its probability.",
    ),
    Step(
        "classify",
        "",
        "Press **Try drawn cells**: an image unlike the cells that the model knows gets a reason instead of "
        "an answer.",
    ),
    Step(
        "cases",
        "",
        "Here people read one patient's cells beside the model's answers and sign; if there is no case yet, "
        "press **Make a case of the sample cells**.",
    ),
    Step(
        "dataset",
        "overview",
        "These are the cells that a model learns from, by patient and source; if there are none yet, press "
        "**Prepare the sample set**.",
    ),
    Step(
        "performance",
        "threshold",
        "This is how often the model was right on patients it had never seen, with the worst source named "
        "first.",
    ),
    Step(
        "training",
        "new",
        "Press **Train on the sample set** to watch a network learn for about two minutes; it does not go "
        "into service by itself.",
    ),
    Step(
        "performance",
        "verify",
        "Before a laboratory relies on a model, it checks the model here on cells of its own patients.",
    ),
)


def offer() -> None:
    """Lay out the button that starts the tour, unless it is under way."""
    if STEP not in st.session_state:
        st.button("Guided tour", icon=":material/tour:", on_click=_go, args=(0,))


def show() -> None:
    """Lay out the step that the session is at, if any; open its page where it has just been reached."""
    state = st.session_state
    if WORD in st.query_params:
        asked = st.query_params[WORD]
        del st.query_params[WORD]
        number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 3 else 1
        _go(min(max(number, 1), len(STEPS)) - 1)
    if STEP not in state:
        return
    number = state[STEP]
    step = STEPS[number]
    if state.pop(MOVED, False):
        st.switch_page(f"pages/{step.page}.py", query_params={SECTION: step.section} if step.section else {})
    with st.container(border=True, key="tour"):
        st.markdown(f":material/tour: **Tour, {number + 1} of {len(STEPS)}.** {step.sentence}")
        with st.container(horizontal=True):
            st.button("Back", key="tour-back", on_click=_go, args=(number - 1,), disabled=number == 0)
            if number + 1 < len(STEPS):
                st.button("Next", key="tour-next", type="primary", on_click=_go, args=(number + 1,))
            st.button("End the tour", key="tour-end", on_click=_end)


def _go(number: int) -> None:
    st.session_state[STEP], st.session_state[MOVED] = number, True


def _end() -> None:
    st.session_state.pop(STEP, None)
