"""One decision from one pair of limits, in words, in counts and in the table."""

import csv
import io

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.inference import decisions
from leukemia.inference.answer import Answer
from leukemia.inference.learned import Learned
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE, OperatingPoint
from tests.support import bundle_factory

NEW = Learned(frozenset(), frozenset())
PAIR = OperatingPoint(0.2, 0.7, 0.4)


def table(answers, point, bundle, known=NEW):
    return list(csv.DictReader(io.StringIO(decisions.to_csv(answers, point, bundle, known))))


@pytest.mark.parametrize(
    ("probability", "word"),
    [
        (0.19, "Normal-like"),
        (0.2, "Indeterminate"),
        (0.4, "Indeterminate"),
        (0.69, "Indeterminate"),
        (0.7, "ALL-like"),
        (None, "Not classified"),
    ],
)
def test_a_probability_becomes_words_between_two_limits(probability, word):
    assert decisions.decision(probability, PAIR) == word


@pytest.mark.parametrize(("probability", "word"), [(0.4999, "Normal-like"), (0.5, "ALL-like")])
def test_with_both_limits_at_one_place_every_cell_is_called(probability, word):
    assert decisions.decision(probability, OperatingPoint.of(0.5)) == word


def test_a_moved_limit_decides_and_the_order_of_probabilities_is_never_broken():
    order = [NORMAL_LIKE, decisions.INDETERMINATE, ALL_LIKE]
    for low, high in ((0.0, 1.0), (0.992, 0.992), (0.3, 0.9), (0.995, 1.0)):
        point = PAIR.moved(low, high)
        words = [order.index(decisions.decision(p / 1000, point)) for p in range(1001)]
        assert words == sorted(words)
    assert decisions.decision(0.504, PAIR.moved(0.995, 0.995)) == NORMAL_LIKE


def test_close_to_a_limit():
    assert decisions.is_near(0.24, PAIR)
    assert decisions.is_near(0.68, PAIR)
    assert not decisions.is_near(0.4, PAIR)
    assert not decisions.is_near(None, PAIR)


def test_counts_follow_the_limits():
    answers = [Answer("a", 0.2), Answer("b", 0.6), Answer("c", 0.9), Answer("d", error="blank")]
    every = OperatingPoint.of(0.5)
    assert decisions.count(answers, every) == {"ALL-like": 2, "Normal-like": 1, "Not classified": 1}
    assert decisions.count(answers, every.moved(0.5, 0.7)) == {
        "ALL-like": 1,
        "Indeterminate": 1,
        "Normal-like": 1,
        "Not classified": 1,
    }


def test_the_table_has_one_decision_both_limits_the_time_and_the_notice(tiny_bundle):
    bundle = bundles.read(tiny_bundle)
    answers = [
        Answer("a.bmp", 0.25, image_id="f" * 64, area=123, note="JPEG, quality 90, 4:2:0"),
        Answer("b, c.bmp", error="The file is empty."),
    ]
    rows = table(answers, PAIR, bundle)
    assert list(rows[0])[:4] == ["file", "probability", "decision", "error"]
    assert not {"label", "threshold", "distance_to_threshold"} & set(rows[0])
    assert [row["file"] for row in rows] == ["a.bmp", "b, c.bmp"]
    assert (rows[0]["probability"], rows[0]["decision"], rows[0]["error"]) == ("0.25", "Indeterminate", "")
    assert (rows[1]["probability"], rows[1]["decision"]) == ("", "Not classified")
    assert rows[1]["error"] == "The file is empty."
    assert {(row["normal_like_below"], row["all_like_from"]) for row in rows} == {("0.2", "0.7")}
    assert rows[0]["classified_at"] == answers[0].at
    assert answers[0].at.endswith("+00:00")
    assert all("For research use only" in row["notice"] and "synthetic" in row["notice"] for row in rows)
    assert rows[0]["model_sha256"] == bundle.digest
    assert list(rows[0])[-2:] == ["note", "notice"]
    assert [row["note"] for row in rows] == ["JPEG, quality 90, 4:2:0", ""]


def test_a_cell_that_the_model_learned_from_has_its_held_out_answer_beside_it(tiny_bundle):
    known = Learned(frozenset("abc"), frozenset(), {"a": 0.1, "b": 0.5})
    answers = [Answer(name, 0.9, image_id=name) for name in "abcd"]
    answers.append(Answer("e", error="The file is empty."))
    rows = table(answers, PAIR, bundles.read(tiny_bundle), known)
    assert [row["learned_from"] for row in rows] == ["yes", "yes", "yes", "no", ""]
    assert [row["held_out_probability"] for row in rows] == ["0.1", "0.5", "", "", ""]
    assert [row["held_out_decision"] for row in rows] == ["Normal-like", "Indeterminate", "", "", ""]
    assert {row["decision"] for row in rows[:4]} == {"ALL-like"}


def test_of_a_lossy_file_it_cannot_be_told_whether_the_model_learned_from_it(tiny_bundle):
    known = Learned(frozenset("a"), frozenset(), {"a": 0.1})
    answers = [Answer(name, 0.9, image_id=name, lossy=name != "b") for name in "abc"]
    rows = table(answers, PAIR, bundles.read(tiny_bundle), known)
    assert [row["learned_from"] for row in rows] == ["yes", "no", "unknown"]
    # Where its cells are not on record, nothing is known of a lossless file either.
    nothing = Learned(frozenset(), frozenset(), is_whole=False)
    rows = table(answers, PAIR, bundles.read(tiny_bundle), nothing)
    assert {row["learned_from"] for row in rows} == {"unknown"}


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@x", "\tx", "＝cmd()", "＋1", "－1", "＠x", " =1"])
def test_a_name_like_a_formula_is_made_inert(tiny_bundle, name):
    (row,) = table([Answer(name, 0.1)], PAIR, bundles.read(tiny_bundle))
    assert row["file"] == "'" + name


def test_the_limits_of_a_bundle_are_its_band_widened_to_hold_its_threshold(copied_bundle):
    bundle = bundles.read(copied_bundle)
    assert bundle.operating_point == OperatingPoint(0.5, 0.5, 0.5)

    def with_band(low, high):
        band = {"low": low, "high": high, "missed": 0.05, "alarmed": 0.1}
        return bundles.read(bundle_factory.edit(copied_bundle, {"indeterminate": band}))

    assert with_band(0.2, 0.7).operating_point == OperatingPoint(0.2, 0.7, 0.5)
    assert with_band(0.6, 0.7).operating_point == OperatingPoint(0.5, 0.7, 0.5)
    assert with_band(0.2, 0.3).operating_point == OperatingPoint(0.2, 0.5, 0.5)
    record = with_band(0.2, 0.7).record
    assert record.promised(record.operating_point.moved(0.1, 0.8))
    assert not record.promised(record.operating_point.moved(0.3, 0.7))


def test_cells_that_the_model_learned_from_are_counted_with_their_held_out_answers():
    known = Learned(frozenset("abc"), frozenset(), {"a": 0.1, "b": 0.5})
    number, said = decisions.learned_from("abd", PAIR, known)
    assert number == 2
    assert said.endswith("had not seen their patients: 0 ALL-like · 1 indeterminate · 1 Normal-like.")
    assert decisions.learned_from("c", PAIR, known) == (1, "Its answers on them say nothing about new cells.")
    assert decisions.learned_from("de", PAIR, known) == (0, "")
