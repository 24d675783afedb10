"""A reviewer doubts or corrects a label, with a name and a reason; nothing is ever overwritten."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from leukemia import attribution
from leukemia.access.permissions import Action
from leukemia.classes import ALL, NORMAL
from leukemia.dataset import label_log
from leukemia.dataset.catalog.records import Record
from leukemia.dataset.label_log import DOUBTED, Correction
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from pages.components import flash, identity, offer

FLASH = "label"
WORDS = {
    DOUBTED: "Doubted: leave it out of training",
    ALL: "Corrected: the cell is ALL",
    NORMAL: "Corrected: the cell is Normal",
}
ABOUT = (
    "The original label is kept. From the next training, a corrected label is used and a doubted cell is "
    "left out. This is a label in the data set, not a finding about a patient."
)


def show(data: Path, record: Record) -> None:
    """Lay out the history of the opened cell's label, and the form to change it.

    Parameters
    ----------
    data : Path
        The prepared folder.
    record : Record
        Of the cell; nothing is shown where it came without a label.
    """
    if not record.label:
        return
    log = label_log.history(data, record.image_id)
    current = log[0].new if log else record.original_label
    with st.expander(
        f"Label: {_described(current, record)}", icon=":material/edit_note:", expanded=bool(log)
    ):
        flash.show(FLASH)
        for row in log:
            st.markdown(_line(row))
        st.caption(ABOUT)
        if not offer.allowed(Action.CORRECT_LABELS):
            return
        _form(data, record, current)
        if log:
            _undo(data, log[0])


def _form(data: Path, record: Record, current: str) -> None:
    image_id, original = record.image_id, record.original_label
    options = [label for label in WORDS if label != current]
    words = WORDS | {original: f"Confirmed: the cell is {original} (original)"}
    with st.form(f"label-{image_id[:16]}", border=False):
        st.radio("Change it to", options, format_func=words.get, key="label-new")
        _who_and_why("label")
        st.form_submit_button(
            "Save", icon=":material/save:", on_click=_correct, args=(data, image_id, current)
        )


def _undo(data: Path, last: Correction) -> None:
    with st.form(f"undo-{last.number}", border=False):
        st.markdown(f"**Undo the last change**: back to {plain(last.old)}")
        _who_and_why("undo")
        st.form_submit_button("Undo", icon=":material/undo:", on_click=_undo_last, args=(data, last.number))


def _who_and_why(form: str) -> None:
    st.session_state.setdefault(f"{form}-who", identity.name())
    left, right = st.columns([2, 3])
    identity.field(left, "Your name", key=f"{form}-who")
    right.text_input("Reason", key=f"{form}-reason", max_chars=attribution.MAX_WHY)


def _correct(data: Path, image_id: str, old: str) -> None:
    new = st.session_state["label-new"]
    _try("label", partial(label_log.correct, data, image_id, new, old=old), f"Saved: {new}.")


def _undo_last(data: Path, number: int) -> None:
    _try("undo", partial(label_log.undo, data, number), "Undone. Both changes stay in the log.")


def _try(form: str, change: Callable[..., Correction], done: str) -> None:
    state = st.session_state
    by = {"who": state[f"{form}-who"], "reason": state[f"{form}-reason"]}
    try:
        change(**by)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, str(error))
        return
    identity.remember(by["who"])
    state["label-who"] = state["undo-who"] = by["who"]
    state["label-reason"] = state["undo-reason"] = ""
    flash.put(FLASH, flash.SUCCESS, done)


def _described(current: str, record: Record) -> str:
    if current == record.original_label:
        return f"{current} (original)"
    return f"{current} (originally {record.original_label})"


def _line(row: Correction) -> str:
    what = "Undone" if row.undoes else "Changed"
    return f"{when(row.at)}, **{plain(row.who)}**: {what}, {row.old} → {row.new}. {plain(row.reason)}"


def when(at: str) -> str:
    """A time of the log (ISO 8601), for a reader."""
    return f"{at[:10]} {at[11:16]} UTC"
