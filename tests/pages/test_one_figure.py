"""One figure has one definition and one value: page, card, report and command line are read and compared."""

import html
import re

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.evaluation import estimates, formatting, held_out, three_way
from leukemia.evaluation.breakdown import patients, source_words, sources, subgroups
from leukemia.evaluation.curves import HeldOutCurves
from leukemia.inference import scoring
from leukemia.operating_point import OperatingPoint
from leukemia.plots import subgroups as subgroup_plots
from leukemia.registry import rethreshold, versions
from leukemia.reports import evaluation_tables, performance
from tests.support import bundle_factory
from tests.support.app import open_dashboard, said
from tests.support.performance_page import decided, visiting


@pytest.fixture(scope="module")
def bundle(tiny_bundle, tmp_path_factory):
    """A version of six folds and two sources that errs, with a corrected label: a group has both classes."""
    place = tmp_path_factory.mktemp("figures")
    frame = bundle_factory.blurred(tiny_bundle)
    first = frame.index[frame["label"] == "ALL"][0]
    frame.loc[first, "label"] = "Normal"
    folder = bundle_factory.copy_bundle(tiny_bundle, place / "first", predictions=frame)
    first = bundles.read(bundle_factory.judge_by_source(folder))
    # Written anew at another operating point: record and card say what follows from its predictions.
    return rethreshold.write_bundle(
        first,
        place,
        OperatingPoint(0.3, 0.7, 0.45),
        who="Ada",
        reason="a test",
        chosen="by hand",
        target=0.9,
    )


@pytest.fixture
def texts(bundle, monkeypatch, tmp_path):
    """All text of each door, and the pages themselves."""
    visit = visiting(monkeypatch, tmp_path)
    names = ("threshold", "sources", "calibration", "patients", "subgroups")
    opened = {name: visit(bundle.folder, name) for name in names}
    out = {name: said(page) for name, page in opened.items()}
    out["card"] = bundle.card
    out["command line"] = "\n".join(evaluation_tables.summary(scoring.on_held_out(bundle)))
    monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle.folder))
    out["classify"] = "\n".join(caption.value for caption in open_dashboard().caption)
    return out, opened


def test_every_door_gives_the_same_figures(bundle, texts):
    text, page = texts
    predictions, point = bundle.predictions, bundle.operating_point

    # Whom it was tested on: a group with cells of both labels is one group.
    counted = str(patients.count(predictions))
    assert counted == "12 patient groups (6 with ALL, 7 healthy, 1 of them in both)"
    for door in ("threshold", "command line", "classify"):
        assert counted in text[door], door

    # Patients as the unit: value and interval.
    people = estimates.of_patients(predictions, point.threshold)
    table = patients.table(predictions, point.threshold)
    for name in ("sensitivity", "specificity"):
        assert patients.rates(table)[name][2] == people[name]
        assert f"| {name} | " in text["card"]
        (row,) = re.findall(rf"^\| {name} \| [^|]+ \| ([^|]+) \|$", text["card"], re.M)
        assert row == formatting.interval(people[name])
        (line,) = re.findall(rf"^{name} .*$", text["command line"], re.M)
        assert line.endswith(str(people[name]))
        (shown,) = [one for one in page["patients"].metric if one.label == f"Patient-level {name}"]
        assert shown.value == formatting.number(people[name].value, True)
        assert f"95% (Wilson): {formatting.ends(people[name], True)}" in text["patients"]

    # Patients called right.
    right = int(table["right"].sum())
    marks = page["patients"].dataframe[0].value["as a patient"]
    assert (marks == "✓ right").sum() == right
    figures = sources.evaluate(predictions, point)
    rows = {row[0]: row for row in source_words.table(figures)}
    assert rows[source_words.EACH_CELL][-1] == f"{right} of {len(table)}"
    shown = {row[0]: tuple(row) for row in page["sources"].dataframe[0].value.itertuples(index=False)}
    assert shown[source_words.EACH_CELL][-1] == f"{right} of {len(table)}"
    assert f"of their cells: {right} of {len(table)}, at the threshold" in text["command line"]
    assert f"{right} of {len(table)} |" in text["card"]

    # Patients at a threshold of their own.
    own = patients.right_at_own_threshold(predictions)["right"]
    for door in ("patients", "command line"):
        assert f"{own.sum()} of {len(own)} patient groups are called correctly" in text[door], door

    # Cells for which it abstains.
    counts = three_way.counts(predictions, point)
    assert decided(page["threshold"]) == counts
    share = (counts["all_indeterminate"] + counts["normal_indeterminate"]) / len(predictions)
    assert figures.each_cell.estimates["indeterminate"].value == pytest.approx(share, abs=1e-6)

    # Cell by cell, cells weighted equally: as numbers on card and command line, in per cent on the pages.
    cells = estimates.of(predictions, point.threshold)
    for name in ("sensitivity", "specificity"):
        assert f"{formatting.interval(cells[name], True)}" in text["threshold"], name
        assert f"| {name} | {formatting.interval(cells[name])} |" in text["card"]
        assert re.search(rf"^{name} +{re.escape(str(cells[name]))}", text["command line"], re.M)
    ece = formatting.number(cells["ece"].value)
    (shown,) = [one for one in page["calibration"].metric if "ECE" in one.label]
    assert shown.value == ece
    assert formatting.ends(cells["ece"]) in text["calibration"]
    assert f"| ece | {formatting.interval(cells['ece'])} |" in text["card"]
    assert str(cells["ece"]) in text["command line"]
    assert formatting.interval(figures.each_cell.estimates["ece"]) == formatting.interval(cells["ece"])


def test_the_report_gives_the_figures_of_the_page(bundle, tmp_path):
    predictions, point = bundle.predictions, bundle.operating_point
    version = versions.read(bundle.folder)
    cells = held_out.facts(tmp_path, predictions)
    report = performance.render(version, point, "the model's own", HeldOutCurves(predictions), cells)
    text = html.unescape(re.sub(r"<[^>]+>", " ", report))
    people = estimates.of_patients(predictions, point.threshold)
    for name in ("sensitivity", "specificity"):
        assert formatting.ends(people[name], True) in text
    assert str(patients.count(predictions)) in text
    ece = estimates.of(predictions, point.threshold)["ece"]
    assert f"Expected calibration error {formatting.interval(ece)}" in text


def test_the_first_page_of_the_report_gives_the_figures_and_sentences_of_the_page(bundle, texts, tmp_path):
    predictions, point = bundle.predictions, bundle.operating_point
    version, cells = versions.read(bundle.folder), held_out.facts(tmp_path, predictions)
    report = performance.render(version, point, "the model's own", HeldOutCurves(predictions), cells)
    page = texts[0]["threshold"]
    first = re.search(r'<header class="first-page">.*?</header>', report, re.S).group()
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", first)).split())
    assert str(patients.count(predictions)) in text
    figures = sources.evaluate(predictions, point)
    for name in source_words.HEADLINE:
        said = source_words.worst_of(figures, name)
        assert said in text
        assert said.lower() in page.replace("\\", "").lower()
    short = source_words.shortfalls(figures, 0.9, bundle.record.promised(point))
    assert bool(short) == ("Below target" in text)
    assert short in text
    at = estimates.of(predictions, point.threshold)
    called = formatting.matrix(at["sensitivity"].value, at["specificity"].value)
    assert called in text
    assert called in page
    shares = three_way.evaluate(predictions, point)
    for share in shares.values():
        assert formatting.interval(share, True) in text
    matrix = next(h.proto.body for h in texts[1]["threshold"].get("html") if 'class="matrix"' in h.proto.body)
    assert matrix in first
    wrong = re.search(r"[\d,]+ missed ALL cells and [\d,]+ false alarms", text).group()
    missed = held_out.misclassified(predictions, point.threshold, held_out.MISSED)
    assert wrong.startswith(f"{len(missed):,} missed")


def test_the_lowest_subgroup_is_the_lowest_row_or_the_caption_says_among_which():
    row = {"sensitivity_low": 0.5, "sensitivity_high": 1.0, "specificity_low": 0.1, "specificity_high": 0.9}
    table = subgroup_plots.pd.DataFrame(
        [
            {
                "part": "few",
                "all_cells": 4,
                "normal_cells": 3,
                "sensitivity": 0.25,
                "specificity": 0.1,
                **row,
            },
            {
                "part": "one",
                "all_cells": 50,
                "normal_cells": 60,
                "sensitivity": 0.9,
                "specificity": 0.6,
                **row,
            },
            {
                "part": "two",
                "all_cells": 50,
                "normal_cells": 60,
                "sensitivity": 0.8,
                "specificity": 0.7,
                **row,
            },
        ]
    )
    assert subgroups.worst(table)["part"] == "two"
    assert subgroup_plots.rates(table, "Source").caption == (
        "Among groups with at least 20 ALL cells, sensitivity is lowest for “two”: 80.0%, against 90.0% at "
        "best. Among groups with at least 20 normal cells, specificity is lowest for “one”: 60.0%."
    )
    assert subgroup_plots.rates(table[1:].reset_index(drop=True), "Source").caption.startswith(
        "Sensitivity is lowest for “two”"
    )
