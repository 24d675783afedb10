"""Fields of a smear with their cells outlined: each decision has a colour, a sign and a line of its own."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from leukemia.inference import decisions
from leukemia.inference.answer import Answer
from leukemia.markdown import plain
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, UNCLASSIFIED, OperatingPoint
from leukemia.segmentation.change import REMOVE, UNDO, Change
from leukemia.segmentation.place import FieldPicture, Place
from pages.components import field_change
from pages.components.cell_grid import MARKS, SET_APART

# Of a cell whose answer is kept back from its reader.
HIDDEN = "Answer hidden"
# Line of an outline, in words and as SVG dashes it, in parts of its width.
LINES = {
    ALL_LIKE: ("solid line", ""),
    INDETERMINATE: ("dots", "1 2.2"),
    NORMAL_LIKE: ("long dashes", "6 3"),
    decisions.NOT_COMPARABLE: ("short dashes", "2.5 2.5"),
    UNCLASSIFIED: ("short dashes", "2.5 2.5"),
    HIDDEN: ("thin line", ""),
}
OPEN = "Click an outline to open the cell."
INVITE = "Choose a tool to correct the field by hand."
DONE = {
    REMOVE: "The cell is removed. Undo takes that back.",
    UNDO: "The last change is taken back.",
}
# By their names in field_tools.js.
TOOLS = ("choose", "box", "trace", "outline")
SCALE_BAR = "bar"


def _read(*names: str) -> str:
    return "\n".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in names)


_view = st.components.v2.component(
    "leukemia.field",
    html=_read("field_view.html"),
    css=_read("field_view.css"),
    js=_read("field_svg.js", "field_tools.js", "field_view.js"),
)


@dataclass(frozen=True)
class ByHand:
    """How a field is corrected by hand.

    Attributes
    ----------
    apply : callable
        Makes a change, and returns the key of the cell that was drawn or changed (empty for none) and what is
        to be said; raises a :class:`~leukemia.errors.LeukemiaError` where it cannot be made.
    can_undo : bool
        Whether there is a change to take back.
    can_draw : bool
        Whether a box or an outline can be drawn, or cells can only be chosen and removed.
    can_measure : bool
        Whether a scale bar can be marked.
    """

    apply: Callable[[Change], tuple[str, str]]
    can_undo: bool = False
    can_draw: bool = True
    can_measure: bool = False

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools."""
        return (*TOOLS, SCALE_BAR) if self.can_measure else TOOLS


@dataclass(frozen=True)
class FieldCell:
    """A cell of a field.

    Attributes
    ----------
    key : str
        That opens it.
    place : Place
    word : str
        What it is called: one of :data:`LINES`.
    said : str
        The rest of the answer, for who points at it: untrusted text.
    """

    key: str
    place: Place
    word: str
    said: str


def cell(key: str, answer: Answer, point: OperatingPoint) -> FieldCell:
    """A cell of a field as it is answered; ``answer`` has a place."""
    said = answer.error
    if answer.probability is not None:
        said = f"probability of ALL {point.shown(answer.probability)}"
    return FieldCell(key, answer.place, decisions.state(answer, point), said)


def choose(key: str, names: Mapping[str, str], cells: Mapping[str, Sequence[FieldCell]]) -> str:
    """Have one of several fields chosen, each told with the counts of its cells; return its key.

    Parameters
    ----------
    key : str
        Keeps this choice apart from others.
    names : mapping of str to str
        At least one field: its key and name, untrusted text.
    cells : mapping of str to sequence of FieldCell
        The cells of each field.
    """
    keys = list(names)
    if len(keys) == 1:
        return keys[0]
    named = {one: f"{at}. {names[one]}: {counts(cells[one])}" for at, one in enumerate(keys, 1)}
    return st.selectbox(f"Field ({len(keys):,} in all)", keys, format_func=named.__getitem__, key=key)


def show(
    key: str,
    field: FieldPicture,
    cells: Sequence[FieldCell],
    on_open: Callable[[str], None],
    correct: ByHand | None = None,
) -> None:
    """Lay out a field.

    Parameters
    ----------
    key : str
        Keeps this field apart from others.
    field : FieldPicture
    cells : sequence of FieldCell
        In the order of their numbers; empty where it holds none.
    on_open : callable
        Called with the key of the cell that is clicked, before the page runs again.
    correct : ByHand, optional
        Where its cells can be corrected by hand.
    """
    with st.container(border=True):
        st.markdown(f"**{plain(field.name)}** · {counts(cells)}")
        st.caption(plain(field.note[:1].upper() + field.note[1:]))

        def opened() -> None:
            if pressed := st.session_state[key].get("opened"):
                on_open(pressed)

        def changed() -> None:
            if correct:
                field_change.take(key, st.session_state[key].get("changed"), correct.apply)

        data = _data(field, cells) | {
            "id": key,
            "tools": correct.tools if correct else (),
            "draws": bool(correct and correct.can_draw),
            "undo": bool(correct and correct.can_undo),
            "invite": INVITE,
            "outcome": field_change.outcome(key),
        }
        _view(key=key, data=data, on_opened_change=opened, on_changed_change=changed)
        if cells:
            st.caption(_legend(cells))


def counts(cells: Sequence[FieldCell]) -> str:
    """How many white cells there are, and what they are called."""
    if not cells:
        return "no white cell found"
    number = "1 white cell" if len(cells) == 1 else f"{len(cells):,} white cells"
    return f"{number}: {decisions.counted(_by_word(cells))}"


def _by_word(cells: Sequence[FieldCell]) -> dict[str, int]:
    words = [one.word for one in cells]
    return {word: words.count(word) for word in LINES if word in words}


def _legend(cells: Sequence[FieldCell]) -> str:
    return " · ".join(f"{_mark(word)[1]} {word} ({LINES[word][0]})" for word in _by_word(cells)) + f". {OPEN}"


def _mark(word: str) -> tuple[str, str]:
    return ("hidden", "○") if word == HIDDEN else MARKS.get(word, SET_APART)


def _data(field: FieldPicture, cells: Sequence[FieldCell]) -> dict[str, object]:
    return {
        "picture": base64.b64encode(field.picture).decode("ascii"),
        "image_id": field.image_id,
        "note": field.note,
        "width": field.width,
        "height": field.height,
        "spoken": f"Field {field.name}: {counts(cells)}",
        "cells": [_cell(one) for one in cells],
    }


def _cell(one: FieldCell) -> dict[str, object]:
    place, (kind, mark) = one.place, _mark(one.word)
    return {
        "key": one.key,
        "number": place.number,
        "kind": kind,
        "dashes": LINES[one.word][1],
        "label": f"{mark} {place.number}",
        "box": [place.x, place.y, place.width, place.height],
        "ring": place.ring,
        "points": " ".join(f"{x},{y}" for x, y in place.ring),
        "spoken": f"Open cell {place.number}: {one.word}" + (f", {one.said}" if one.said else ""),
    }
