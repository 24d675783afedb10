"""The answers of a quick look are put on record as they are shown, each once for each pair of limits."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.errors import LeukemiaError
from leukemia.inference import on_record
from leukemia.inference.batch import Result
from leukemia.markdown import plain
from leukemia.operating_point import OperatingPoint
from pages.components import identity, model_in_service, records
from pages.components import session_batch as session

DOOR = "page Classify"


# Tells an answer from others on the same cell: of a field at another scale, with its stain matched.
Key = tuple[str, str, bool]


@dataclass
class OnRecord:
    """What of this session's batch is on record.

    Attributes
    ----------
    answered : set of Key
        The answers that are.
    called : set of (Key, OperatingPoint)
        The same with each operating point by which they were called.
    trouble : str
        Why the last could not be put there; empty where all are.
    """

    answered: set[Key] = field(default_factory=set)
    called: set[tuple[Key, OperatingPoint]] = field(default_factory=set)
    trouble: str = ""


def keep(results: Sequence[Result], bundle: Bundle, point: OperatingPoint) -> None:
    """Put on record what was answered since, and say where that cannot be done."""
    state = of_session()
    new = [one for one in results if _key(one) not in state.answered]
    if new and not state.trouble:
        _write(state, new, bundle, point)
    if state.trouble:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(plain(state.trouble), icon=":material/history_off:")
            st.button("Try again", icon=":material/refresh:", on_click=_try_again, key="record-again")


def keep_as_called(state: OnRecord, results: Sequence[Result], bundle: Bundle, point: OperatingPoint) -> None:
    """Put on record how answers are called by these limits, where that is not yet; a callback.

    ``state`` is :func:`of_session` as the page was laid out: the batch may have been emptied since.
    """
    if new := [one for one in results if (_key(one), point) not in state.called]:
        _write(state, new, bundle, point)


def _write(state: OnRecord, results: Sequence[Result], bundle: Bundle, point: OperatingPoint) -> None:
    serving = model_in_service.in_service()
    try:
        on_record.record(
            records.data(),
            [one.answer for one in results],
            bundle,
            point,
            who=identity.name(),
            door=DOOR,
            version=serving.version if serving.bundle.digest == bundle.digest else None,
        )
    except (LeukemiaError, OSError) as error:
        state.trouble = on_record.trouble(error)
        return
    state.trouble = ""
    state.answered |= {_key(one) for one in results}
    state.called |= {(_key(one), point) for one in results}


def _key(result: Result) -> Key:
    return result.key, result.answer.image_id, result.answer.stain is not None


def of_session() -> OnRecord:
    """What of this session's batch is on record."""
    return st.session_state.setdefault(session.RECORDED, OnRecord())


def _try_again() -> None:
    of_session().trouble = ""
