"""What one run was: its settings, data and program, and the runs and versions it belongs with."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.dataset import training_set
from leukemia.dataset.catalog import catalog
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.plots.run_table import KINDS, UNKNOWN, took
from leukemia.recipes.definitions import RECIPES
from leukemia.recipes.settings import FIELDS, Field
from leukemia.registry import versions
from leukemia.tracking import run_history
from leukemia.tracking.records import BEST_OF, RECIPE, Run, RunKind, RunStatus
from pages.sections.training.run_table import HEIGHT, RUN

# Parameters that are no settings of a training.
TITLES = {
    "crop": "Side of the input (pixels)",
    "split": "Split",
    "seed": "Seed",
    "target_recall": "Target sensitivity (recall)",
    "folds": "Patient folds",
    "views": "Views of a cell",
    "trials": "Trials",
}
ALL_DEFAULT = "All settings are the recipe's defaults."
SAME, OTHER = "recipe default", "set for this run"
STATUS = {
    RunStatus.FINISHED: ":green-badge[:material/check: finished]",
    RunStatus.FAILED: ":red-badge[:material/error: failed]",
    RunStatus.STOPPED: ":gray-badge[:material/stop_circle: stopped]",
    RunStatus.RUNNING: ":blue-badge[:material/sync: running]",
    RunStatus.BROKEN_OFF: ":orange-badge[:material/link_off: interrupted]",
}
WHY = {
    RunStatus.BROKEN_OFF: "Its process ended without a message: something outside stopped it, or the machine "
    "restarted. Starting the same training again resumes it from its last finished epoch, as long as its "
    "checkpoint and its data are still there.",
    RunStatus.FAILED: (
        "It ended with an error. If it was started on this page, see its job's log for details."
    ),
    RunStatus.STOPPED: "It was cancelled. Finished epochs are kept.",
}
LEAKY = "Split by image: the same patients appear in training and test, so its results are too optimistic."
BEST_OF_SWEEP = (
    "These are the best settings of a sweep, trained to the end and evaluated once on the test patients."
)
NONE_YET = "The best settings have not been trained to the end yet."


def show_head(run: Run) -> None:
    """Show name, status, who, when, how long, and its warnings."""
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
        st.warning(LEAKY, icon=":material/warning:")
    if run.status in WHY:
        st.caption(WHY[run.status])


def show_links(data: Path, run: Run) -> None:
    """Link a sweep and the training of its best settings, and a version and its source.

    Raises
    ------
    RegistryError
        Where MLflow cannot be asked.
    """
    if run.kind == RunKind.SWEEP:
        trained = run_history.best_of(data, run.run_id)
        if not trained and run.status == RunStatus.FINISHED:
            st.caption(NONE_YET)
        for best in trained:
            became = f"became version {best.version}" if best.version else best.status
            _link(best.run_id, f"Training of the best settings: {best.name} ({became})")
    if sweep := run.tags.get(BEST_OF):
        st.caption(BEST_OF_SWEEP)
        _link(sweep, "The sweep that found them")
    if versions.MADE_FROM in run.tags:
        _show_threshold_change(run)


def show_origin(data: Path, run: Run) -> None:
    """Show which data it was trained on, by which program, as which MLflow run."""
    lines = [_about_data(data, run.fingerprint)]
    if run.revision:
        lines.append(f"Program: git revision `{_code(run.revision)}`.")
    lines.append(f"MLflow run `{_code(run.run_id)}`.")
    st.markdown("  \n".join(lines))


def show_settings(run: Run) -> None:
    """Show its settings beside the recipe's defaults, changed ones first."""
    rows = _settings_table(run)
    if rows.empty:
        st.caption("No settings are recorded.")
        return
    known = run.recipe in RECIPES
    changed = int((rows["How"] == OTHER).sum())
    if not known:
        st.caption("This version of the program does not have that recipe, so its defaults are unknown.")
    elif changed:
        differ = "1 setting differs" if changed == 1 else f"{changed} settings differ"
        listed = "is" if changed == 1 else "are"
        st.caption(f"{differ} from the recipe's defaults and {listed} listed first.")
    else:
        st.caption(ALL_DEFAULT)
    shown = rows if known else rows[["Setting", "Value"]]
    st.dataframe(shown, hide_index=True, height=HEIGHT if len(rows) > 10 else "auto")


def _settings_table(run: Run) -> pd.DataFrame:
    """Make a table of the settings: columns Setting, Value, Recipe, How."""
    defaults = RECIPES[run.recipe].training if run.recipe in RECIPES else None
    fields = {field.name: field for field in FIELDS}
    rows = []
    for name, text in run.settings.items():
        if name == RECIPE:
            continue
        if name in fields and defaults is not None:
            field, default = fields[name], getattr(defaults, name)
            how = SAME if _same(field, text, default) else OTHER
            rows.append((field.title, _in_words(text), _in_words(str(default)), how))
        else:
            title = fields[name].title if name in fields else TITLES.get(name, name)
            rows.append((title, _in_words(text), "", ""))
    rows.sort(key=lambda row: {OTHER: 0, "": 1, SAME: 2}[row[3]])
    return pd.DataFrame(rows, columns=["Setting", "Value", "Recipe", "How"])


def _same(field: Field, text: str, default: object) -> bool:
    try:
        return field.parse(text) == default
    except LeukemiaError:
        return False


def _in_words(text: str) -> str:
    return {"True": "on", "False": "off"}.get(text, text)


def _show_threshold_change(run: Run) -> None:
    who, reason = (plain(run.tags.get(name, "")) for name in (versions.CHANGED_BY, versions.REASON))
    source, chosen = plain(run.tags[versions.MADE_FROM]), plain(run.tags.get(versions.CHOSEN, ""))
    before = plain(run.tags.get(versions.BEFORE, "")[:6])
    st.markdown(f"New threshold for {source} (before: {before}), chosen {chosen} by **{who}**: {reason}")
    if made_from := run.tags.get(versions.MADE_FROM_RUN):
        _link(made_from, f"The run of {run.tags[versions.MADE_FROM]}")


def _link(run_id: str, label: str) -> None:
    st.page_link(
        "pages/training.py",
        label=plain(label),
        icon=":material/arrow_forward:",
        query_params={"section": "runs", RUN: run_id},
    )


def _about_data(data: Path, fingerprint: str) -> str:
    if not fingerprint:
        return "Its training data are not recorded."
    name = f"Data `{_code(fingerprint[:12])}`"
    try:
        now = _fingerprint(data, catalog.stamp(data))
    except LeukemiaError:
        return f"{name}; the data folder cannot be read now."
    if now == fingerprint:
        return f"{name}: the labelled cells now in the data folder."
    return f"{name}: **not the cells now in the data folder** (`{now[:12]}`). Some have changed since."


def _code(text: str) -> str:
    return "".join(sign for sign in text if sign.isalnum() or sign in "-_.+")


# A hash; no image and no name of a patient.
@st.cache_data(max_entries=4, show_spinner=False)
def _fingerprint(data: Path, stamp: tuple[object, ...]) -> str:
    return training_set.fingerprint(data)
