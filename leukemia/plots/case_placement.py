"""Where a case's share of ALL-like cells lies among the patients of the model's record."""

from html import escape

import numpy as np
import plotly.graph_objects as go

from leukemia.cases.summary import Placement
from leukemia.classes import ALL as OF_ALL
from leukemia.classes import NORMAL as OF_NORMAL
from leukemia.plots.chart import Chart
from leukemia.plots.style import ALL, MARKER, NORMAL, finish, percent

ROWS = {OF_NORMAL: (1, NORMAL, "circle", "Healthy"), OF_ALL: (2, ALL, "diamond", "With ALL")}


def strips(placement: Placement) -> Chart:
    """Draw a mark for each patient group of the record by its share, and a line at the case's share."""
    rng, figure = np.random.default_rng(0), go.Figure()
    for label, (row, colour, mark, name) in ROWS.items():
        own = placement.shares[placement.shares["label"] == label]
        figure.add_scatter(
            x=own["share"],
            y=row + rng.uniform(-0.25, 0.25, len(own)),
            customdata=[
                f"{escape(str(patient))}, {cells} cells"
                for patient, cells in zip(own["patient_group"], own["cells"], strict=True)
            ],
            name=f"{name} ({len(own)})",
            mode="markers",
            marker={"color": colour, "symbol": mark, "size": 9, "opacity": 0.75},
            hovertemplate="patient %{customdata}: %{x:.1%}<extra></extra>",
        )
    figure.add_vline(
        x=placement.share,
        line_width=3,
        line_color=MARKER,
        annotation_text=f"this case {placement.share:.1%}",
        annotation_position="top left" if placement.share > 0.5 else "top right",
    )
    finish(
        figure,
        "Share of ALL-like cells: this case and the patients of the model's record",
        "ALL-like cells among those classified",
        "",
        height=300,
    )
    percent(figure, "x")
    figure.update_yaxes(
        tickvals=[row for row, *_ in ROWS.values()],
        ticktext=[name for *_, name in ROWS.values()],
        range=[0.5, 2.5],
        zeroline=False,
    )
    return Chart(figure, sentence(placement))


def sentence(placement: Placement) -> str:
    """What the chart shows, in words."""
    share, below, as_high = f"{placement.share:.1%}", placement.all_below, placement.healthy_as_high
    lower, high = ("has" if count == 1 else "have" for count in (below, as_high))
    them = "this patient" if as_high == 1 else "these patients"
    return (
        f"{below} of {placement.all_total} patients with ALL {lower} a lower share of ALL-like cells than "
        f"this case ({share}). {as_high} of {placement.healthy_total} healthy patients {high} the same share "
        f"or a higher one: a cut-off at {share} would count {them} as ALL, too. Each of them was "
        "answered by a network that had not seen them. On its own, a share says nothing about a patient."
    )
