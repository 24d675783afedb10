"""Start a training, watch it, end it and go on with it; see what came of those before."""

from pathlib import Path

import streamlit as st

from leukemia import settings
from leukemia.dataset.catalog import catalog
from leukemia.errors import DatasetError
from leukemia.jobs import launcher, queue
from leukemia.markdown import plain
from leukemia.tracking import mlflow_client
from pages.components import entry, section_picker
from pages.sections.training import form, now

# A section's word in the address, and its title.
NEW, NOW, RUNS = "new", "now", "runs"
TITLES = {NEW: "New run", NOW: "Now", RUNS: "Runs"}
NOTHING = "There is nothing to learn from yet: a training needs labelled cells in the data folder."


def main() -> None:
    """Lay out the section that the address names."""
    st.title("Training")
    data = settings.load().data.resolve()
    why = _unprepared(data)
    if why and not _has_runs(data):
        _to_import(why)
        return
    section = _section(data)
    if section == RUNS:
        # Past runs are MLflow's, which takes a second to be imported.
        from pages.sections.training import runs

        runs.show(data)
    elif why:
        _to_import(why)
    elif section == NEW:
        form.show(data)
    else:
        now.show(data)


def _unprepared(data: Path) -> str:
    try:
        catalog.stamp(data)
    except DatasetError as error:
        return str(error)
    return ""


def _has_runs(data: Path) -> bool:
    """Whether versions may be seen and rolled back without any cells."""
    database = mlflow_client.database(data)
    return database is None or database.is_file()


def _to_import(why: str) -> None:
    st.info(f"{NOTHING} {plain(why)}", icon=":material/folder_off:")
    st.page_link(
        "pages/dataset.py",
        label="Import images on the page Dataset",
        icon=":material/download:",
        query_params={section_picker.WORD: "import"},
    )


def _section(data: Path) -> str:
    if st.query_params.get(section_picker.WORD, "").lower() not in TITLES:
        # Written down, so that the page stays where it is when what is at work ends.
        st.query_params[section_picker.WORD] = NOW if _at_work(data) else NEW
    return section_picker.pick("training", TITLES, TITLES.get)


def _at_work(data: Path) -> bool:
    job = launcher.running(data, launcher.CHANGE)
    return bool(job and job.kind in queue.KINDS) or bool(queue.queue(data))


entry.enter()
main()
