"""The page's sections as one HTML file."""

from datetime import UTC, datetime

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from leukemia.evaluation import (
    calibration,
    conformal,
    estimates,
    metrics,
    patients,
    prevalence,
    subgroups,
    wording,
)
from leukemia.plots import confusion_matrix
from leukemia.registry.versions import Version
from leukemia.reports import html
from leukemia.reports.html import Section
from pages.components import model_panel
from pages.sections.performance import calibration as reliable
from pages.sections.performance import charts, more_charts, operating_point, resources
from pages.sections.performance import patients as people
from pages.sections.performance import prevalence as prevalent
from pages.sections.performance import subgroups as weak_spots
from pages.sections.performance.threshold_picker import Picked

PREVALENCES = (0.01, 0.05, 0.2, 0.5)


def render(version: Version, picked: Picked) -> str:
    """Lay the report out: figures, charts and the card, at the threshold picked."""
    bundle = version.bundle
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        f"Model: {resources.name(version)}, network sha256 {bundle.digest}.",
        f"Threshold {picked.value:.4f} ({picked.how}). Made {now}.",
        operating_point.people(bundle.predictions),
    ]
    sections = [
        _operating(version, picked),
        _prevalence(version, picked),
        _calibration(version, picked),
        _patients(version, picked),
        _subgroups(version, picked),
        Section("Model card", [html.written(bundle.card)]),
    ]
    warnings = [
        html.text(said, "warning")
        for holds, said in ((bundle.synthetic, model_panel.SYNTHETIC), (bundle.leaky, model_panel.LEAKY))
        if holds
    ]
    sections[0].parts[:0] = warnings
    return html.render(f"Performance of {version.name}", lines, sections, get_plotlyjs())


def _operating(version: Version, picked: Picked) -> Section:
    bundle = version.bundle
    cells, lines = resources.cells(bundle), resources.lines(bundle)
    found = estimates.at_threshold(cells, picked.value)
    share = float(cells.truth.mean())
    every = operating_point.every(found | lines.ranking)
    parts_ = [
        html.text(wording.matrix(found["sensitivity"].value, found["specificity"].value)),
        confusion_matrix.html(metrics.confusion(bundle.predictions, picked.value), found),
        html.table(every.columns, every.to_numpy()),
        _chart(
            charts.against_threshold(lines.against_threshold, picked.value, found),
            operating_point.by_threshold(found),
        ),
        _chart(
            charts.precision_recall(lines.precision_recall, lines.precision_recall_band, found, share),
            operating_point.about_precision(found, lines.ranking["average_precision"], share),
        ),
        _chart(
            charts.roc(lines.roc, lines.roc_band, found), operating_point.about_roc(lines.ranking["auroc"])
        ),
    ]
    for change in bundle.record.changes:
        said = f"{change.at}, {change.who}: threshold {change.old:.4f} to {change.new:.4f}, "
        parts_.append(html.text(f"{said}{change.chosen}. {change.reason}", "small"))
    return Section("What the threshold costs", parts_)


def _prevalence(version: Version, picked: Picked) -> Section:
    cells = resources.cells(version.bundle)
    at = {share: prevalence.at(cells, picked.value, share) for share in PREVALENCES}
    rows = [
        (f"{share:.0%}", wording.interval(found["ppv"], True), wording.interval(found["npv"], True))
        for share, found in at.items()
    ]
    share = PREVALENCES[0]
    return Section(
        "At a prevalence",
        [
            html.text(prevalent.sentence(at[share], share)),
            html.table(("prevalence", "PPV (95 %)", "NPV (95 %)"), rows),
        ],
    )


def _calibration(version: Version, picked: Picked) -> Section:
    bundle, lines = version.bundle, resources.lines(version.bundle)
    points = calibration.reliability(bundle.predictions, metrics.ECE_BINS)
    curve = conformal.coverage_curve(bundle.predictions, picked.value)
    told = ", ".join(
        f"{title} {wording.interval(lines.ranking[name])}"
        for title, name in (("Expected calibration error", "ece"), ("Brier score", "brier"))
    )
    return Section(
        "Calibration",
        [
            html.text(f"{told}."),
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
            html.text(f"{told[:1].upper()}{told[1:]}."),
            html.table(header, rows),
            _chart(more_charts.strips(own, order, picked.value), people.about_strips(found)),
        ],
    )


def _subgroups(version: Version, picked: Picked) -> Section:
    known, out = resources.known(version.bundle), []
    for by in weak_spots.BY:
        part = subgroups.split(known, by)
        if not part.notna().any():
            out.append(html.text(weak_spots.absent(by), "small"))
            continue
        found = subgroups.table(known, part, picked.value)
        shown = weak_spots.shown(found)
        out += [
            _chart(more_charts.parts(found, by), weak_spots.notice(found, by).replace("\\", "")),
            html.table(shown.columns, shown.to_numpy()),
        ]
    return Section("Subgroups", out)


def _chart(figure: go.Figure, notice: str) -> str:
    figure.update_layout(template="plotly_white")
    drawn = figure.to_html(full_html=False, include_plotlyjs=False, config={"displayModeBar": False})
    return html.chart(drawn, notice)
