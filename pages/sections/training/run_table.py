"""The table of runs on the page: filtered, and one of them selected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from leukemia.plots import run_table
from leukemia.tracking.records import Run

RUN = "run"  # a word of the address
KEY = "training-past-"
OTHERS = (
    "≠ These figures are of other patients than those of the model in service, so the two cannot be compared "
    "here. Select a run to compare it on the same patients."
)
HEIGHT = 386  # pixels: ten rows and their head
# Pixels: the results are seen without a scroll.
WIDTHS = {
    title: st.column_config.Column(width=width)
    for title, width in {
        "Run": 250,
        "Version": 96,
        "Status": 84,
        **dict.fromkeys(run_table.ESTIMATES.values(), 150),
        run_table.HELD_OUT: 120,
        "Kind": 112,
        "Who": 72,
        "Started (UTC)": 126,
        "Took": 84,
        "Recipe": 170,
    }.items()
}


@dataclass(frozen=True)
class Filters:
    """Which runs are shown; an empty tuple lets every run through."""

    recipes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()

    def match(self, run: Run) -> bool:
        """Whether a run is shown."""
        return all(
            not wanted or value in wanted
            for wanted, value in (
                (self.recipes, run.recipe),
                (self.kinds, run.kind),
                (self.statuses, run.status),
            )
        )


def filters(runs: Sequence[Run]) -> Filters:
    """Show the filters, with what these runs offer; return what is chosen."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        return Filters(
            _choose("Recipe", "recipe", [run.recipe for run in runs], 260),
            _choose("Kind", "kind", [run.kind for run in runs], 220, run_table.KINDS),
            _choose("Status", "status", [run.status for run in runs], 220),
        )


def show(runs: Sequence[Run], aliases: Mapping[str, int], held_out: Mapping[int, str], served: str) -> None:
    """Show the table; selecting a row puts its run in the address."""
    asked = st.query_params.get(RUN, "")
    rows = [number for number, run in enumerate(runs) if run.run_id == asked]
    # Other rows are another table.
    key = f"{KEY}table-{hash(tuple(run.run_id for run in runs))}"
    selected = st.session_state.get(key, {}).get("selection", {}).get("rows")
    if selected is not None and list(selected) != rows:
        st.session_state[key] = {"selection": {"rows": rows}}

    def select() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        if rows:
            st.query_params[RUN] = runs[rows[0]].run_id
        else:
            st.query_params.pop(RUN, None)

    st.dataframe(
        run_table.table(runs, aliases, held_out, served),
        key=key,
        hide_index=True,
        height=HEIGHT if len(runs) > 10 else "auto",
        on_select=select,
        selection_mode="single-row",
        selection_default={"selection": {"rows": rows}},
        column_config=WIDTHS,
        alt="Training runs, newest first",
    )
    if any(held_out.get(run.version, served) != served for run in runs):
        st.caption(OTHERS)


def _choose(
    label: str, name: str, values: Sequence[str], width: int, titles: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    key = KEY + name
    chosen = st.session_state.get(key, [])
    # What was chosen and is gone since is shown too: it is why nothing matches.
    options = sorted({value for value in (*values, *chosen) if value})
    return tuple(
        st.multiselect(
            label,
            options,
            key=key,
            format_func=lambda value: (titles or {}).get(value, value),
            placeholder="Any",
            width=width,
            persist_state="session",
        )
    )
