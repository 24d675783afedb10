"""Charts and tables of a sweep's trials: which settings did well on validation patients."""

from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from leukemia.plots.chart import Chart
from leukemia.plots.style import ALL, GREY, NORMAL, finish
from leukemia.recipes.settings import field
from leukemia.tracking import sweep_results
from leukemia.tracking.sweep_results import SweepResults, in_words

OBJECTIVE = "AUROC, validation patients"
# Lines show on light and on dark, which no end of Viridis does; areas do.
LINES, SCALE = ((0, NORMAL), (0.5, "#8C8C96"), (1, ALL)), "Viridis"
TICKS = (1, 2, 5)
STATES = {
    sweep_results.COMPLETE: "finished",
    sweep_results.PRUNED: "stopped early",
    sweep_results.FAILED: "failed",
    sweep_results.AT_WORK: "running",
}
CAUTION = (
    "The best of several trials looks slightly better on its own validation patients than it really is. Rely "
    "on the model version made from it, which is evaluated once on test patients that no trial has seen."
)


def best_table(results: SweepResults) -> pd.DataFrame:
    """List the best trial's settings: columns setting, value, range tried. Needs a finished trial."""
    return pd.DataFrame(
        [
            {
                "setting": field(name).title,
                "value": in_words(results.best.settings[name]),
                "range tried": "off and on"
                if field(name).kind == "bool"
                else " to ".join(in_words(_own_kind(name, end)) for end in results.ranges[name]),
            }
            for name in results.ranges
        ]
    )


def trials_table(results: SweepResults) -> pd.DataFrame:
    """List all trials, the best first: columns trial, :data:`OBJECTIVE`, one per setting, state."""
    table = sweep_results.table(results)
    columns = {"trial": table["number"], OBJECTIVE: table["objective"].round(4)}
    for name in results.ranges:
        columns[field(name).title] = [None if pd.isna(value) else in_words(value) for value in table[name]]
    return pd.DataFrame(columns | {"state": table["state"].map(lambda state: STATES.get(state, state))})


def parallel(results: SweepResults) -> Chart:
    """Draw the varied settings and the objective on parallel axes; needs a finished trial."""
    values = [trial.objective for trial in results.finished]
    low, high = min(values), max(values)
    dimensions = [_dimension(name, results) for name in results.ranges]
    ends = [low, high] if high > low else [low - 0.01, high + 0.01]
    dimensions.append({"label": "AUROC", "values": values, "range": ends, "tickformat": ".3f"})
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
    title = "Settings of the trials and their AUROC on validation patients"
    figure.update_layout(
        title={"text": title, "font_size": 15, "x": 0, "y": 0.98},
        height=360,
        margin={"l": 70, "r": 60, "t": 92, "b": 24},
    )
    caption = (
        "Each line is a finished trial, coloured by its AUROC. Where the orange lines run together, a "
        "setting matters; where they spread out, it does not. Drag along an axis to show only some lines."
    )
    return Chart(figure, caption)


def contour(results: SweepResults) -> Chart | None:
    """Draw the objective over two settings; None unless two numbers were varied, in enough trials."""
    surface = sweep_results.surface(results)
    if surface is None:
        return None
    x, y, z = surface
    first, second = results.ranges
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
        ([trial for trial in results.finished if trial != results.best], "Trials", "circle-open", 9),
        ([results.best], "Best trial", "star", 16),
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
            ticks = _ticks(*results.ranges[name])
            update(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
        update(range=sweep_results.scaled(name, results.ranges[name]).tolist())
    caption = (
        "Points are trials. The colour between them is interpolated: where points are far apart, it is a "
        "guess. Nothing is drawn outside the settings tried."
    )
    return Chart(figure, caption)


def history(results: SweepResults) -> Chart:
    """Draw the objective trial by trial, and the best one so far; needs a finished trial."""
    course = sweep_results.course(results)
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
    early = [trial.number for trial in results.trials if trial.state == sweep_results.PRUNED]
    if early:
        figure.add_scatter(
            x=early,
            y=[course["objective"].min()] * len(early),
            name="Stopped early (no AUROC of its own)",
            mode="markers",
            marker={"color": GREY, "symbol": "x", "size": 8},
            hovertemplate="trial %{x}: stopped early",
        )
    finish(figure, "AUROC on validation patients, trial by trial", "Trial", "AUROC")
    # Equal settings are not trained twice: such a trial has no run, but a number.
    count = max(trial.number for trial in results.trials)
    figure.update_xaxes(range=[0.5, count + 0.5], dtick=1 if count <= 20 else None)
    figure.update_yaxes(tickformat=".3f")
    return Chart(
        figure, ("Once the line has been flat for a long time, more trials are unlikely to do better.")
    )


def _dimension(name: str, results: SweepResults) -> dict[str, Any]:
    setting, values = field(name), [trial.settings[name] for trial in results.finished]
    ends = results.ranges[name]
    axis = {"label": escape(setting.title), "values": sweep_results.scaled(name, values).tolist()}
    axis["range"] = sweep_results.scaled(name, ends).tolist()
    if setting.kind == "bool":
        return axis | {"tickvals": [0, 1], "ticktext": ["off", "on"]}
    if setting.kind == "log":
        ticks = _ticks(*ends)
        return axis | {"tickvals": np.log10(ticks).tolist(), "ticktext": [f"{tick:g}" for tick in ticks]}
    return axis


def _ticks(low: float, high: float) -> list[float]:
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [step * 10.0**power for power in powers for step in TICKS]
    inside = [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]
    return inside if len(inside) <= 8 else [tick for tick in inside if f"{tick:e}".startswith("1")]


def _unscaled(name: str, positions: np.ndarray) -> np.ndarray:
    return 10.0**positions if field(name).kind == "log" else positions


def _own_kind(name: str, value: float) -> int | float:
    return int(value) if field(name).kind == "int" else float(value)
