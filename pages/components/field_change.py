"""What a person did by hand on a field, as the browser sends it: checked, and made once."""

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.segmentation.change import KINDS, Change

# Letters of a key, and corners of an outline, at the most; more is not from the page.
LONGEST, MOST = 200, 2_000
NOT_UNDERSTOOD = "The browser sent something that cannot be read. Reload the page."
NOTHING = {"id": "", "error": "", "said": "", "cell": ""}


def take(key: str, sent: Any, apply: Callable[[Change], tuple[str, str]]) -> None:
    """Make a change; a callback. :func:`outcome` then tells what became of it.

    Parameters
    ----------
    key : str
        Of the field's view.
    sent : dict
        Of the view. Untrusted.
    apply : callable
        See :class:`pages.components.field_view.ByHand`.
    """
    named = sent.get("id") if isinstance(sent, dict) else None
    if not isinstance(named, str) or not 0 < len(named) <= LONGEST or named == outcome(key)["id"]:
        return
    cell = said = error = ""
    try:
        change = read(sent)
        cell, said = apply(change)
    except LeukemiaError as refused:
        error = str(refused)
    st.session_state[_name(key)] = {"id": named, "error": error, "said": said, "cell": cell}


def outcome(key: str) -> dict[str, str]:
    """What became of the last change of a field: ``id`` of the change, ``error``, ``said``, ``cell``."""
    return st.session_state.get(_name(key), NOTHING)


def read(sent: dict[str, Any]) -> Change:
    """A change from what the browser sent; raises LeukemiaError where it is none."""
    kind, cell = sent.get("kind"), sent.get("cell") or ""
    box, ring = sent.get("box") or [], sent.get("ring") or []
    whole = (
        kind in KINDS
        and isinstance(cell, str)
        and len(cell) <= LONGEST
        and _numbers(box, (0, 4))
        and isinstance(ring, list)
        and len(ring) <= MOST
        and all(_numbers(corner, (2,)) for corner in ring)
    )
    if not whole:
        raise LeukemiaError(NOT_UNDERSTOOD)
    return Change(kind, cell, tuple(map(float, box)), tuple((float(x), float(y)) for x, y in ring))


def _numbers(given: Any, lengths: tuple[int, ...]) -> bool:
    return (
        isinstance(given, list)
        and len(given) in lengths
        and all(type(one) in (int, float) and math.isfinite(one) for one in given)
    )


def _name(key: str) -> str:
    return f"{key}-outcome"
