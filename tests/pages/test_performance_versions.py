"""Versions on the Performance page: compared, broken, saved with another threshold, reported."""

import re
from html import escape

import pytest
from sklearn import metrics as sk

from leukemia.bundles import bundle as bundles
from leukemia.evaluation import estimates, held_out, metrics, three_way
from leukemia.evaluation.curves import HeldOutCurves
from leukemia.operating_point import OperatingPoint
from leukemia.plots import curves
from leukemia.registry import versions
from leukemia.reports import performance as report
from pages.sections.performance import compare
from tests.support.app import press, said
from tests.support.bundle_factory import write_predictions
from tests.support.performance_page import fill_shelf, matrix, pick, traces, visiting


@pytest.fixture
def shelf(tiny_bundle, tmp_path):
    return fill_shelf(tiny_bundle, tmp_path)


@pytest.fixture
def visit(monkeypatch, tmp_path):
    return visiting(monkeypatch, tmp_path)


def test_versions_are_compared_on_the_same_patients(visit, shelf):
    page = visit(shelf, "compare")
    page.multiselect[0].select(str(shelf.parent / "other")).run()
    assert not page.exception
    (table,) = [one.value for one in page.dataframe]
    one, two = bundles.read(shelf).predictions, bundles.read(shelf.parent / "other").predictions
    truth = (one["label"] == "ALL").to_numpy()
    change = [sk.recall_score(truth, frame["probability"] >= 0.5) for frame in (one, two)]
    told = table.set_index("metric")["difference (95%)"]["sensitivity"]
    assert told.startswith(
        "sensitivity " + f"{100 * (change[1] - change[0]):+.1f}".replace("-", "−") + " points, 95%"
    )
    differ = ((one["probability"] >= 0.5) != (two["probability"] >= 0.5)).sum()
    assert f"Cells on which they disagree: {differ} of {len(one)}" in said(page)
    names = {trace["name"] for trace in traces(page) if trace.get("name")}
    assert {"1: served", "2: other"} <= names
    # A cell opens, with what the other version says of it.
    body = "".join(element.proto.body for element in page.get("html"))
    page.session_state[f"{compare.KEY}-opened-cell"] = body.split('data-open="')[1].split('"')[0]
    page.run()
    assert not page.exception
    assert f"1 of {min(differ, compare.SHOWN)}" in said(page) and "Others" in said(page)


def test_versions_of_other_cells_cannot_be_compared_and_the_page_says_so(visit, shelf):
    other = shelf.parent / "other"
    predictions = bundles.read(other).predictions
    write_predictions(other, predictions.assign(image_id=[f"x{i}" for i in range(len(predictions))]))
    page = visit(shelf, "compare")
    page.multiselect[0].select(str(other)).run()
    assert "evaluated on different cells" in page.info[0].value


def test_a_broken_version_is_a_sentence_and_the_others_are_shown(visit, shelf):
    (shelf.parent / "other" / bundles.WEIGHTS).write_bytes(b"altered")
    page = visit(shelf)
    assert len(page.selectbox[0].options) == 1
    assert "1 model version cannot be read" in page.expander[0].label
    assert "is not the file that was written" in said(page)
    assert matrix(page)


def test_without_a_readable_version_the_page_says_so(app, tmp_path):
    page = app(tmp_path / "none" / "model")
    page.switch_page("pages/performance.py").run()
    assert not page.exception
    assert "No model version can be read" in page.info[0].value
    assert "No model bundle" in said(page)


def test_a_version_with_one_class_says_so(visit, shelf):
    predictions = bundles.read(shelf).predictions
    write_predictions(shelf, predictions[predictions["label"] == "ALL"])
    page = visit(shelf)
    assert "No Normal cell among" in page.info[0].value
    assert page.selectbox[0].options


def test_no_threshold_is_saved_without_who_and_why(visit, shelf, tmp_path):
    page = visit(shelf)
    pick(page, "By hand")
    page.select_slider[0].set_range(0.3, 0.3).run()
    press(page, "Save 0.3000 as a new version")
    assert "Please give your name" in said(page)
    assert sorted(path.name for path in shelf.parent.iterdir()) == ["other", "served"]
    assert not (tmp_path / "no-data").exists()


def test_the_address_names_version_and_section(visit, shelf):
    page = visit(shelf, "calibration", version="other")
    assert page.selectbox[0].value == str(shelf.parent / "other")
    assert page.metric


def test_names_from_files_are_escaped(visit, shelf):
    predictions = bundles.read(shelf).predictions
    first = predictions["patient_group"].iloc[0]
    write_predictions(shelf, predictions.replace({"patient_group": {first: "<img src=x onerror=alert(1)>"}}))
    for section in ("patients", "errors"):
        page = visit(shelf, section)
        for chart in page.get("plotly_chart"):
            assert "<img" not in chart.proto.spec
        assert "<img src=x" not in said(page)


def test_the_report_holds_every_section_and_needs_nothing_from_outside(visit, shelf):
    visit(shelf, "card")
    version = versions.read(shelf)
    predictions = version.bundle.predictions
    known = held_out.facts(shelf, predictions)
    html = report.render(version, OperatingPoint.of(0.3), "by hand", HeldOutCurves(predictions), known)
    titles = re.findall(r"<h2>(.*?)</h2>", html)
    assert titles == [
        "Conclusion",
        "Threshold and limits",
        "The most confident errors",
        "By source",
        "Decisions, and results at the threshold",
        "PPV and NPV by prevalence",
        "Calibration",
        "Patients",
        "Subgroups",
        "Model card",
    ]
    counts = metrics.confusion(version.bundle.predictions, 0.3)
    decided = three_way.counts(version.bundle.predictions, OperatingPoint.of(0.3))
    expected = [*decided.values(), *decided.values(), *(counts[name] for name in ("tp", "fn", "fp", "tn"))]
    assert re.findall(r"<b>(\d+)</b>", html) == [str(count) for count in expected]
    assert html.count("For research use only") >= 2
    assert "Threshold 0.3000 (by hand)" in html
    assert html.count("Plotly.newPlot(") == 6
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="http', html)
    assert "synthetic cells only" in html


def test_page_and_report_say_the_same_of_their_charts(visit, shelf):
    page = said(visit(shelf))
    version = versions.read(shelf)
    predictions, threshold = version.bundle.predictions, version.bundle.threshold
    own = HeldOutCurves(predictions)
    at = estimates.at_threshold(own.cells, threshold)
    html = report.render(version, OperatingPoint.of(threshold), "", own, held_out.facts(shelf, predictions))
    charts = (
        curves.against_threshold(own, OperatingPoint.of(threshold), at),
        curves.precision_recall(own, at),
        curves.roc(own, at),
    )
    for chart in charts:
        assert chart.caption in page
        assert escape(chart.caption) in html
