"""All runs as a table: filtered, and one of them chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from leukemia.evaluation import wording
from leukemia.evaluation.estimates import Estimate
from leukemia.tracking.records import Run, RunKind, RunStatus
from pages.sections.training import times

RUN = "run"  # a word of the address
KINDS = {
    RunKind.TRAIN: "One run",
    RunKind.CROSSVALIDATE: "Cross-validation",
    RunKind.SWEEP: "Sweep",
    RunKind.IMPORTED: "Made elsewhere",
    RunKind.THRESHOLD: "New threshold",
    RunKind.FOLD: "Fold",
    RunKind.TRIAL: "Trial",
}
FIGURES = {"sensitivity": "Recall (95 %)", "specificity": "Specificity (95 %)", "auroc": "AUROC (95 %)"}
KEY = "training-past-"
HEIGHT = 386  # pixels: ten rows and their head
UNKNOWN = "–"
# Pixels: what a run came to is seen without a scroll.
WIDTHS = {
    title: st.column_config.Column(width=width)
    for title, width in {
        "Run": 250,
        "Version": 96,
        "Status": 84,
        **dict.fromkeys(FIGURES.values(), 150),
        "Kind": 112,
        "Who": 72,
        "Started (UTC)": 126,
        "Took": 84,
        "Recipe": 170,
    }.items()
}


@dataclass(frozen=True)
class Chosen:
    """What is let through; an empty tuple lets everything through."""

    recipes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()

    def lets(self, run: Run) -> bool:
        """Whether a run is shown."""
        return all(
            not wanted or value in wanted
            for wanted, value in (
                (self.recipes, run.recipe),
                (self.kinds, run.kind),
                (self.statuses, run.status),
            )
        )


def filters(runs: Sequence[Run]) -> Chosen:
    """Lay the filters out, with what there is to choose from; return what is chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        return Chosen(
            _many("Recipe", "recipe", [run.recipe for run in runs], 260),
            _many("Kind", "kind", [run.kind for run in runs], 220, KINDS),
            _many("Status", "status", [run.status for run in runs], 220),
        )


def show(runs: Sequence[Run], aliases: Mapping[str, int]) -> None:
    """Lay the table out; a click on a row names its run in the address."""
    asked = st.query_params.get(RUN, "")
    places = [number for number, run in enumerate(runs) if run.run_id == asked]
    # Other rows are another table.
    key = f"{KEY}table-{hash(tuple(run.run_id for run in runs))}"
    marked = st.session_state.get(key, {}).get("selection", {}).get("rows")
    if marked is not None and list(marked) != places:
        st.session_state[key] = {"selection": {"rows": places}}

    def choose() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            st.query_params[RUN] = runs[rows[0]].run_id
        else:
            st.query_params.pop(RUN, None)

    st.dataframe(
        frame(runs, aliases),
        key=key,
        hide_index=True,
        height=HEIGHT if len(runs) > 10 else "auto",
        on_select=choose,
        selection_mode="single-row",
        selection_default={"selection": {"rows": places}},
        column_config=WIDTHS,
        alt="Runs of training, the newest first",
    )


def frame(runs: Sequence[Run], aliases: Mapping[str, int]) -> pd.DataFrame:
    """The table: a row a run."""
    names: dict[int, list[str]] = {}
    for alias, number in sorted(aliases.items()):
        names.setdefault(number, []).append(alias)
    return pd.DataFrame(
        {
            "Run": [run.name or run.run_id[:8] for run in runs],
            "Version": [version(run, names) for run in runs],
            "Status": [run.status for run in runs],
            **{title: [interval(run, name) for run in runs] for name, title in FIGURES.items()},
            "Kind": [KINDS.get(run.kind, run.kind) for run in runs],
            "Who": [run.by or UNKNOWN for run in runs],
            "Started (UTC)": [f"{run.started:%Y-%m-%d %H:%M}" if run.started else UNKNOWN for run in runs],
            "Took": [took(run) for run in runs],
            "Recipe": [run.recipe or UNKNOWN for run in runs],
        }
    )


def version(run: Run, names: Mapping[int, list[str]]) -> str:
    """The version that a run became, and its aliases; empty where there is none."""
    return ", ".join([str(run.version), *names.get(run.version, [])]) if run.version else ""


def took(run: Run) -> str:
    """How long it took, or takes until now."""
    if run.status == RunStatus.RUNNING and run.started:
        return f"{times.clock((datetime.now(UTC) - run.started).total_seconds())} so far"
    return times.clock(run.seconds) if run.seconds is not None else UNKNOWN


def interval(run: Run, name: str) -> str:
    """A figure of held-out patients with its interval, or a dash where there is none."""
    estimate = run.estimates.get(name)
    if not estimate:
        return UNKNOWN
    nan = float("nan")
    return wording.interval(Estimate(estimate["value"], estimate.get("low", nan), estimate.get("high", nan)))


def _many(
    label: str, name: str, values: Sequence[str], width: int, titles: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    key = KEY + name
    kept = st.session_state.get(key, [])
    # What was chosen and is not there any more is shown too: it is why nothing matches.
    options = sorted({value for value in (*values, *kept) if value})
    chosen = st.multiselect(
        label,
        options,
        key=key,
        format_func=lambda value: (titles or {}).get(value, value),
        placeholder="Any",
        width=width,
        persist_state="session",
    )
    return tuple(chosen)
