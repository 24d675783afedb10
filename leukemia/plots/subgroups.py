"""Where a model is weak: by size, brightness and source of the cells."""

from html import escape

import pandas as pd
import plotly.graph_objects as go

from leukemia.evaluation import subgroups
from leukemia.plots.chart import Chart
from leukemia.plots.style import SERIES, finish, percent


def rates(table: pd.DataFrame, by: str) -> Chart:
    """Sensitivity and specificity of each subgroup, with their intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        Of :func:`leukemia.evaluation.subgroups.table`.
    by : str
        What the cells are grouped by.
    """
    figure = go.Figure()
    for (name, word), shift, (colour, _, mark) in zip(
        (("sensitivity", "Sensitivity"), ("specificity", "Specificity")), (0.12, -0.12), SERIES, strict=False
    ):
        known = table[table[name].notna()]
        figure.add_scatter(
            x=known[name],
            y=len(table) - known.index.to_numpy() + shift,
            name=word,
            mode="markers",
            marker={"color": colour, "symbol": mark, "size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (known[f"{name}_high"] - known[name]).clip(lower=0),
                "arrayminus": (known[name] - known[f"{name}_low"]).clip(lower=0),
                "thickness": 1.5,
            },
            hovertemplate="%{x:.1%}<extra></extra>",
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
    best = table[table["all_cells"] >= subgroups.ENOUGH]["sensitivity"].max()
    lowest = worst["sensitivity"]
    caption = f"Sensitivity is lowest for “{worst['part']}”: {lowest:.1%}, against {best:.1%} at best."
    if table["specificity"].notna().any():
        low = table.loc[table["specificity"].idxmin()]
        caption += f" Specificity is lowest for “{low['part']}”: {low['specificity']:.1%}."
    return caption
