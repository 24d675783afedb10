"""A verification in the terminal, and as one HTML file for the laboratory's records."""

import numpy as np
import pandas as pd
from plotly.offline import get_plotlyjs

from leukemia.bundles.bundle import Bundle
from leukemia.evaluation import held_out
from leukemia.evaluation.breakdown import patients
from leukemia.plots import verification as plots
from leukemia.plots.chart import Chart
from leukemia.reports import html
from leukemia.reports import verification_wording as wording
from leukemia.reports.html import Section
from leukemia.verification.store import Verification


def charts(verification: Verification, cells: pd.DataFrame, bundle: Bundle) -> list[Chart]:
    """The charts of a verification; ``cells`` is :func:`store.cells`."""
    result, counted = verification.result, cells[cells["left_out"] == ""]
    answered = counted[counted["probability"].notna()]
    judgements = {wording.SHIPPED: result.shipped, wording.OWN: result.own}
    theirs = held_out.facts(verification.data, bundle.predictions)
    return [
        plots.rates(judgements, verification.stated.criterion.confidence),
        plots.strips(patients.table(answered, result.shipped.threshold)),
        *(
            plots.measure(
                name,
                counted[name].dropna().to_numpy(float),
                theirs[name].dropna().to_numpy(float) if shift.model else np.empty(0),
                shift,
            )
            for name, shift in result.shifts.items()
        ),
    ]


def lines(verification: Verification) -> list[str]:
    """The verification for the terminal."""
    result, stated = verification.result, verification.stated
    table = wording.rates_table(result, stated.criterion.confidence)
    return [
        f"{wording.headline(result)} {wording.criterion(stated)}",
        "",
        *(line.rstrip() for line in table.to_string(index=False).splitlines()),
        "",
        *(line.rstrip() for line in wording.counts_table(result).to_string(index=False).splitlines()),
        "",
        *wording.warnings(result),
        *wording.more_patients(result),
        *wording.remarks(result),
        *result.problems,
        *filter(
            None, [wording.abstention(result), wording.calibration(result), wording.design_effects(result)]
        ),
        wording.HOW,
        wording.LEFT_OUT,
    ]


def render(verification: Verification, cells: pd.DataFrame, bundle: Bundle) -> str:
    """The verification as one HTML file, for the laboratory's records."""
    result, stated = verification.result, verification.stated
    confidence = stated.criterion.confidence
    model = stated.model
    head = [
        f"Model: {model.name} ({model.recipe}), network sha256 {model.digest}, threshold "
        f"{model.threshold:.4f}.",
        f"Verification {verification.id}, classified {wording.when(verification.answered)}.",
    ]
    first, strips, *measures = charts(verification, cells, bundle)
    rates, counts = wording.rates_table(result, confidence), wording.counts_table(result)
    sections = [
        Section(
            "Result",
            [
                html.text(wording.headline(result), "" if result.acceptable else "warning"),
                html.text(wording.criterion(stated)),
                *([html.text(wording.accepted(verification))] if verification.accepted else []),
                *(html.text(remark, "warning") for remark in wording.warnings(result)),
                html.table(rates.columns, rates.to_numpy()),
                *map(html.text, wording.more_patients(result)),
                html.plotly(first),
                html.text(wording.HOW, "small"),
                html.text(wording.LEFT_OUT, "small"),
            ],
        ),
        Section(
            "Patients and cells",
            [
                html.table(counts.columns, counts.to_numpy()),
                *map(html.text, wording.remarks(result)),
                html.text(wording.design_effects(result), "small"),
                html.plotly(strips),
            ],
        ),
        Section(
            "Your cells beside the model's",
            [html.plotly(one) for one in measures]
            or [html.text("Nothing is known about the model's cells.")],
        ),
        Section(
            "Indeterminate cells and calibration",
            [*map(html.text, filter(None, [wording.abstention(result), wording.calibration(result)]))],
        ),
    ]
    if result.problems:
        sections.append(Section("Files and rows that could not be used", [*map(html.text, result.problems)]))
    return html.render(f"Verification at {stated.site}", head, sections, get_plotlyjs())
