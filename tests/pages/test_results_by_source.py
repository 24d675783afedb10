"""Results by source: one computation, the same values on both pages, card, report and command line."""

import re

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.cli.main import main
from leukemia.evaluation import held_out
from leukemia.evaluation.breakdown import source_words, sources
from leukemia.evaluation.comparison import EACH_PATIENT, WORST
from leukemia.evaluation.curves import HeldOutCurves
from leukemia.operating_point import OperatingPoint
from leukemia.registry import versions
from leukemia.reports import performance as report
from tests.support import bundle_factory
from tests.support.app import open_page, said
from tests.support.performance_page import pick, trace, values, visiting


@pytest.fixture
def visit(monkeypatch, tmp_path):
    return visiting(monkeypatch, tmp_path)


@pytest.fixture
def judged(tiny_bundle, tmp_path):
    return bundle_factory.judge_by_source(bundle_factory.copy_bundle(tiny_bundle, tmp_path / "judged"))


@pytest.fixture
def rows(judged):
    """The table as it follows from the predictions, computed here once more."""
    bundle = bundles.read(judged)
    return source_words.table(sources.evaluate(bundle.predictions, bundle.operating_point))


def of_markdown(text):
    """Rows of the first Markdown table with the header of the table by source."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    start = lines.index(list(source_words.HEADER)) + 2
    own = [line for line in lines[start : start + 8] if len(line) == len(source_words.HEADER)]
    return [tuple(line) for line in own]


def test_every_door_shows_the_same_table(judged, rows, visit, capsys, tmp_path):
    assert [row[0] for row in rows] == ["fold_0", "fold_2", WORST, EACH_PATIENT, source_words.EACH_CELL]
    bundle = bundles.read(judged)
    page = visit(judged, "sources")
    (table,) = [one.value for one in page.dataframe if "source" in one.value]
    assert [tuple(row) for row in table.to_numpy()] == rows
    assert of_markdown(bundle.card.replace("\\", "")) == rows
    assert main(["evaluate", str(judged)]) == 0
    printed = capsys.readouterr().out
    assert of_markdown(printed) == rows
    cells = held_out.facts(tmp_path, bundle.predictions)
    version, curves = versions.read(judged), HeldOutCurves(bundle.predictions)
    html = report.render(version, bundle.operating_point, "own", curves, cells)
    section = html.split("<h2>By source</h2>")[1].split("<h2>")[0]
    cells = [tuple(re.findall(r"<td>(.*?)</td>", row)) for row in re.findall(r"<tr>(<td>.*?)</tr>", section)]
    assert cells == rows
    worst = source_words.lines(bundle.record.by_source, 0.95, bundle.record.indeterminate)[0]
    assert worst in printed
    assert worst in html
    assert worst in bundle.card.replace("\\", "")


def test_both_pages_name_the_worst_source_and_what_is_not_as_intended(judged, visit, monkeypatch):
    bundle = bundles.read(judged)
    figures = bundle.record.by_source
    for section in ("threshold", "sources", "patients"):
        text = said(visit(judged, section)).lower()
        for name in source_words.HEADLINE:
            assert source_words.worst_of(figures, name).lower() in text
    short = source_words.shortfalls(
        figures, bundle.record.threshold.target_recall, bundle.record.indeterminate
    )
    assert short
    assert short in said(visit(judged))
    monkeypatch.setenv("LEUKEMIA_MODEL", str(judged))
    text = said(open_page("classify"))
    for name in ("missed", "alarmed"):
        assert text.lower().count(source_words.worst_of(figures, name).lower()) == 2, "in the panel, the line"
    assert short.split(". ")[0] in text


def test_figures_follow_the_threshold_and_the_intended_recall_is_of_the_models_own(judged, visit):
    page = visit(judged, "sources")
    shown = values(trace(page, "Sensitivity")["x"])
    own = sources.evaluate(bundles.read(judged).predictions, bundles.read(judged).operating_point)
    expected = [*own.sources.values(), own.each_patient]
    assert shown == pytest.approx([one.estimates["sensitivity"].value for one in expected])
    page = pick(page, "By hand")
    page.select_slider[0].set_range(0.9, 0.9).run()
    moved = sources.evaluate(bundles.read(judged).predictions, OperatingPoint.of(0.9))
    for name in source_words.HEADLINE:
        assert source_words.worst_of(moved, name).lower() in said(page).lower()
    assert "of ALL cells are found (at least" not in said(page)


def test_what_the_range_promises_is_told_by_source(judged, visit):
    text = said(visit(judged, "sources"))
    assert "What the indeterminate range promises in each source" in text
    assert "not known, with fewer than 4 patients, in fold_2 (2)" in text


def test_versions_are_compared_by_source(judged, tiny_bundle, tmp_path, visit, capsys):
    other = bundle_factory.copy_bundle(judged, tmp_path / "other", predictions=bundle_factory.blurred(judged))
    assert main(["evaluate", str(judged), str(other)]) == 0
    printed = capsys.readouterr().out
    page = visit(judged, "compare")
    page.multiselect[0].select(str(other)).run()
    (table,) = [one.value for one in page.dataframe if "source" in one.value]
    assert table["source"].tolist() == ["fold_0", "fold_2", WORST, EACH_PATIENT]
    for row in table.to_numpy():
        assert f"| {' | '.join(row)} |" in printed


def test_a_model_without_sources_says_so(tiny_bundle, visit, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "no-data"))
    page = visit(tiny_bundle, "sources")
    assert source_words.UNKNOWN in [one.value for one in page.info]
    assert main(["evaluate", str(tiny_bundle)]) == 0
    assert source_words.UNKNOWN in capsys.readouterr().out
