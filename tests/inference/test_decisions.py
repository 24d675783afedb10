import csv
import io

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.inference import decisions
from leukemia.inference.classifier import Answer
from tests.support import bundle_factory


@pytest.mark.parametrize(
    ("probability", "label", "words"),
    [
        (0.7, "ALL", "ALL-like"),
        (0.5, "ALL", "ALL-like"),
        (0.4999, "Normal", "Normal-like"),
        (None, "", "Not readable"),
    ],
)
def test_a_probability_becomes_words_at_a_threshold(probability, label, words):
    assert decisions.label(probability, 0.5) == label
    assert decisions.decision(probability, 0.5) == words


def test_near_the_threshold():
    assert decisions.is_near(0.53, 0.5)
    assert not decisions.is_near(0.6, 0.5)
    assert not decisions.is_near(None, 0.5)


def test_counts_follow_the_threshold():
    answers = [Answer("a", 0.2), Answer("b", 0.6), Answer("c", 0.9), Answer("d", error="blank")]
    assert decisions.count(answers, 0.5) == {"ALL-like": 2, "Normal-like": 1, "Not readable": 1}
    assert decisions.count(answers, 0.7)["ALL-like"] == 1


def test_the_table_begins_as_promised_and_carries_the_notice(tiny_bundle):
    bundle = bundles.read(tiny_bundle)
    answers = [
        Answer("a.bmp", 0.25, image_id="f" * 64, area=123, note="JPEG, quality 90, 4:2:0"),
        Answer("b, c.bmp", error="The file is empty."),
    ]
    rows = list(csv.DictReader(io.StringIO(decisions.to_csv(answers, 0.5, bundle))))
    assert list(rows[0])[:4] == ["file", "probability", "label", "error"]
    assert [row["file"] for row in rows] == ["a.bmp", "b, c.bmp"]
    assert (rows[0]["probability"], rows[0]["label"], rows[0]["error"]) == ("0.25", "Normal", "")
    assert (rows[1]["probability"], rows[1]["label"], rows[1]["error"]) == ("", "", "The file is empty.")
    assert rows[0]["distance_to_threshold"] == "-0.25"
    assert all("For research use only" in row["notice"] and "synthetic" in row["notice"] for row in rows)
    assert rows[0]["model_sha256"] == bundle.digest
    assert list(rows[0])[-2:] == ["note", "notice"]
    assert [row["note"] for row in rows] == ["JPEG, quality 90, 4:2:0", ""]


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@x", "\tx"])
def test_a_name_like_a_formula_is_made_inert(tiny_bundle, name):
    text = decisions.to_csv([Answer(name, 0.1)], 0.5, bundles.read(tiny_bundle))
    assert next(csv.DictReader(io.StringIO(text)))["file"] == "'" + name


@pytest.mark.parametrize(
    ("probability", "word"),
    [
        (0.19, decisions.NORMAL_LIKE),
        (0.2, decisions.INDETERMINATE),
        (0.69, decisions.INDETERMINATE),
        (0.7, decisions.ALL_LIKE),
        (None, decisions.UNREADABLE),
    ],
)
def test_within_the_band_nothing_is_decided(probability, word):
    assert decisions.decision(probability, 0.4, (0.2, 0.7)) == word


def test_the_band_is_counted_and_exported_with_what_is_needed(copied_bundle):
    band = {"low": 0.2, "high": 0.7, "missed": 0.05, "alarmed": 0.1}
    bundle = bundles.read(bundle_factory.edit(copied_bundle, {"indeterminate": band}))
    answers = [Answer("a", 0.5), Answer("b", 0.9), Answer("c", 0.1)]
    assert decisions.count(answers, 0.4, bundle.band)[decisions.INDETERMINATE] == 1
    rows = [decisions.row(answer, 0.4, bundle) for answer in answers]
    assert [row["decision"] for row in rows] == [
        "Indeterminate: needs a haematologist",
        "ALL-like",
        "Normal-like",
    ]
    assert [row["label"] for row in rows] == ["ALL", "ALL", "Normal"]
