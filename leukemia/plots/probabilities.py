"""Where a batch's probabilities lie."""

from collections import Counter
from collections.abc import Sequence

import plotly.graph_objects as go

from leukemia.inference import decisions
from leukemia.operating_point import INDETERMINATE, OperatingPoint
from leukemia.plots.chart import Chart
from leukemia.plots.style import COLOURS, limits

BIN = 0.05


def histogram(probabilities: Sequence[float], point: OperatingPoint) -> Chart:
    """Histogram of probabilities of ALL (0 to 1), coloured by decision."""
    figure = go.Figure()
    for word, colour in COLOURS.items():
        values = [p for p in probabilities if decisions.decision(p, point) == word]
        if word == INDETERMINATE and not point.abstains:
            continue
        bins = {"start": 0, "end": 1 + BIN, "size": BIN}
        figure.add_histogram(x=values, name=word, marker_color=colour, xbins=bins)
    limits(figure, point)
    figure.update_layout(
        title={"text": "This batch" + " (shaded: abstains)" * point.abstains, "font_size": 14},
        barmode="stack",
        bargap=0.05,
        height=260,
        margin={"l": 0, "r": 12, "t": 36, "b": 0},
        legend={"orientation": "h", "y": -0.35, "x": 0},
    )
    figure.update_xaxes(title_text="Probability of ALL", range=[0, 1])
    # Left to itself, a low axis is marked with halves of cells.
    highest = max(Counter(int(p / BIN) for p in probabilities).values(), default=0)
    figure.update_yaxes(title_text="Cells", rangemode="tozero", dtick=1 if highest <= 5 else None)
    near = sum(decisions.is_near(p, point) for p in probabilities)
    caption = f"Within {decisions.NEAR:g} of a limit: {near:,} of {len(probabilities):,} cells."
    return Chart(figure, caption)
