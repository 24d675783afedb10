"""The performance of a model version as one HTML file: the charts and sentences of the page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from plotly.offline import get_plotlyjs

from leukemia.bundles import breakdown
from leukemia.evaluation import estimates, formatting, metrics, prevalence, three_way
from leukemia.evaluation.breakdown import patients, source_words, sources, stress, subgroups
from leukemia.evaluation.curves import HeldOutCurves
from leukemia.operating_point import OperatingPoint
from leukemia.plots import calibration, confusion_matrix, curves
from leukemia.plots import patients as patient_plots
from leukemia.plots import sources as source_plots
from leukemia.plots import subgroups as subgroup_plots
from leukemia.registry.versions import Version
from leukemia.reports import first_page, html, wording
from leukemia.reports.html import Section

PREVALENCES = (0.01, 0.05, 0.2, 0.5)
_chart = html.plotly
GROUPED_BY = (subgroups.SIZE, subgroups.BRIGHTNESS)


def render(
    version: Version,
    point: OperatingPoint,
    chosen: str,
    held_out: HeldOutCurves,
    cells: pd.DataFrame,
    data: Path | None = None,
) -> str:
    """Put the report of a version at an operating point together.

    Parameters
    ----------
    version : Version
        With its bundle.
    point : OperatingPoint
    chosen : str
        How it was chosen, in words.
    held_out : HeldOutCurves
        Of the bundle's predictions.
    cells : pandas.DataFrame
        The predictions with what is known of each cell: :func:`leukemia.evaluation.held_out.facts`.
    data : Path, optional
        The data folder, for the pictures of the worst errors.
    """
    bundle, threshold = version.bundle, point.threshold
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    names = [bundle.name, *filter(None, [version.note]), *version.aliases]
    lines = [
        f"Model: {version.name} ({', '.join(names)}). {bundle.record.recipe.summary}",
        f"Network sha256 {bundle.digest}. Report made {now}.",
    ]
    first = first_page.sections(version, point, chosen, held_out, cells, data)
    sections = [
        _sources(version, point, cells),
        _operating_point(version, point, held_out),
        _prevalence(held_out, threshold),
        _calibration(bundle.predictions, threshold, held_out),
        _patients(bundle.predictions, point),
        _subgroups(cells, threshold),
        Section("Model card", [html.markdown(bundle.card)]),
    ]
    return html.render(f"Performance of {version.name}", lines, sections, get_plotlyjs(), first)


def _sources(version: Version, point: OperatingPoint, cells: pd.DataFrame) -> Section:
    bundle = version.bundle
    figures = sources.evaluate(cells, point)
    if figures is None:
        return Section("By source", [html.text(source_words.UNKNOWN)])
    band = bundle.record.promised(point)
    first, *short = wording.by_source(bundle, figures, point)
    notes = [*source_words.notes(figures), *(source_words.guarantees(figures, band) if band else [])]
    return Section(
        "By source",
        [
            html.text(first),
            *(html.text(words, "warning") for words in short),
            _chart(source_plots.by_source(figures)),
            html.table(source_words.HEADER, source_words.table(figures)),
            *(html.text(words, "small") for words in notes),
            *_unseen(cells, point),
            *_stress(bundle.record.stress),
        ],
    )


def _unseen(cells: pd.DataFrame, point: OperatingPoint) -> list[str]:
    figures = sources.evaluate_unseen(cells, point)
    if figures is None:
        return []
    return [
        html.text(source_words.unseen(figures)),
        html.text(source_words.UNSEEN_ABOUT, "small"),
        html.table(source_words.HEADER, source_words.table(figures)),
    ]


def _stress(stresses: Mapping[str, breakdown.Stress] | None) -> list[str]:
    if not stresses:
        return []
    table = html.table(stress.HEADER, stress.table(stresses))
    return [html.text(f"{stress.TITLE}. {stress.ABOUT}"), table]


def _operating_point(version: Version, point: OperatingPoint, held_out: HeldOutCurves) -> Section:
    bundle = version.bundle
    threshold, predictions = point.threshold, bundle.predictions
    at = estimates.at_threshold(held_out.cells, threshold)
    shares = three_way.evaluate(predictions, point)
    table = wording.estimates(at | held_out.ranking)
    parts = [
        html.text(f"Decisions, cells weighted equally: {point} {' '.join(three_way.sentences(shares))}"),
        confusion_matrix.three_way(three_way.counts(predictions, point), shares),
        html.text(
            f"If every cell had to be called, at the threshold {threshold:.4f}: "
            + formatting.matrix(at["sensitivity"].value, at["specificity"].value)
        ),
        confusion_matrix.html(metrics.confusion(predictions, threshold), at),
        html.table(table.columns, table.to_numpy()),
        _chart(curves.against_threshold(held_out, point, at)),
        _chart(curves.precision_recall(held_out, at)),
        _chart(curves.roc(held_out, at)),
    ]
    for change in bundle.record.changes:
        text = f"{change.at}, {change.who}: threshold {change.old:.4f} to {change.new:.4f}, "
        parts.append(html.text(f"{text}{change.chosen}. {change.reason}", "small"))
    return Section("Decisions, and results at the threshold", parts)


def _prevalence(held_out: HeldOutCurves, threshold: float) -> Section:
    at = {share: prevalence.at(held_out.cells, threshold, share) for share in PREVALENCES}
    rows = [
        (f"{share:.0%}", formatting.interval(values["ppv"], True), formatting.interval(values["npv"], True))
        for share, values in at.items()
    ]
    first = PREVALENCES[0]
    return Section(
        "PPV and NPV by prevalence",
        [
            html.text(wording.predictive_values(at[first], first)),
            html.table(("prevalence", "PPV (95%)", "NPV (95%)"), rows),
        ],
    )


def _calibration(predictions: pd.DataFrame, threshold: float, held_out: HeldOutCurves) -> Section:
    ece, brier = (formatting.interval(held_out.ranking[name]) for name in ("ece", "brier"))
    return Section(
        "Calibration",
        [
            html.text(f"Expected calibration error {ece}, Brier score {brier}."),
            _chart(calibration.reliability(predictions, held_out.curves.reliability_band)),
            _chart(calibration.coverage(predictions, threshold)),
        ],
    )


def _patients(predictions: pd.DataFrame, point: OperatingPoint) -> Section:
    table = patients.table(predictions, point.threshold)
    rows = [
        (
            row.patient_group,
            row.label,
            f"{row.cells:,}",
            f"{row.called:.1%}",
            f"{row.accuracy:.1%}",
            f"{row.probability:.3f}",
        )
        for row in table.itertuples()
    ]
    header = ("patient group", "label", "cells", "called ALL-like", "accuracy", "mean probability")
    rates = wording.patient_rates(table)
    return Section(
        "Patients",
        [
            *(html.text(f"{name} {value}: {counted}.") for name, value, counted, _ in rates),
            *(html.text(said) for said in [wording.patients_at_own_threshold(predictions)] if said),
            html.table(header, rows),
            _chart(patient_plots.strips(predictions, table, point)),
        ],
    )


def _subgroups(cells: pd.DataFrame, threshold: float) -> Section:
    parts = []
    for by in GROUPED_BY:
        group = subgroups.split(cells, by)
        if not group.notna().any():
            parts.append(html.text(wording.subgroup_unknown(by), "small"))
            continue
        table = subgroups.table(cells, group, threshold)
        shown = wording.subgroup_table(table)
        parts += [_chart(subgroup_plots.rates(table, by)), html.table(shown.columns, shown.to_numpy())]
    return Section("Subgroups", parts)
