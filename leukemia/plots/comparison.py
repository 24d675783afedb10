"""Curves of several versions over each other, on the cells that all of them held out."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from leukemia.evaluation.estimate import Estimate
from leukemia.plots.chart import Chart
from leukemia.plots.curves import (
    ALL_CALLED,
    CHANCE,
    FALSE_ALARMS,
    PRECISION,
    SENSITIVITY,
    line,
    point,
    reference,
)
from leukemia.plots.style import SERIES, finish, percent


def rocs(
    names: Sequence[str], curves: Sequence[pd.DataFrame], estimates: Sequence[dict[str, Estimate]]
) -> Chart:
    """ROC curves of several versions, each with its operating point.

    Parameters
    ----------
    names : sequence of str
        Plain text.
    curves : sequence of pandas.DataFrame
        Of :func:`leukemia.evaluation.curves.roc`.
    estimates : sequence of dict of str to Estimate
        Sensitivity, specificity, ppv and auroc of each at its threshold.
    """
    figure = go.Figure()
    reference(figure, (0, 1), CHANCE)
    rows = zip(_numbered(names), curves, estimates, strict=True)
    for number, (name, curve, own) in enumerate(rows):
        colour, _, mark = SERIES[number]
        line(figure, curve["false_alarms"], curve["sensitivity"], name, number)
        point(figure, 1 - own["specificity"].value, own["sensitivity"].value, colour, mark)
    finish(figure, "ROC curves on the same cells", FALSE_ALARMS, SENSITIVITY)
    areas = "; ".join(f"{name} {own['auroc'].value:.3f}" for name, own in zip(names, estimates, strict=True))
    return Chart(
        percent(figure, "x", "y"), f"The higher curve is better. Area under the curve (AUROC): {areas}."
    )


def precision_recalls(
    names: Sequence[str],
    curves: Sequence[pd.DataFrame],
    estimates: Sequence[dict[str, Estimate]],
    share: float,
) -> Chart:
    """Precision-recall curves of several versions; as :func:`rocs`, with the share of ALL, 0 to 1."""
    figure = go.Figure()
    reference(figure, (share, share), ALL_CALLED)
    rows = zip(_numbered(names), curves, estimates, strict=True)
    for number, (name, curve, own) in enumerate(rows):
        colour, _, mark = SERIES[number]
        line(figure, curve["sensitivity"], curve["ppv"], name, number)
        point(figure, own["sensitivity"].value, own["ppv"].value, colour, mark)
    finish(figure, "Precision-recall curves on the same cells", SENSITIVITY, PRECISION)
    caption = "The marks show the thresholds in use: further up and to the right is better."
    return Chart(percent(figure, "x", "y"), caption)


def _numbered(names: Sequence[str]) -> list[str]:
    return [f"{number}: {name}" for number, name in enumerate(names, 1)]
