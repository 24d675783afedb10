"""Cells of the data folder into the Classify page's batch."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from leukemia.dataset.catalog.records import Record
from leukemia.inference.batch import Item
from leukemia.inference.classifier import Source
from pages.components import session_batch

ASKED = "sent-to-classify"


def put(data: Path, records: Sequence[Record]) -> None:
    """Put cells into the batch, each read when its turn comes; :func:`go` then leads there."""
    data = Path(data).resolve()
    session_batch.of_session().add(
        Item(
            f"data {record.image_id}",
            Source.file(data / record.path, Path(record.path).name),
            drawn=record.synthetic,
        )
        for record in records
    )
    st.session_state[ASKED] = True


def asked() -> bool:
    """Whether cells were put into the batch since :func:`go`."""
    return st.session_state.get(ASKED, False)


def go() -> None:
    """Open the Classify page."""
    st.session_state.pop(ASKED, None)
    st.switch_page("pages/classify.py")
