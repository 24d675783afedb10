import html as markup
import re

import pandas as pd
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.evaluation import held_out, three_way
from leukemia.evaluation.curves import HeldOutCurves
from leukemia.operating_point import OperatingPoint
from leukemia.registry import versions
from leukemia.reports import performance, wording
from leukemia.settings import RESEARCH_USE
from tests.support import bundle_factory


@pytest.fixture
def judged(drawn_bundle, tmp_path):
    """A version whose held-out cells lie in the drawn set: one ALL cell is missed, one normal cell alarms."""
    return bundle_factory.copy_bundle(drawn_bundle, tmp_path / "judged")


def first_page(folder, data, point=None):
    version = versions.read(folder)
    bundle = version.bundle
    known = held_out.facts(data, bundle.predictions)
    point = point or bundle.operating_point
    report = performance.render(version, point, "own", HeldOutCurves(bundle.predictions), known, data)
    return re.search(r'<header class="first-page">.*?</header>', report, re.S).group(), report


def words(page):
    return " ".join(markup.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_it_pictures_the_worst_errors_missed_cells_first(judged, drawn_set):
    predictions = bundles.read(judged).predictions
    missed = held_out.misclassified(predictions, 0.5, held_out.MISSED)
    alarms = held_out.misclassified(predictions, 0.5, held_out.ALARM)
    assert len(missed) + len(alarms) == 2
    page, _ = first_page(judged, drawn_set)
    expected = [row.image_id[:12] for row in (*missed.itertuples(), *alarms.itertuples())]
    assert re.findall(r"<br>([0-9a-f]{12})<", page) == expected
    assert page.count('src="data:image/jpeg;base64,') == 2
    assert wording.NO_IMAGES not in page
    assert f"{len(missed):,} missed ALL cells and {len(alarms):,} false alarms" in words(page)
    assert RESEARCH_USE in page


def test_without_the_images_it_lists_them_and_says_how_to_see_them(judged, tmp_path):
    data = tmp_path / "nothing"
    page, _ = first_page(judged, data)
    assert "<img" not in page
    assert wording.NO_IMAGES in words(page)
    assert page.count("<figure>") == 2
    assert not data.exists(), "a report makes no folder"


def test_at_most_a_row_of_each_kind_is_pictured_and_an_image_once(judged, tmp_path):
    frame = bundles.read(judged).predictions
    doubled = frame.loc[frame["label"] == "ALL"].head(1).assign(patient_group="another")
    frame = pd.concat([frame, doubled], ignore_index=True).assign(probability=0.5)
    frame.loc[frame["label"] == "ALL", "probability"] = 0.01
    bundle_factory.write_predictions(judged, frame)
    page, _ = first_page(judged, tmp_path)
    ids = re.findall(r"<br>([0-9a-f]{12})<", page)
    assert len(ids) == len(set(ids)) == 14


def test_it_gives_the_limits_with_their_promise_and_the_shares_of_each_decision(tiny_bundle, tmp_path):
    folder = bundle_factory.judge_by_source(bundle_factory.copy_bundle(tiny_bundle, tmp_path / "judged"))
    bundle = bundles.read(folder)
    own, _ = first_page(folder, tmp_path)
    said = words(own)
    point = bundle.operating_point
    assert str(point) in said
    assert "at most 5% of ALL cells are expected below this range" in said
    counts = three_way.counts(bundle.predictions, point)
    assert re.findall(r"<b>([\d,]+)</b>", own) == [f"{count:,}" for count in counts.values()]
    moved, report = first_page(folder, tmp_path, OperatingPoint(0.45, 0.55, 0.5))
    assert "not chosen for a promised share of errors" in words(moved)
    assert "by limits from other patients" not in words(report), "narrower limits keep no promise"


def test_text_from_a_bundle_is_escaped(judged, tmp_path):
    frame = bundles.read(judged).predictions.assign(patient_group="<img src=x onerror=alert(1)>")
    frame.loc[frame["label"] == "ALL", "patient_group"] = "other"
    bundle_factory.write_predictions(judged, frame)
    _, report = first_page(judged, tmp_path)
    assert "<img src=x" not in report
