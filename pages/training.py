"""Training: start a run, watch it, stop and resume it; past runs, and the version in service."""

from pathlib import Path

import streamlit as st

from leukemia import jobs, settings
from leukemia.dataset.catalog import catalog
from leukemia.errors import DatasetError
from leukemia.markdown import plain
from leukemia.tracking import mlflow_client
from pages.components import entry, section_picker
from pages.sections.training import form, now

# A section's word in the address, and its title.
NEW, NOW, RUNS = "new", "now", "runs"
TITLES = {NEW: "New run", NOW: "Now", RUNS: "Runs"}
NOTHING = "There is nothing to train on yet: training needs labelled cells in the data folder."


def main() -> None:
    """Show the section that the address names."""
    st.title("Training")
    data = settings.load().data.resolve()
    problem = _problem(data)
    if problem and not _has_runs(data):
        _show_way_to_import(problem)
        return
    section = _section(data)
    if section == RUNS:
        # Past runs are MLflow's, which takes a second to be imported.
        from pages.sections.training import runs

        runs.show(data)
    elif problem:
        _show_way_to_import(problem)
    elif section == NEW:
        form.show(data)
    else:
        now.show(data)


def _problem(data: Path) -> str:
    """Say why the data folder cannot be used; empty where it can."""
    try:
        catalog.stamp(data)
    except DatasetError as error:
        return str(error)
    return ""


def _has_runs(data: Path) -> bool:
    """Whether there may be versions, which can be seen and rolled back without any cells."""
    database = mlflow_client.database(data)
    return database is None or database.is_file()


def _show_way_to_import(problem: str) -> None:
    st.info(f"{NOTHING} {plain(problem)}", icon=":material/folder_off:")
    st.page_link(
        "pages/dataset.py",
        label="Import images on the Dataset page",
        icon=":material/download:",
        query_params={section_picker.WORD: "import"},
    )


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
