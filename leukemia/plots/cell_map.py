"""The map of cells as a chart: a dot a cell, in colours that have words and, where they are few, shapes."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import pandas as pd
import plotly.graph_objects as go

from leukemia.classes import ALL, NORMAL
from leukemia.dataset.catalog.filters import RIGHT, UNDECIDED, UNKNOWN, UNLABELLED, WRONG
from leukemia.inference import decisions
from leukemia.operating_point import OperatingPoint
from leukemia.plots import style
from leukemia.plots.dataset_overview import COLOURS

# A layout, or what colours the dots, to what must be known to read it.
LAYOUTS = {
    "UMAP": "UMAP keeps similar cells together; axes and distances between groups have no meaning.",
    "PCA": "PCA shows the two directions of greatest spread; distances along them can be compared.",
}
COLOURINGS = {
    "Class": "",
    "Patient": " If each patient forms a cluster, the model may recognise patients instead of the disease.",
    "Error": (
        " Right and wrong are shown for held-out patients only: correct answers for patients the model "
        "was trained on mean nothing."
    ),
    "Probability": (
        " Held-out probabilities are shown where available; for patients the model was trained on, the "
        "results look better than they are."
    ),
}
# Ten colours that can be told apart (Tableau's), and as many shapes.
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
MAX_PATIENTS = len(PALETTE)
CLASS_SHAPES = {NORMAL: "circle", ALL: "triangle-up", UNLABELLED: "square"}
OUTCOMES = {
    UNKNOWN: ("not held out", style.GREY, "circle-open"),
    RIGHT: ("agrees with the label", style.NORMAL, "circle"),
    UNDECIDED: ("indeterminate", "#B07AA1", "diamond"),
    WRONG: ("disagrees with the label", style.ALL, "x"),
}
HEIGHT = 560


def draw(
    places: pd.DataFrame, layout: str, colour: str, patients: Sequence[str], point: OperatingPoint
) -> tuple[go.Figure, list[list[int]]]:
    """Draw the map.

    Parameters
    ----------
    places : pandas.DataFrame
        A row a cell: image_id, label, patient, subset, outcome, review, probability (of ALL, 0 to 1),
        is_held_out, and umap_x, umap_y, pca_x, pca_y.
    layout, colour : str
        Of :data:`LAYOUTS` and :data:`COLOURINGS`.
    patients : sequence of str
        Those with a colour of their own, where patients are coloured.
    point : OperatingPoint
        Of the model.

    Returns
    -------
    figure : plotly.graph_objects.Figure
    shown : list of list of int
        For each trace of the figure the rows of ``places`` that it shows.
    """
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
            customdata=list(zip(rows["image_id"], _hover_texts(rows, point), strict=True)),
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


def selected_rows(points: Sequence[Mapping[str, int]], shown: list[list[int]]) -> list[int]:
    """Rows of ``places`` under the selected points of the figure, sorted, each once."""
    rows = set()
    for point in points:
        trace, index = point.get("curve_number", -1), point.get("point_index", -1)
        if 0 <= trace < len(shown) and 0 <= index < len(shown[trace]):
            rows.add(shown[trace][index])
    return sorted(rows)


def by_size(places: pd.DataFrame) -> list[str]:
    """Patients, those with most cells first."""
    return places.loc[places["patient"] != "", "patient"].value_counts().index.tolist()


def _traces(
    places: pd.DataFrame, colour: str, patients: Sequence[str]
) -> Iterator[tuple[str, pd.DataFrame, dict[str, object]]]:
    """Name, rows and marker of each trace, the upper ones last."""
    if colour == "Class":
        names = places["label"].replace("", UNLABELLED)
        for name, shape in CLASS_SHAPES.items():
            yield name, places[names == name], {"color": COLOURS[name], "symbol": shape}
    elif colour == "Patient":
        others = places[~places["patient"].isin(patients)]
        yield "others", others, {"color": style.GREY, "opacity": 0.35, "size": 5}
        for number, patient in enumerate(patients):
            marker = {"color": PALETTE[number % len(PALETTE)], "symbol": SHAPES[number % len(SHAPES)]}
            yield patient, places[places["patient"] == patient], marker
    elif colour == "Error":
        for outcome, (name, tone, shape) in OUTCOMES.items():
            faint = {"opacity": 0.35} if outcome == UNKNOWN else {}
            yield name, places[places["outcome"] == outcome], {"color": tone, "symbol": shape, **faint}
    else:
        bar = {"title": {"text": "Probability of ALL"}, "thickness": 14}
        scale = {"colorscale": "Viridis", "cmin": 0, "cmax": 1, "colorbar": bar}
        yield "cells", places, {"color": places["probability"], **scale}


def _hover_texts(rows: pd.DataFrame, point: OperatingPoint) -> list[str]:
    """What is read beside a dot; what comes from files is escaped."""
    texts = []
    for row in rows.itertuples():
        who = f"Patient {escape(row.patient)}" if row.patient else "Patient not known"
        review = f" ({escape(row.review)})" if row.review else ""
        subset = "in no subset" if row.subset == UNKNOWN else escape(row.subset)
        texts.append(
            f"{who}<br>Label {escape(row.label or UNLABELLED)}{review}, {subset}<br>"
            f"Probability of ALL {point.shown(row.probability)}: "
            f"{decisions.decision(row.probability, point)}<br>"
            f"({'held out' if row.is_held_out else 'not held out'})"
        )
    return texts
