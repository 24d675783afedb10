"""Training: start a run, watch it, stop and resume it; past runs, and the version in service."""

from pathlib import Path

import streamlit as st

from leukemia import jobs, settings
from leukemia.access.permissions import Action
from leukemia.dataset.catalog import catalog
from leukemia.errors import DatasetError
from leukemia.markdown import plain
from leukemia.tracking import mlflow_client
from pages.components import entry, first_set, flash, heading, offer, pending, section_picker
from pages.sections.training import built_in, form, now, sample_training

# A section's word in the address, and its title.
NEW, NOW, RUNS = "new", "now", "runs"
TITLES = {NEW: "New run", NOW: "Now", RUNS: "Runs"}
PURPOSE = (
    "Teaches a network to tell cells of acute lymphoblastic leukemia (ALL) from normal ones. Start a run, "
    "watch it under Now, compare it under Runs."
)
NOTHING = "Training needs labelled cells, and there are none yet."
NO_RUNS = "No runs yet. Start one under New run."


def main() -> None:
    """Show the section that the address names."""
    heading.show("Training", PURPOSE)
    data = settings.load().data.resolve()
    problem = _problem(data)
    section = _section(data)
    if section != NEW:
        pending.forget(pending.START)
        flash.show(pending.START)
    if section == RUNS:
        _show_runs(data)
    elif section == NOW:
        now.show(data)
    else:
        sample_training.show(data)
        if problem:
            _show_way_to_import(data, problem)
        elif offer.allowed(Action.TRAIN):
            form.show(data)


def _problem(data: Path) -> str:
    """Say why the data folder cannot be used; empty where it can."""
    try:
        catalog.stamp(data)
    except DatasetError as error:
        return str(error)
    return ""


def _show_runs(data: Path) -> None:
    database = mlflow_client.database(data)
    if database and not database.is_file() and not mlflow_client.is_gone(data):
        st.info(NO_RUNS, icon=":material/history:")
        built_in.show(expanded=True)
        return
    # Past runs are MLflow's, which takes a second to be imported.
    from pages.sections.training import runs

    runs.show(data)


def _show_way_to_import(data: Path, problem: str) -> None:
    if first_set.exists(data):
        st.error(plain(problem), icon=":material/error:")
    else:
        st.caption(NOTHING)
        first_set.show(data)


def _section(data: Path) -> str:
    if st.query_params.get(section_picker.WORD, "").lower() not in TITLES:
        # Written down, so that the page stays where it is when the training ends.
        st.query_params[section_picker.WORD] = NOW if _is_training(data) else NEW
    return section_picker.pick("training", TITLES, TITLES.get)


def _is_training(data: Path) -> bool:
    job = jobs.running(data, jobs.Lane.CHANGE)
    return bool(job and job.kind in jobs.TRAININGS) or bool(jobs.waiting(data))


entry.enter()
main()
