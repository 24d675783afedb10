"""A sweep's trials: which settings did well on validation patients."""

from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.plots.style import ALL, GREY, NORMAL, finish
from leukemia.recipes.settings import field
from leukemia.tracking import run_history as pasts
from leukemia.tracking import sweep_results
from leukemia.tracking.records import Run
from leukemia.tracking.sweep_results import Found, Tried

OBJECTIVE = "AUROC, validation patients"
# Lines are seen on light and on dark, which no end of Viridis is; areas have that.
LINES, SCALE = ((0, NORMAL), (0.5, "#8C8C96"), (1, ALL)), "Viridis"
TICKS = (1, 2, 5)
WORDS = {
    sweep_results.COMPLETE: "finished",
    sweep_results.PRUNED: "broken off early",
    sweep_results.FAILED: "failed",
    sweep_results.AT_WORK: "at work",
}
CARE = (
    "The best of several trials looks a little better on its own validation patients than it is: what counts "
    "is the version that was made of it, judged once on test patients whom no trial has seen."
)


def show(data: Path, past: Run) -> None:
    """A sweep that was, or is at work, by what MLflow keeps of it."""
    try:
        found = sweep_results.of_run(past, pasts.children(data, past.run_id))
    except LeukemiaError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    _lay_out(found, past.run_id)


def live(facts: dict[str, Any]) -> None:
    """A sweep that is at work, by what it tells its job."""
    _lay_out(sweep_results.of_facts(facts), "live")


def _lay_out(found: Found, key: str) -> None:
    if not found.trials:
        st.caption("No trial has begun yet.")
        return
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sweep_results.notice(found)))
    if found.best:
        _best(found, found.best)
    if len(found.ended) > 1:
        st.plotly_chart(parallel(found), config={"displayModeBar": False}, key=f"sweep-parallel-{key}")
        st.caption(
            "Each line is a finished trial, coloured by its AUROC: where the orange lines run together, a "
            "setting matters; where they spread, it does not. Drag along an axis to keep only some lines."
        )
        if (figure := contour(found)) is not None:
            st.plotly_chart(figure, config={"displayModeBar": False}, key=f"sweep-contour-{key}")
            st.caption(
                "Points are trials, the colour between them is interpolated: it is a guess where points are "
                "far apart. Nothing is drawn outside of what was tried."
            )
    if found.ended:
        st.plotly_chart(history(found), config={"displayModeBar": False}, key=f"sweep-history-{key}")
        st.caption(
            "A line that has been flat for long says that more trials would hardly find better settings."
        )
    with st.expander(f"All {len(found.trials)} trials"):
        st.dataframe(every(found), hide_index=True)
    st.caption(CARE)


def _best(found: Found, best: Tried) -> None:
    st.markdown(f"**Best settings: trial {best.number}**")
    rows = [
        {
            "setting": field(name).title,
            "value": sweep_results.in_words(best.settings[name]),
            "range tried": "off and on"
            if field(name).kind == "bool"
            else " to ".join(sweep_results.in_words(_own_kind(name, end)) for end in found.ranges[name]),
        }
        for name in found.ranges
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)


def every(found: Found) -> pd.DataFrame:
    """All trials for a reader, the best first."""
    table = sweep_results.table(found)
    shown = {"trial": table["number"], OBJECTIVE: table["objective"].round(4)}
    shown |= {
        field(name).title: [
            None if pd.isna(value) else sweep_results.in_words(value) for value in table[name]
        ]
        for name in found.ranges
    }
    return pd.DataFrame(shown | {"state": table["state"].map(lambda state: WORDS.get(state, state))})


def parallel(found: Found) -> go.Figure:
    """Parallel coordinates: the settings that were varied, and the objective."""
    ended = found.ended
    values = [trial.objective for trial in ended]
    low, high = min(values), max(values)
    dimensions = [_dimension(name, found) for name in found.ranges]
    dimensions.append({"label": "AUROC", "values": values, "range": _padded(low, high), "tickformat": ".3f"})
    figure = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={
                "color": values,
                "colorscale": LINES,
                "cmin": low,
                "cmax": high if high > low else low + 1e-3,
                "showscale": False,
            },
            labelfont_size=14,
            tickfont_size=12,
            rangefont_size=1,
            unselected_line_opacity=0.08,
        )
    )
    figure.update_layout(
        title={
            "text": "Settings of the trials and their AUROC on validation patients",
            "font_size": 15,
            "x": 0,
            "y": 0.98,
        },
        height=360,
        margin={"l": 70, "r": 60, "t": 92, "b": 24},
    )
    return figure


def _dimension(name: str, found: Found) -> dict[str, Any]:
    one, values = field(name), [trial.settings[name] for trial in found.ended]
    ends = found.ranges[name]
    out = {"label": escape(one.title), "values": sweep_results.scaled(name, values).tolist()}
    out["range"] = sweep_results.scaled(name, ends).tolist()
    if one.kind == "bool":
        return out | {"tickvals": [0, 1], "ticktext": ["off", "on"]}
    if one.kind == "log":
        ticks = _ticks(*ends)
        return out | {"tickvals": np.log10(ticks).tolist(), "ticktext": [f"{tick:g}" for tick in ticks]}
    return out


def contour(found: Found) -> go.Figure | None:
    """The objective over two settings, where just two numbers were varied."""
    surface = sweep_results.surface(found)
    if surface is None:
        return None
    x, y, z = surface
    first, second = found.ranges
    figure = go.Figure(
        go.Contour(
            x=_unscaled(first, x),
            y=_unscaled(second, y),
            z=z,
            colorscale=SCALE,
            contours={"showlines": False},
            ncontours=16,
            colorbar={"title": "AUROC", "tickformat": ".3f", "thickness": 14},
            hovertemplate=f"{escape(field(first).title)} %{{x:.3g}}<br>"
            f"{escape(field(second).title)} %{{y:.3g}}"
            "<br>about %{z:.3f}<extra></extra>",
        )
    )
    for trials, name, symbol, size in (
        ([trial for trial in found.ended if trial != found.best], "Trials", "circle-open", 9),
        ([found.best], "Best trial", "star", 16),
    ):
        figure.add_scatter(
            x=[trial.settings[first] for trial in trials],
            y=[trial.settings[second] for trial in trials],
            text=[f"trial {trial.number}: {trial.objective:.3f}" for trial in trials],
            mode="markers",
            name=name,
            cliponaxis=False,  # a trial may lie on an end of its range
            marker={"color": "#FFFFFF" if symbol == "star" else "#808080", "symbol": symbol, "size": size}
            | {"line": {"width": 2, "color": "#202020" if symbol == "star" else "#F0F0F0"}},
            hovertemplate="%{text}<extra></extra>",
        )
    title = f"AUROC on validation patients by {field(first).title.lower()} and {field(second).title.lower()}"
    finish(figure, title, field(first).title, field(second).title, height=400)
    for name, update in ((first, figure.update_xaxes), (second, figure.update_yaxes)):
        if field(name).kind == "log":
            ticks = _ticks(*found.ranges[name])
            update(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
        update(range=sweep_results.scaled(name, found.ranges[name]).tolist())
    return figure


def history(found: Found) -> go.Figure:
    """The objective trial by trial, and the best one so far."""
    course = sweep_results.course(found)
    figure = go.Figure()
    figure.add_scatter(
        x=course["number"],
        y=course["best"],
        name="Best so far",
        mode="lines",
        line={"color": ALL, "width": 2, "shape": "hv"},
        hovertemplate="up to trial %{x}: %{y:.3f}",
    )
    figure.add_scatter(
        x=course["number"],
        y=course["objective"],
        name="Trial",
        mode="markers",
        marker={"color": NORMAL, "size": 9},
        hovertemplate="trial %{x}: %{y:.3f}",
    )
    early = [trial.number for trial in found.trials if trial.state == sweep_results.PRUNED]
    if early:
        figure.add_scatter(
            x=early,
            y=[course["objective"].min()] * len(early),
            name="Broken off early (no AUROC of its own)",
            mode="markers",
            marker={"color": GREY, "symbol": "x", "size": 8},
            hovertemplate="trial %{x}: broken off early",
        )
    finish(figure, "AUROC on validation patients, trial by trial", "Trial", "AUROC")
    # Equal settings are not trained twice: such a trial has no run, but a number.
    count = max(trial.number for trial in found.trials)
    figure.update_xaxes(range=[0.5, count + 0.5], dtick=1 if count <= 20 else None)
    figure.update_yaxes(tickformat=".3f")
    return figure


def _ticks(low: float, high: float) -> list[float]:
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [step * 10.0**power for power in powers for step in TICKS]
    inside = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
    return inside if len(inside) <= 8 else [tick for tick in inside if f"{tick:e}".startswith("1")]


def _unscaled(name: str, places: np.ndarray) -> np.ndarray:
    return 10.0**places if field(name).kind == "log" else places


def _padded(low: float, high: float) -> list[float]:
    return [low, high] if high > low else [low - 0.01, high + 0.01]


def _own_kind(name: str, value: float) -> int | float:
    return int(value) if field(name).kind == "int" else float(value)
