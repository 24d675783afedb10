"""The map as a chart: a dot a cell, in colours that have words and, where they are few, shapes."""

from collections.abc import Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go

from leukemia.dataset.catalog.filters import RIGHT, UNDECIDED, UNKNOWN, UNLABELLED, WRONG
from pages.sections.dataset.charts import TONES

# What a colouring is called, to what must be known to read it.
COLOURINGS = {
    "Class": "",
    "Patient": " Where each patient lies apart, the model may know the patient rather than the disease.",
    "Error": " Right and wrong are told of held-out patients only: on those that the model learned from, "
    "being right proves nothing.",
    "Probability": " Held-out probabilities where there are any; those on patients that the model learned "
    "from look better than they are.",
}
GREY = "#8A94A0"
# Ten colours that are told apart (Tableau's), and as many shapes.
PALETTE = (
    "#4E79A7",
    "#F28E2B",
    "#E15759",
    "#76B7B2",
    "#59A14F",
    "#EDC948",
    "#B07AA1",
    "#FF9DA7",
    "#9C755F",
    "#17BECF",
)
SHAPES = ("circle", "square", "diamond", "cross", "x", "triangle-up", "triangle-down", "star", "pentagon")
TONES_OF_PATIENTS = len(PALETTE)
OUTCOMES = {
    RIGHT: ("agrees with the label", TONES["Normal"], "circle"),
    WRONG: ("disagrees with the label", TONES["ALL"], "x"),
    UNDECIDED: ("left open by the model", "#B07AA1", "diamond"),
    UNKNOWN: ("not held out", GREY, "circle-open"),
}
HEIGHT = 560


def draw(
    places: pd.DataFrame, layout: str, colour: str, patients: Sequence[str], threshold: float
) -> tuple[go.Figure, list[list[int]]]:
    """The chart, and for each of its traces the rows of ``places`` that it shows."""
    figure = go.Figure()
    shown = []
    for name, rows, marker in _traces(places, colour, patients):
        if rows.empty:
            continue
        figure.add_scattergl(
            x=rows[f"{layout.lower()}_x"],
            y=rows[f"{layout.lower()}_y"],
            mode="markers",
            name=name,
            marker={"size": 6, "opacity": 0.8, "line": {"width": 0}, **marker},
            customdata=list(zip(rows["image_id"], _told(rows, threshold), strict=True)),
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
        shown.append(rows.index.tolist())
    axis = "" if layout == "UMAP" else " (no unit)"
    figure.update_layout(
        title={"text": f"{len(places):,} cells by the model's features, coloured by {colour.lower()}"},
        title_font_size=15,
        height=HEIGHT,
        dragmode="lasso",
        margin={"l": 0, "r": 12, "t": 70, "b": 0},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "itemsizing": "constant"},
        uirevision=layout,
    )
    for number, update in ((1, figure.update_xaxes), (2, figure.update_yaxes)):
        # UMAP's axes mean nothing, so that they carry no numbers.
        read = layout == "PCA"
        update(title_text=f"{layout} {number}{axis}", showticklabels=read, showgrid=read, zeroline=False)
    return figure, shown


def rows(points: Sequence[dict], shown: list[list[int]]) -> list[int]:
    """Rows of ``places`` that are picked, in their order."""
    found = set()
    for point in points:
        trace, index = point.get("curve_number", -1), point.get("point_index", -1)
        if 0 <= trace < len(shown) and 0 <= index < len(shown[trace]):
            found.add(shown[trace][index])
    return sorted(found)


def by_size(places: pd.DataFrame) -> list[str]:
    """Patients, those with most cells first."""
    return places.loc[places["patient"] != "", "patient"].value_counts().index.tolist()


def _traces(places: pd.DataFrame, colour: str, patients: Sequence[str]):
    if colour == "Class":
        marks = (("Normal", "circle"), ("ALL", "triangle-up"), ("", "square"))
        for label, shape in marks:
            name = label or UNLABELLED
            yield name, places[places["label"] == label], {"color": TONES[name], "symbol": shape}
    elif colour == "Patient":
        others = places[~places["patient"].isin(patients)]
        yield "others", others, {"color": GREY, "opacity": 0.35, "size": 5}
        for number, patient in enumerate(patients):
            marker = {"color": PALETTE[number % len(PALETTE)], "symbol": SHAPES[number % len(SHAPES)]}
            yield patient, places[places["patient"] == patient], marker
    elif colour == "Error":
        for outcome in (UNKNOWN, RIGHT, UNDECIDED, WRONG):
            name, tone, shape = OUTCOMES[outcome]
            faint = {"opacity": 0.35} if outcome == UNKNOWN else {}
            yield name, places[places["outcome"] == outcome], {"color": tone, "symbol": shape, **faint}
    else:
        bar = {"title": {"text": "Probability of ALL"}, "thickness": 14}
        scale = {"colorscale": "Viridis", "cmin": 0, "cmax": 1, "colorbar": bar}
        yield "cells", places, {"color": places["probability"], **scale}


def _told(rows: pd.DataFrame, threshold: float) -> list[str]:
    """What is read beside a dot."""
    told = []
    for row in rows.itertuples():
        who = f"Patient {escape(row.patient)}" if row.patient else "Patient not known"
        review = f" ({escape(row.review)})" if row.review else ""
        part = "no part of the split" if row.subset == UNKNOWN else escape(row.subset)
        side = "from" if row.probability >= threshold else "below"
        told.append(
            f"{who}<br>Label {escape(row.label or UNLABELLED)}{review}, {part}<br>"
            f"Probability of ALL {row.probability:.3f}, {side} the threshold {threshold:.3f}<br>"
            f"({'held out' if row.is_held_out else 'not held out'})"
        )
    return told
