"""One press: a short training on the sample set, which is prepared first where it is not there yet."""

from pathlib import Path

import streamlit as st

from leukemia import jobs
from leukemia.access.permissions import Action
from leukemia.errors import DatasetError, LeukemiaError
from leukemia.jobs import JobKind
from pages.components import first_set, flash, identity, job_status, offer
from pages.sections.training import training_cells

# About two minutes on two cores, the start of TensorFlow and the check on held-out patients included.
ARGUMENTS = ("train", "--recipe", "reference-cnn", "--epochs", "3", "--cells-per-epoch", "512")
TITLE = "Short training on the sample set"
ABOUT = (
    "About two minutes on synthetic cells, to watch a network learn. The model is listed under Runs and "
    "is not put in service."
)


def show(data: Path) -> None:
    """Offer it, unless the data folder holds a set other than the sample: that one is never replaced."""
    if not (_only_drawn(data) and offer.may(Action.TRAIN) and offer.may(Action.IMPORT)):
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.button(
            "Train on the sample set",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_start,
            args=(data,),
        )
        st.caption(ABOUT, width="stretch")


def _only_drawn(data: Path) -> bool:
    """Whether all cells of the set are drawn, or there is no set."""
    try:
        cells = training_cells.labelled(data)
    except DatasetError:
        return not first_set.exists(data)
    return 0 < cells.total == cells.synthetic


def _start(data: Path) -> None:
    try:
        if not first_set.exists(data) and not jobs.running(data, jobs.Lane.CHANGE):
            jobs.submit(data, JobKind.IMPORT, first_set.TITLE, first_set.arguments(data))
        jobs.submit(
            data,
            JobKind.TRAIN,
            TITLE,
            [*ARGUMENTS, "--data", str(data), "--in-registry"],
            by=identity.name(),
        )
    except LeukemiaError as error:
        flash.put(job_status.FLASH, flash.ERROR, str(error))
    else:
        st.query_params.from_dict({"section": "now"})
