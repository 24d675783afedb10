"""What a call is worth where ALL is rarer, or more common."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from leukemia.evaluation.estimate import Estimate
from leukemia.plots.chart import Chart
from leukemia.plots.curves import point
from leukemia.plots.style import GREY, MARKER, SERIES, band, finish, percent

NAMES = {"ppv": "PPV: called ALL-like and ALL", "npv": "NPV: called Normal-like and normal"}
TICKS = np.array([0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999])


def predictive_values(
    curve: pd.DataFrame, prevalence: float, estimates: dict[str, Estimate], own: float
) -> Chart:
    """PPV and NPV against the prevalence, on a scale by logit.

    Parameters
    ----------
    curve : pandas.DataFrame
        Of :func:`leukemia.evaluation.prevalence.curve`.
    prevalence, own : float
        The one asked for and that of the held-out cells: share of ALL among the cells, 0 to 1.
    estimates : dict of str to Estimate
        ppv and npv at the prevalence asked for.
    """
    figure, x = go.Figure(), _place(curve["prevalence"])
    for name, (colour, _, _) in zip(NAMES, SERIES, strict=False):
        band(figure, x, curve[f"{name}_low"], curve[f"{name}_high"], colour)
    for name, (colour, dash, mark) in zip(NAMES, SERIES, strict=False):
        figure.add_scatter(
            x=x,
            y=curve[name],
            customdata=curve["prevalence"],
            name=NAMES[name],
            mode="lines",
            line={"color": colour, "dash": dash, "width": 2},
            hovertemplate="at %{customdata:.1%}: %{y:.1%}",
        )
        point(figure, _place(prevalence), estimates[name].value, colour, mark)
    figure.add_vline(x=_place(prevalence), line_dash="dash", line_width=2, line_color=MARKER)
    figure.add_vline(x=_place(own), line_dash="dot", line_width=2, line_color=GREY)
    finish(figure, "PPV and NPV by prevalence", "Prevalence: share of ALL among the cells", "Share")
    figure.update_xaxes(tickvals=_place(TICKS), ticktext=[f"{100 * tick:g}%" for tick in TICKS])
    caption = (
        "The rarer ALL is, the more ALL-like calls are false alarms. The dashed line marks the prevalence "
        f"set above, the dotted line that of the held-out cells ({own:.1%}). Sensitivity and specificity "
        "are assumed to stay the same."
    )
    return Chart(percent(figure, "y"), caption)


def _place(share: np.ndarray | pd.Series | float) -> np.ndarray | pd.Series | float:
    return np.log10(share / (1 - share))
