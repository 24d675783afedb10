"""The gallery's filters as widgets. The address holds the truth: widgets are set from it and write to it."""

from dataclasses import replace

import streamlit as st

from leukemia.classes import ALL, NORMAL
from leukemia.dataset.catalog.catalog import OF_MODEL, Catalog
from leukemia.dataset.catalog.filters import (
    CORRECTED,
    DOUBTED,
    INDETERMINATE,
    RIGHT,
    UNDECIDED,
    UNKNOWN,
    UNLABELLED,
    WRONG,
    Filters,
)
from leukemia.dataset.catalog.sql import SORTS
from leukemia.inference import decisions
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from pages.components import address_field
from pages.sections.dataset import address

KEY = "gallery-"
SORT_WORDS = {
    "imported": "As imported",
    "patient": "Patient",
    "largest": "Largest cell first",
    "smallest": "Smallest cell first",
    "brightest": "Brightest cell first",
    "darkest": "Darkest cell first",
    "highest": "Highest probability of ALL first",
    "lowest": "Lowest probability of ALL first",
    "nearest": "Closest to a limit first",
    "wrongest": "Furthest from its label first",
}
WORDS = {
    UNLABELLED: "Unlabelled",
    UNKNOWN: "In no subset",
    RIGHT: "Right",
    WRONG: "Wrong",
    UNDECIDED: "Undecided",
    CORRECTED: "Label corrected",
    DOUBTED: "Label doubted",
}
ANSWERS = {
    ALL: ALL_LIKE,
    NORMAL: NORMAL_LIKE,
    INDETERMINATE: decisions.INDETERMINATE,
    UNKNOWN: "No held-out answer",
}
# Pixels on screen: four filters stand beside each other on a narrow one.
WIDTH, WIDE = 168, 232
STEP = 500  # frame pixels of the size slider


def show(catalog: Catalog, chosen: Filters, *, answered: bool) -> None:
    """Lay out the widgets.

    Parameters
    ----------
    catalog : Catalog
    chosen : Filters
        What the widgets are set to.
    answered : bool
        Whether there are answers of a model; without, what needs them is left out.
    """
    choices = catalog.choices
    lowest, highest = choices.area[0] // STEP * STEP, -(-choices.area[1] // STEP) * STEP
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _many("Class", "labels", (ALL, NORMAL, UNLABELLED), chosen)
        _many("Source", "sources", choices.sources, chosen)
        _many("Patient", "patients", choices.patients, chosen)
        if answered:
            _many("Subset", "subsets", choices.subsets, chosen)
            band = catalog.point is not None and catalog.point.abstains
            answers = tuple(answer for answer in ANSWERS if band or answer != INDETERMINATE)
            _many("The model's answer", "decisions", answers, chosen, ANSWERS)
            _many("Right or wrong", "outcomes", (RIGHT, WRONG, *((UNDECIDED,) if band else ())), chosen)
        _many("Review", "reviews", (CORRECTED, DOUBTED), chosen)
        if highest > lowest:
            _range("Cell size (frame pixels)", "area", (lowest, highest), STEP, chosen)
        if answered:
            _range("Probability of ALL", "probability", (0.0, 1.0), 0.01, chosen)
        _sort(answered)
        st.button(
            "Clear filters",
            icon=":material/filter_alt_off:",
            on_click=lambda: address.put_filters(Filters()),
            disabled=chosen == Filters(),
        )


def _many(
    label: str,
    name: str,
    options: tuple[str, ...],
    chosen: Filters,
    words: dict[str, str] = WORDS,
) -> None:
    now = getattr(chosen, name)
    # What the address asks for but the set lacks is shown too: it is why nothing matches.
    options = (*options, *(value for value in now if value not in options))
    st.multiselect(
        label,
        options,
        format_func=lambda value: words.get(value, value),
        placeholder="Any",
        width=WIDTH,
        **address_field.follow(KEY + name, list(now), lambda values: _changed(name, tuple(values))),
    )


def _range(label: str, name: str, ends: tuple[float, float], step: float, chosen: Filters) -> None:
    low, high = getattr(chosen, name) or ends
    kind = type(ends[0])
    inside = tuple(kind(min(max(value, ends[0]), ends[1])) for value in (low, high))

    def write(value: tuple[float, float]) -> None:
        _changed(name, None if tuple(value) == ends else tuple(value))

    field = address_field.follow(KEY + name, inside, write)
    st.slider(label, *ends, step=step, format="localized", width=WIDE, **field)


def _sort(answered: bool) -> None:
    options = [name for name in SORTS if answered or name not in OF_MODEL]
    now = address.sort()

    def write(picked: str) -> None:
        address.put(address.SORT, "" if picked == options[0] else picked)
        address.put(address.PAGE, "")

    field = address_field.follow(KEY + "sort", now if now in options else options[0], write)
    st.selectbox("Sorted by", options, format_func=SORT_WORDS.get, width=WIDE, **field)


def _changed(name: str, value: object) -> None:
    address.put_filters(replace(address.filters(), **{name: value}))
