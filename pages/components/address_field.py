"""Fields that show what the address says: Back, Reload and links fill them, and what is chosen goes into it.

Until a browser has drawn what the address says now, it sends what its fields held before, along with each
part of the page that runs by itself. By the same key that would count as a choice, and lead back to where
Back came from. A field whose address moved on without it is therefore another one, by another key.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st


def follow(name: str, value: Any, write: Callable[[Any], None]) -> dict[str, Any]:
    """Put what the address says into a field; to be called right before it is laid out.

    Parameters
    ----------
    name : str
        The field's key, as long as no other step changes what it shows.
    value : object
        What the address says, as the field holds it.
    write : callable
        Writes a choice into the address.

    Returns
    -------
    dict of str to object
        The field's keywords ``key`` and ``on_change``.
    """
    state = st.session_state
    chosen_here = state.pop(f"{name}-chosen", False)
    if state.get(_key(name), value) != value and not chosen_here:
        state[_turn(name)] = state.get(_turn(name), 0) + 1
    key = _key(name)
    state[key] = value

    def changed() -> None:
        # Streamlit may report a field as changed when it went with its page.
        if state.get(key, value) == value:
            return
        state[f"{name}-chosen"] = True
        write(state[key])

    return {"key": key, "on_change": changed}


def shown(name: str) -> Any:
    """What a field holds, None where it has not been laid out."""
    return st.session_state.get(_key(name))


def _key(name: str) -> str:
    turn = st.session_state.get(_turn(name), 0)
    return f"{name}-{turn}" if turn else name


def _turn(name: str) -> str:
    return f"{name}-turn"
