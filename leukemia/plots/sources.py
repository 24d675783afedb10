"""How a model fares in each source, each patient weighing the same."""

from html import escape

import plotly.graph_objects as go

from leukemia.evaluation.breakdown import source_words, sources
from leukemia.evaluation.breakdown.sources import BySource
from leukemia.evaluation.metrics import FEWEST_PATIENTS
from leukemia.plots.chart import Chart
from leukemia.plots.style import SERIES, dots, finish, percent

SHIFT = 0.2  # between the figures of one source


def by_source(figures: BySource) -> Chart:
    """Sensitivity, specificity and AUROC of each source and of all, with their intervals."""
    rows = [*figures.sources.items(), (source_words.EACH_PATIENT, figures.each_patient)]
    figure = go.Figure()
    for number, (name, (colour, _, mark)) in enumerate(zip(source_words.HEADLINE, SERIES, strict=False)):
        known = [
            (len(rows) - place + SHIFT * (1 - number), one)
            for place, (_, one) in enumerate(rows)
            if one.estimates[name].value == one.estimates[name].value  # not NaN
        ]
        # An open mark, where a figure rests on few patients.
        symbols = [mark + "-open" * (sources.rests_on(one, name) < FEWEST_PATIENTS) for _, one in known]
        word = source_words.WORDS[name]
        dots(
            figure,
            word[0].upper() + word[1:],
            [one.estimates[name] for _, one in known],
            [height for height, _ in known],
            {"color": colour, "symbol": symbols},
        )
    finish(
        figure,
        "Results by source, patients weighted equally",
        "Share, or AUROC, with 95% interval over patients",
        "",
        height=130 + 56 * len(rows),
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows), 0, -1)),
        ticktext=[f"{escape(name)}<br>{source_words.patients(one)}" for name, one in rows],
        range=[0.4, len(rows) + 0.6],
        zeroline=False,
    )
    return Chart(percent(figure, "x"), _caption(figures))


def _caption(figures: BySource) -> str:
    few = any(
        sources.rests_on(one, name) < FEWEST_PATIENTS
        for one in figures.sources.values()
        for name in source_words.HEADLINE
    )
    lowest = [
        f"{source_words.WORDS[name]} in {source}"
        for name in source_words.HEADLINE
        if (source := sources.worst(figures, name))
    ]
    said = f"Lowest: {', '.join(lowest)}." if len(figures.sources) > 1 else source_words.worst(figures)[0]
    return said + f" Open marks rest on fewer than {FEWEST_PATIENTS} patient groups of a class." * few
