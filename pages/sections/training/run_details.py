"""What one past run was: settings, data, program, and what a reader must know of it."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.dataset import training_set
from leukemia.dataset.catalog import catalog
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.recipes.definitions import RECIPES
from leukemia.recipes.settings import FIELDS, Field
from leukemia.tracking.records import RECIPE, Run, RunStatus
from pages.sections.training.run_table import HEIGHT, KINDS, UNKNOWN, took

# Parameters that are no settings of a training.
TITLES = {
    "crop": "Side of the input (pixels)",
    "split": "Split",
    "seed": "Seed",
    "target_recall": "Target recall",
    "folds": "Patient folds",
    "views": "Views of a cell",
    "trials": "Trials",
}
ALL_OWN = "All settings are the recipe's own."
SAME, OTHER = "as the recipe has it", "set for this run"
STATUS = {
    RunStatus.FINISHED: ":green-badge[:material/check: finished]",
    RunStatus.FAILED: ":red-badge[:material/error: failed]",
    RunStatus.STOPPED: ":gray-badge[:material/stop_circle: stopped]",
    RunStatus.RUNNING: ":blue-badge[:material/sync: running]",
    RunStatus.BROKEN_OFF: ":orange-badge[:material/link_off: broken off]",
}
WHY = {
    RunStatus.BROKEN_OFF: "Its process is gone and left no word: it was ended from outside, or the machine "
    "restarted. The same training started anew goes on from its last finished epoch, as long as its "
    "checkpoint and its data are there.",
    RunStatus.FAILED: "It ended with an error: the log of the job tells more, where it was started on "
    "this page.",
    RunStatus.STOPPED: "It was cancelled. What was finished is kept.",
}


def head(run: Run) -> None:
    """Name, status, who, when, how long; and what a reader must know."""
    st.subheader(plain(run.name or run.run_id), anchor=False)
    parts = [STATUS.get(run.status, plain(run.status)), KINDS.get(run.kind, plain(run.kind))]
    if run.recipe:
        parts.append(f"recipe **{plain(run.recipe)}**")
    if run.started:
        parts.append(f"started {run.started:%Y-%m-%d %H:%M} UTC" + (f" by {plain(run.by)}" if run.by else ""))
    if (time := took(run)) != UNKNOWN:
        parts.append(f"took {time}" if run.status != RunStatus.RUNNING else time)
    st.markdown(" · ".join(parts))
    if run.warning:
        st.warning(plain(run.warning), icon=":material/warning:")
    if run.settings.get("split") == "image":
        st.warning(
            "Split by image: patients stood on both sides, so that its figures are too good for the next "
            "patient.",
            icon=":material/warning:",
        )
    if run.status in WHY:
        st.caption(WHY[run.status])


def origin(data: Path, run: Run) -> None:
    """Which data it learned from, by which program, as which MLflow run."""
    lines = [_data(data, run.fingerprint)]
    if run.revision:
        lines.append(f"Program: git revision `{_code(run.revision)}`.")
    lines.append(f"MLflow run `{_code(run.run_id)}`.")
    st.markdown("  \n".join(lines))


def settings(run: Run) -> None:
    """Lay out what it was set to, with what the recipe itself has; changed ones first."""
    rows = frame(run)
    if rows.empty:
        st.caption("No setting is on record.")
        return
    known = run.recipe in RECIPES
    changed = int((rows["How"] == OTHER).sum())
    if known:
        differ = "1 setting differs" if changed == 1 else f"{changed} settings differ"
        st.caption(f"{differ} from the recipe's own and stand first." if changed else ALL_OWN)
    else:
        st.caption("This program knows no such recipe: what it had of its own cannot be told.")
    shown = rows if known else rows[["Setting", "Value"]]
    st.dataframe(shown, hide_index=True, height=HEIGHT if len(rows) > 10 else "auto")


def frame(run: Run) -> pd.DataFrame:
    """The settings as a table: columns Setting, Value, Recipe, How."""
    own = RECIPES[run.recipe].training if run.recipe in RECIPES else None
    fields = {field.name: field for field in FIELDS}
    rows = []
    for name, text in run.settings.items():
        if name == RECIPE:
            continue
        if name in fields and own is not None:
            field, its = fields[name], getattr(own, name)
            same = _same(field, text, its)
            rows.append((field.title, _say(text), _say(str(its)), SAME if same else OTHER))
        else:
            title = fields[name].title if name in fields else TITLES.get(name, name)
            rows.append((title, _say(text), "", ""))
    rows.sort(key=lambda row: {OTHER: 0, "": 1, SAME: 2}[row[3]])
    return pd.DataFrame(rows, columns=["Setting", "Value", "Recipe", "How"])


def _same(field: Field, text: str, own: object) -> bool:
    try:
        return field.parse(text) == own
    except LeukemiaError:
        return False


def _say(text: str) -> str:
    return {"True": "on", "False": "off"}.get(text, text)


def _data(data: Path, fingerprint: str) -> str:
    if not fingerprint:
        return "Which data it learned from is not on record."
    told = f"Data `{_code(fingerprint[:12])}`"
    try:
        now = _now(data, catalog.stamp(data))
    except LeukemiaError:
        return f"{told}; what lies in the data folder now cannot be read."
    if now == fingerprint:
        return f"{told}: the labelled cells that lie in the data folder now."
    return f"{told}: **not those that lie in the data folder now** (`{now[:12]}`). Some changed since."


def _code(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum() or sign in "-_.+")


# A hash; no image and no name of a patient.
@st.cache_data(max_entries=4, show_spinner=False)
def _now(data: Path, stamp: tuple[object, ...]) -> str:
    return training_set.fingerprint(data)
