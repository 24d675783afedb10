"""What a reader did in the grid, put on record once each, in its order.

The browser sends everything that it does not know to be on record, until it is told: a lost connection, a
restart or a database that does not answer loses nothing.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from leukemia.attribution import MAX_WHO
from leukemia.cases import verdicts
from leukemia.errors import AccessError, RecordsError, RecordsUnavailableError, SessionEndedError
from pages.components import identity

# Acts that are taken at once, and letters of what names one; more is not from the grid.
MOST, LONGEST_KEY = 2_000, 64
NOT_UNDERSTOOD = "The browser sent something that cannot be read. Reload the page."


def take(data: Path, case_id: int, queue: Any) -> None:
    """Put on record what waits in the browser; :func:`outcome` then tells what became of it.

    Parameters
    ----------
    data : Path
        The data folder.
    case_id : int
    queue : dict
        Of the grid: ``acts``, the oldest first. Untrusted.
    """
    acts = queue.get("acts") if isinstance(queue, dict) else None
    if not isinstance(acts, list):
        return
    before = outcome(case_id)["done"]
    done: dict[str, str] = {}
    trouble = ""
    for act in acts[:MOST]:
        key = act.get("key") if isinstance(act, dict) else None
        if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
            continue
        if key in before:
            done[key] = before[key]
            continue
        if trouble_of := _of_somebody_else(act):
            trouble = trouble_of
            continue
        try:
            _apply(data, case_id, key, act)
            done[key] = ""
        except (RecordsUnavailableError, SessionEndedError) as error:
            # What comes after it must wait, too: the last verdict is the one that counts.
            trouble = str(error)
            break
        except (AccessError, RecordsError) as error:
            done[key] = str(error)
    st.session_state[_name(case_id)] = {"done": done, "trouble": trouble}


def outcome(case_id: int) -> dict[str, Any]:
    """What became of the acts that the browser sent last.

    Returns
    -------
    dict
        ``done``: by key, an empty text or why it was refused; ``trouble``: why the others wait.
    """
    return st.session_state.get(_name(case_id), {"done": {}, "trouble": ""})


def _name(case_id: int) -> str:
    return f"saved-{case_id}"


def _of_somebody_else(act: dict[str, Any]) -> str:
    """Why an act waits that another person left in this browser; empty where whoever is here gave it."""
    here, gave = identity.signed_in(), act.get("reader")
    if not here or not isinstance(gave, str) or gave == here:
        return ""
    return f"{gave[:MAX_WHO]} gave it, and has to sign in again."


def _apply(data: Path, case_id: int, key: str, act: dict[str, Any]) -> None:
    reader = act.get("reader")
    numbers, verdict, reason = act.get("numbers", []), act.get("verdict", ""), act.get("reason", "")
    texts = all(isinstance(text, str) for text in (reader, verdict, reason))
    whole = isinstance(numbers, list) and all(type(one) is int and 0 < one < 2**31 for one in numbers)
    if not (texts and whole and act.get("kind") in ("give", "undo")):
        raise RecordsError(NOT_UNDERSTOOD)
    if act["kind"] == "undo":
        verdicts.undo(data, case_id, reader=reader, key=key)
    else:
        verdicts.give(data, case_id, numbers, verdict, reader=reader, reason=reason, key=key)
