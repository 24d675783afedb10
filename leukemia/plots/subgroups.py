"""Where a model is weak: by size and brightness of the cells."""

from html import escape

import pandas as pd
import plotly.graph_objects as go

from leukemia.evaluation.breakdown import subgroups
from leukemia.evaluation.estimate import Estimate
from leukemia.plots.chart import Chart
from leukemia.plots.style import SERIES, dots, finish, percent


def rates(table: pd.DataFrame, by: str) -> Chart:
    """Sensitivity and specificity of each subgroup, with their intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        Of :func:`leukemia.evaluation.breakdown.subgroups.table`.
    by : str
        What the cells are grouped by.
    """
    figure = go.Figure()
    for (name, word), shift, (colour, _, mark) in zip(
        (("sensitivity", "Sensitivity"), ("specificity", "Specificity")), (0.12, -0.12), SERIES, strict=False
    ):
        known = table[table[name].notna()]
        dots(
            figure,
            word,
            [Estimate(*row) for row in known[[name, f"{name}_low", f"{name}_high"]].to_numpy()],
            len(table) - known.index.to_numpy() + shift,
            {"color": colour, "symbol": mark},
        )
    height = 130 + 44 * len(table)
    finish(
        figure,
        f"Sensitivity and specificity by {by.lower()}",
        "Share called correctly, with 95% interval over patients",
        "",
        height=height,
    )
    figure.update_yaxes(
        tickvals=list(range(len(table), 0, -1)),
        ticktext=[escape(name) for name in table["part"]],
        range=[0.4, len(table) + 0.6],
        zeroline=False,
    )
    return Chart(percent(figure, "x"), _caption(table))


def _caption(table: pd.DataFrame) -> str:
    worst = subgroups.worst(table)
    if worst is None:
        return (
            f"Fewer than two groups have at least {subgroups.ENOUGH} ALL cells: too few to say where "
            "sensitivity is lowest."
        )
    best = subgroups.enough(table, "sensitivity")["sensitivity"].max()
    lowest = worst["sensitivity"]
    caption = (
        f"{_among(table, 'sensitivity', 'ALL')}ensitivity is lowest for “{worst['part']}”: {lowest:.1%}, "
        f"against {best:.1%} at best."
    )
    low = subgroups.worst(table, "specificity")
    if low is not None:
        caption += (
            f" {_among(table, 'specificity', 'normal')}pecificity is lowest for “{low['part']}”: "
            f"{low['specificity']:.1%}."
        )
    return caption


def _among(table: pd.DataFrame, name: str, word: str) -> str:
    """Begin a sentence by saying which groups it is about, where that is not all of them."""
    if len(subgroups.enough(table, name)) == table[name].notna().sum():
        return "S"
    return f"Among groups with at least {subgroups.ENOUGH} {word} cells, s"
