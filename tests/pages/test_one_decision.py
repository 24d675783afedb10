"""One pair of limits, one decision and one value of a figure, wherever they stand."""

import json
import re
from html import unescape

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.cli.main import main
from leukemia.evaluation import comparison, formatting, held_out, three_way
from leukemia.evaluation.curves import HeldOutCurves
from leukemia.inference.answer import Answer
from leukemia.inference.batch import Result
from leukemia.inference.learned import Learned
from leukemia.operating_point import CALLS, OperatingPoint
from leukemia.registry import versions
from leukemia.reports import performance as report
from leukemia.reports import verification as verification_report
from leukemia.verification import answering, store
from leukemia.verification.statistics import Criterion
from pages.components import cell_grid
from tests.support import bundle_factory
from tests.support.app import open_page, said
from tests.support.labelled_cells import write_folders
from tests.support.performance_page import visiting

NEW = Learned(frozenset(), frozenset())
POINT = OperatingPoint(0.3, 0.9, 0.5)


@pytest.fixture
def judged(tiny_bundle, tmp_path):
    """A version with a band; its record and card say what follows."""
    return bundle_factory.judge_by_source(bundle_factory.copy_bundle(tiny_bundle, tmp_path / "judged"))


def test_every_door_says_the_same_shares_of_the_same_decisions(judged, monkeypatch, tmp_path, capsys):
    bundle = bundles.read(judged)
    point = bundle.operating_point
    assert point == OperatingPoint(0.3, 0.8, 0.5)
    shares = three_way.rows(three_way.evaluate(bundle.predictions, point))
    values = [formatting.interval(shares[label][call], True) for label in shares for call in CALLS]
    assert len(set(values)) > 3
    visit = visiting(monkeypatch, tmp_path)
    matrix = next(h.proto.body for h in visit(judged).get("html") if 'class="matrix"' in h.proto.body)
    assert re.findall(r"<span>([\d.]+% \(.*?\))</span>", matrix) == values
    cells = held_out.facts(tmp_path, bundle.predictions)
    html = report.render(versions.read(judged), point, "own", HeldOutCurves(bundle.predictions), cells)
    assert matrix in html
    assert main(["evaluate", str(judged)]) == 0
    printed = capsys.readouterr().out
    rows = [
        f"ALL, cells weighted equally | {' | '.join(values[:3])}",
        f"Normal, cells weighted equally | {' | '.join(values[3:])}",
    ]
    for row in rows:
        assert row in re.sub(r"(?<=\| )[\d,]+: ", "", printed)
        assert row in bundle.card.replace("\\", "")
    monkeypatch.setenv("LEUKEMIA_MODEL", str(judged))
    page = open_page("classify")
    (text,) = [one.value for one in page.sidebar.markdown if one.value.startswith("**Of ALL cells**")]
    assert re.findall(r"[\d.]+% \(.*?\)", text) == values
    for door in (said(page), printed, html, bundle.card):
        assert str(point).rstrip(".") in door.replace("\\", "")


def test_compare_says_the_shares_that_every_other_door_says(judged, monkeypatch, tmp_path):
    bundle = bundles.read(judged)
    other = bundle_factory.copy_bundle(judged, tmp_path / "shelf" / "other", recipe="other")
    served = bundle_factory.copy_bundle(judged, tmp_path / "shelf" / "served")
    page = visiting(monkeypatch, tmp_path)(served, "compare")
    assert not page.dataframe
    page.session_state["performance-others"] = [str(other)]
    page.run()
    assert not page.exception
    shares = three_way.evaluate(bundle.predictions, bundle.operating_point)
    table = next(frame.value for frame in page.dataframe if "metric" in frame.value).set_index("metric")
    for name, share in shares.items():
        # Both versions are the same but for their name: the same decisions on the same cells.
        cells = table.loc[comparison.WORDS[name]].tolist()
        assert cells[:2] == [formatting.interval(share, True)] * 2, name
        assert cells[2].endswith("0.0 points, 95% 0.0 to 0.0: the same")


def test_verify_states_the_decisions_of_the_limits_in_service(judged, monkeypatch, tmp_path):
    data = tmp_path / "data"
    bundle = bundles.read(judged)
    stated = store.state(data, bundle, "judged", "St. Elsewhere", Criterion(0.2, 0.2), "Dr. Ada")
    answered = answering.answer(stated, bundle, write_folders(tmp_path / "cells"))
    cells = store.cells(answered)
    counted = cells[(cells["left_out"].fillna("") == "") & cells["probability"].notna()]
    shares = three_way.rows(three_way.evaluate(counted, bundle.operating_point, equal=True))
    values = [formatting.interval(shares[label][call], True) for label in shares for call in CALLS]
    page = said(visiting(monkeypatch, tmp_path)(judged, "verify", data=data))
    html = unescape(verification_report.render(answered, cells, bundle))
    for door in (page, html):
        # One sentence a class: each share once, in the order of the other doors.
        (found,) = re.findall(r"patients weighted equally: (Of ALL cells, .*? Of normal cells, .*?\.) ", door)
        assert re.findall(r"[\d.]+% \(.*?\)", found) == values


def test_the_chart_by_threshold_shades_the_range_of_the_decisions(judged, monkeypatch, tmp_path):
    page = visiting(monkeypatch, tmp_path)(judged)
    (chart,) = [
        spec
        for spec in (json.loads(chart.proto.spec) for chart in page.get("plotly_chart"))
        if spec["layout"]["title"]["text"].endswith("by threshold")
    ]
    (shaded,) = [shape for shape in chart["layout"]["shapes"] if shape["type"] == "rect"]
    assert (shaded["x0"], shaded["x1"]) == (0.3, 0.8)
    assert shaded["showlegend"] and shaded["name"] == "Abstains: 0.300 to 0.800"
    dashed, solid = ([s["x0"] for s in chart["layout"]["shapes"] if _is_line(s, d)] for d in ("dash", None))
    assert (dashed, solid) == ([0.3, 0.8], [0.5])
    assert "In the shaded range the model abstains" in said(page)
    page.session_state["performance-how"] = "By hand"
    page.run()
    assert "In the shaded range the model abstains" in said(page)


def _is_line(shape, dash):
    return shape["type"] == "line" and shape["line"].get("dash") == dash


@pytest.mark.parametrize(
    ("probability", "words", "where"),
    [
        (0.892, "◆ Indeterminate", "close to the limit 0.900 (−0.01)"),
        (0.6, "◆ Indeterminate", "between 0.300 and 0.900"),
        (0.95, "▲ ALL-like", "close to the limit 0.900 (+0.05)"),
        (1.0, "▲ ALL-like", "0.10 above 0.900"),
        (0.1, "● Normal-like", "0.20 below 0.300"),
        (0.2998, "● Normal-like", "close to the limit 0.3000 (−0.0002)"),
    ],
)
def test_a_card_says_nothing_that_contradicts_its_decision(probability, words, where):
    probability = round(probability - 1e-9, 9) if probability == 0.95 else probability
    html = cell_grid.grid([Result("a", Answer("a", probability))], POINT, NEW)
    assert words in html
    assert f">{where}</p>" in html
    assert "threshold" not in html
    assert 'style="left:30.0%;width:60.0%"' in html, "the range is shaded"


def test_a_card_says_that_the_model_learned_from_the_cell_and_what_it_was_held_out():
    known = Learned(frozenset("ab"), frozenset(), {"a": 0.41})
    html = cell_grid.grid([Result(n, Answer(n, 0.95, image_id=n)) for n in "abc"], POINT, known)
    first, second, third = html.split('<div class="cell ')[1:]
    assert "The model learned from this cell. Held out: Indeterminate (0.410)." in first
    assert "The model learned from this cell. A held-out answer is not available." in second
    assert "learned" not in third


def test_a_card_of_a_lossy_file_says_that_it_cannot_be_told_whether_the_model_learned_from_it():
    known = Learned(frozenset("a"), frozenset())
    answers = [
        Answer(name, 0.95, image_id=name, lossy=lossy) for name, lossy in (("a", 1), ("b", 1), ("c", 0))
    ]
    html = cell_grid.grid([Result(one.name, one) for one in answers], POINT, known)
    first, second, third = html.split('<div class="cell ')[1:]
    assert "The model learned from this cell." in first and cell_grid.UNTOLD not in first
    assert cell_grid.UNTOLD in second
    assert "learned" not in third
