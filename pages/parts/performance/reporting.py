"""The page's sections as one HTML file."""

from datetime import UTC, datetime

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from leukemia.learning import calibration, conformal, figures, metrics
from leukemia.review import amend, matrix, parts, patients, prevalence, report, words
from leukemia.review.report import Section
from leukemia.review.versions import Version
from pages.parts import model
from pages.parts.performance import (
    charts,
    more_charts,
    opened,
    operating,
    people,
    reliable,
    subgroup,
)
from pages.parts.performance import prevalence as prevalent
from pages.parts.performance.picking import Picked

PREVALENCES = (0.01, 0.05, 0.2, 0.5)


def render(version: Version, picked: Picked) -> str:
    """Lay the report out: figures, charts and the card, at the threshold picked."""
    bundle = version.bundle
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        f"Model: {opened.name(version)}, network sha256 {bundle.digest}.",
        f"Threshold {picked.value:.4f} ({picked.how}). Made {now}.",
        operating.people(bundle.predictions),
    ]
    sections = [
        _operating(version, picked),
        _prevalence(version, picked),
        _calibration(version, picked),
        _patients(version, picked),
        _subgroups(version, picked),
        Section("Model card", [report.written(bundle.card)]),
    ]
    warnings = [
        report.text(said, "warning")
        for holds, said in ((bundle.synthetic, model.SYNTHETIC), (bundle.leaky, model.LEAKY))
        if holds
    ]
    sections[0].parts[:0] = warnings
    return report.render(f"Performance of {version.name}", lines, sections, get_plotlyjs())


def _operating(version: Version, picked: Picked) -> Section:
    bundle = version.bundle
    cells, lines = opened.cells(bundle), opened.lines(bundle)
    found = figures.at_threshold(cells, picked.value)
    share = float(cells.truth.mean())
    every = operating.every(found | lines.ranking)
    parts_ = [
        report.text(words.matrix(found["sensitivity"].value, found["specificity"].value)),
        matrix.html(metrics.confusion(bundle.predictions, picked.value), found),
        report.table(every.columns, every.to_numpy()),
        _chart(
            charts.against_threshold(lines.against_threshold, picked.value, found),
            operating.by_threshold(found),
        ),
        _chart(
            charts.precision_recall(lines.precision_recall, lines.precision_recall_band, found, share),
            operating.about_precision(found, lines.ranking["average_precision"], share),
        ),
        _chart(charts.roc(lines.roc, lines.roc_band, found), operating.about_roc(lines.ranking["auroc"])),
    ]
    for change in amend.changes(bundle):
        said = f"{change['at']}, {change['who']}: threshold {change['old']:.4f} to {change['new']:.4f}, "
        parts_.append(report.text(f"{said}{change['chosen']}. {change['reason']}", "small"))
    return Section("What the threshold costs", parts_)


def _prevalence(version: Version, picked: Picked) -> Section:
    cells = opened.cells(version.bundle)
    at = {share: prevalence.at(cells, picked.value, share) for share in PREVALENCES}
    rows = [
        (f"{share:.0%}", words.interval(found["ppv"], True), words.interval(found["npv"], True))
        for share, found in at.items()
    ]
    share = PREVALENCES[0]
    return Section(
        "At a prevalence",
        [
            report.text(prevalent.sentence(at[share], share)),
            report.table(("prevalence", "PPV (95 %)", "NPV (95 %)"), rows),
        ],
    )


def _calibration(version: Version, picked: Picked) -> Section:
    bundle, lines = version.bundle, opened.lines(version.bundle)
    points = calibration.reliability(bundle.predictions, metrics.ECE_BINS)
    curve = conformal.coverage_curve(bundle.predictions, picked.value)
    told = ", ".join(
        f"{title} {words.interval(lines.ranking[name])}"
        for title, name in (("Expected calibration error", "ece"), ("Brier score", "brier"))
    )
    return Section(
        "Calibration",
        [
            report.text(f"{told}."),
            _chart(more_charts.reliability(points, lines.reliability_band), reliable.about_bins(points)),
            _chart(more_charts.coverage(curve), reliable.about_coverage(curve)),
        ],
    )


def _patients(version: Version, picked: Picked) -> Section:
    predictions = version.bundle.predictions
    found = patients.table(predictions, picked.value)
    told = "; ".join(
        f"patient-level {name} {right} of {everyone} patients, {share.value:.0%} "
        f"(Wilson 95 % {people.ends(share)})"
        for name, (right, everyone, share) in patients.rates(found).items()
    )
    rows = [
        (
            row.patient_group,
            row.label,
            f"{row.cells:,}",
            f"{row.called:.1%}",
            f"{row.accuracy:.1%}",
            f"{row.probability:.3f}",
        )
        for row in found.itertuples()
    ]
    order = list(dict.fromkeys(found["patient_group"]))[: people.STRIPS]
    own = predictions[predictions["patient_group"].isin(order)]
    header = ("patient group", "label", "cells", "called ALL-like", "accuracy", "mean probability")
    return Section(
        "Patients",
        [
            report.text(f"{told[:1].upper()}{told[1:]}."),
            report.table(header, rows),
            _chart(more_charts.strips(own, order, picked.value), people.about_strips(found)),
        ],
    )


def _subgroups(version: Version, picked: Picked) -> Section:
    known, out = opened.known(version.bundle), []
    for by in subgroup.BY:
        part = parts.split(known, by)
        if not part.notna().any():
            out.append(report.text(subgroup.absent(by), "small"))
            continue
        found = parts.table(known, part, picked.value)
        shown = subgroup.shown(found)
        out += [
            _chart(more_charts.parts(found, by), subgroup.notice(found, by).replace("\\", "")),
            report.table(shown.columns, shown.to_numpy()),
        ]
    return Section("Subgroups", out)


def _chart(figure: go.Figure, notice: str) -> str:
    figure.update_layout(template="plotly_white")
    drawn = figure.to_html(full_html=False, include_plotlyjs=False, config={"displayModeBar": False})
    return report.chart(drawn, notice)
