"""A laboratory's cells beside the model's: how they differ, and each patient at the threshold."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from leukemia.evaluation.formatting import number
from leukemia.plots.chart import Chart
from leukemia.plots.style import ALL, GREY, MARKER, NORMAL, SERIES, finish, percent
from leukemia.verification.result import Judgement
from leukemia.verification.shifts import MEASURES, Shift

TITLES = {
    "cell_area": "Cell size",
    "distance": "Distance",
    "hue": "Hue",
    "saturation": "Saturation",
    "brightness": "Brightness",
    "sharpness": "Sharpness",
}
MORE = {"cell_area": ("larger", "smaller"), "distance": ("farther away", "nearer")}
YOURS = "Your cells"
BINS = 30
NAMES = {"sensitivity": "Sensitivity", "specificity": "Specificity"}


def measure(name: str, site: np.ndarray, model: np.ndarray, shift: Shift) -> Chart:
    """Distributions of one measure, as shares of each set's cells.

    Parameters
    ----------
    name : str
        Of :data:`MEASURES`.
    site, model : numpy.ndarray
        float, shape (n,) and (m,): of the laboratory's cells, and of the model's held-out cells; the
        latter empty where it is not on record.
    shift : Shift
        Of these; what is usual is drawn as dotted lines.
    """
    usual = [end for end in shift.usual or () if end > 0]
    ends = np.quantile(np.concatenate([site, model, usual]), (0, 1))
    edges = np.linspace(*(ends if np.ptp(ends) else (ends[0] - 0.5, ends[0] + 0.5)), BINS + 1)
    figure = go.Figure()
    sets = (("Model's held-out cells", model, GREY, "dash"), (YOURS, site, SERIES[2][0], "solid"))
    for word, values, colour, dash in sets:
        if not len(values):
            continue
        figure.add_scatter(
            x=(edges[1:] + edges[:-1]) / 2,
            y=np.histogram(values, edges)[0] / len(values),
            name=word,
            mode="lines",
            line={"color": colour, "dash": dash, "shape": "hvh", "width": 2},
            fill="tozeroy" if word == YOURS else None,
            showlegend=True,
            hovertemplate="%{x:,.3~g}: %{y:.1%}<extra></extra>",
        )
    for end in usual:
        figure.add_vline(x=end, line_dash="dot", line_width=2, line_color=MARKER)
    finish(figure, TITLES[name], MEASURES[name], "Share of cells", height=300)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return Chart(figure, _caption(name, shift))


def rates(judgements: dict[str, Judgement], confidence: float) -> Chart:
    """Sensitivity and specificity with their 95 % intervals, their lower bounds and the claims.

    Parameters
    ----------
    judgements : dict of str to Judgement
        By what their thresholds are called.
    confidence : float
        Of the lower bounds.
    """
    figure = go.Figure()
    rows = [
        (f"{NAMES[name]}, {word}", rate)
        for word, one in judgements.items()
        for name, rate in one.rates.items()
    ]
    place = np.arange(len(rows), 0, -1)
    figure.add_scatter(
        x=[rate.value for _, rate in rows],
        y=place,
        name="Your patients, 95% interval",
        mode="markers",
        marker={"color": SERIES[2][0], "symbol": "square", "size": 10},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [rate.high - rate.value for _, rate in rows],
            "arrayminus": [rate.value - rate.low for _, rate in rows],
            "thickness": 1.5,
        },
        hovertemplate="%{x:.1%}<extra></extra>",
    )
    for word, key, colour, mark in (
        (f"Lower bound at {confidence:.0%}", "bound", NORMAL, "triangle-right"),
        ("Criterion", "claim", ALL, "line-ns-open"),
    ):
        size, line = (13, 0) if key == "bound" else (20, 3)
        marker = {"color": colour, "symbol": mark, "size": size, "line_width": line}
        figure.add_scatter(
            x=[getattr(rate, key) for _, rate in rows],
            y=place,
            name=word,
            mode="markers",
            marker=marker,
            hovertemplate="%{x:.1%}<extra></extra>",
        )
    finish(
        figure,
        "Results against the criterion",
        "Share of cells called correctly, each patient weighing the same",
        "",
        height=150 + 44 * len(rows),
    )
    figure.update_yaxes(
        tickvals=list(place),
        ticktext=[word for word, _ in rows],
        range=[0.4, len(rows) + 0.6],
        zeroline=False,
    )
    return Chart(
        percent(figure, "x"),
        "The criterion is met where the lower bound (triangle) lies at or to the right of the criterion "
        "(bar).",
    )


def strips(table: pd.DataFrame) -> Chart:
    """Each patient's share of cells called right, lowest first; of :func:`patients.table`."""
    figure = go.Figure()
    for label, (colour, _, mark) in zip(("ALL", "Normal"), SERIES, strict=False):
        own = table[table["label"] == label].sort_values("accuracy").reset_index(drop=True)
        figure.add_scatter(
            x=(own.index + 1) / len(own),
            y=own["accuracy"],
            name=f"Patients with {label} cells ({len(own)})",
            mode="lines+markers",
            line={"color": colour, "shape": "hv", "width": 1},
            marker={"color": colour, "symbol": mark, "size": 8},
            customdata=own[["patient_group", "cells"]].astype(str).to_numpy(),
            hovertemplate="patient %{customdata[0]}: %{y:.1%} of %{customdata[1]} cells<extra></extra>",
        )
    finish(
        figure,
        "Patient by patient",
        "Share of patients, lowest first",
        "Share of cells called correctly",
        300,
    )
    worst = table.sort_values("accuracy").iloc[0]
    caption = (
        f"Lowest: patient {worst['patient_group']} ({worst['label']}), {number(worst['accuracy'], True)} of "
        f"{worst['cells']:,} cells called correctly at the version's own threshold."
    )
    return Chart(percent(figure, "x", "y"), caption)


def _caption(name: str, shift: Shift) -> str:
    def told(value: float) -> str:
        return f"{value:,.0f}" if name == "cell_area" else f"{value:.2f}"

    text = f"Median {told(shift.site[1])} here"
    if shift.model and shift.higher is not None:
        text += f", {told(shift.model[1])} among the model's held-out cells. "
        if 0.4 < shift.higher < 0.6:
            text += "They are alike. "
        else:
            of_100 = round(100 * max(shift.higher, 1 - shift.higher))
            more = MORE[name][shift.higher < 0.5]
            text += f"Of 100 pairs (one cell of yours, one of the model's), yours is {more} in {of_100}. "
        # The classes differ, and their shares do: a shift of one class may be hidden in both together.
        text += "".join(
            f"{label} cells: {told(here)} here, {told(there)} there. "
            for label, (here, there) in shift.medians.items()
        )
    else:
        text += ". "
    if shift.usual and shift.outside is not None:
        where = (
            f"Beyond the dotted line ({told(shift.usual[1])}) the model gives no answer"
            if name == "distance"
            else f"99% of the C-NMC 2019 cells lie between the dotted lines ({told(shift.usual[0])} and "
            f"{told(shift.usual[1])})"
        )
        verb = "of your cells" if name == "distance" else "of your cells lie outside"
        text += f"{where}: {shift.outside:.1%} {verb}."
    return text.strip()
