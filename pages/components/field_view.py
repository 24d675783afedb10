"""Fields of a smear with their cells outlined: each decision has a colour, a sign and a line of its own."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from leukemia.inference import decisions
from leukemia.inference.classifier import Answer
from leukemia.inference.search import FieldPicture
from leukemia.markdown import plain
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, UNCLASSIFIED, OperatingPoint
from pages.components.cell_grid import MARKS, SET_APART

# Line of an outline, in words and as SVG dashes it, in parts of its width.
LINES = {
    ALL_LIKE: ("solid line", ""),
    NORMAL_LIKE: ("long dashes", "6 3"),
    INDETERMINATE: ("dots", "1 2.2"),
    decisions.NOT_COMPARABLE: ("short dashes", "2.5 2.5"),
    UNCLASSIFIED: ("short dashes", "2.5 2.5"),
}
OPEN = "Click an outline to open the cell."

_view = st.components.v2.component(
    "leukemia.field",
    html="<div class='field'></div>",
    css=Path(__file__).with_name("field_view.css").read_text(encoding="utf-8"),
    js=Path(__file__).with_name("field_view.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class FieldCell:
    """A cell of a field: the key that opens it, and its answer, which has a place."""

    key: str
    answer: Answer


def choose(
    key: str,
    fields: Mapping[str, FieldPicture],
    cells: Mapping[str, Sequence[FieldCell]],
    point: OperatingPoint,
) -> str:
    """Have one of several fields chosen, each told with the counts of its cells; return its key.

    Parameters
    ----------
    key : str
        Keeps this choice apart from others.
    fields : mapping of str to FieldPicture
        At least one.
    cells : mapping of str to sequence of FieldCell
        The cells of each field.
    point : OperatingPoint
        By which cells are called.
    """
    keys = list(fields)
    if len(keys) == 1:
        return keys[0]
    named = {one: f"{at}. {fields[one].name}: {_counts(cells[one], point)}" for at, one in enumerate(keys, 1)}
    return st.selectbox(f"Field ({len(keys):,} in all)", keys, format_func=named.__getitem__, key=key)


def show(
    key: str,
    field: FieldPicture,
    cells: Sequence[FieldCell],
    point: OperatingPoint,
    on_open: Callable[[str], None],
) -> None:
    """Lay out a field.

    Parameters
    ----------
    key : str
        Keeps this field apart from others.
    field : FieldPicture
    cells : sequence of FieldCell
        In the order of their numbers; empty where it holds none.
    point : OperatingPoint
        By which cells are called.
    on_open : callable
        Called with the key of the cell that is clicked, before the page runs again.
    """
    with st.container(border=True):
        st.markdown(f"**{plain(field.name)}** · {_counts(cells, point)}")
        st.caption(plain(field.note[:1].upper() + field.note[1:]))

        def opened() -> None:
            if pressed := st.session_state[key].get("opened"):
                on_open(pressed)

        _view(key=key, data=_data(field, cells, point), on_opened_change=opened)
        if cells:
            st.caption(_legend(cells, point))


def _counts(cells: Sequence[FieldCell], point: OperatingPoint) -> str:
    if not cells:
        return "no white cell found"
    number = "1 white cell" if len(cells) == 1 else f"{len(cells):,} white cells"
    return f"{number}: {decisions.counted(decisions.states((one.answer for one in cells), point))}"


def _legend(cells: Iterable[FieldCell], point: OperatingPoint) -> str:
    there = decisions.states((one.answer for one in cells), point)
    return " · ".join(f"{_mark(word)[1]} {word} ({LINES[word][0]})" for word in there) + f". {OPEN}"


def _mark(word: str) -> tuple[str, str]:
    return MARKS.get(word, SET_APART)


def _data(field: FieldPicture, cells: Sequence[FieldCell], point: OperatingPoint) -> dict[str, object]:
    return {
        "picture": base64.b64encode(field.picture).decode("ascii"),
        "width": field.width,
        "height": field.height,
        "spoken": f"Field {field.name}: {_counts(cells, point)}",
        "cells": [_cell(one, point) for one in cells],
    }


def _cell(one: FieldCell, point: OperatingPoint) -> dict[str, object]:
    answer, place = one.answer, one.answer.place
    word = decisions.state(answer, point)
    kind, mark = _mark(word)
    said = answer.error if answer.probability is None else f"probability of ALL {answer.probability:.3f}"
    return {
        "key": one.key,
        "kind": kind,
        "dashes": LINES[word][1],
        "label": f"{mark} {place.number}",
        "box": [place.x, place.y, place.width, place.height],
        "points": " ".join(f"{x},{y}" for x, y in place.ring),
        "spoken": f"Open cell {place.number}: {word}, {said}",
    }
