import numpy as np
import pandas as pd
import pytest

from leukemia.evaluation import estimates, held_out, metrics, prevalence
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.breakdown import patients
from leukemia.evaluation.wilson import wilson
from tests.support import plain_estimates


def test_at_the_held_out_cells_own_prevalence_the_values_are_those_of_the_matrix(answers):
    predictions = answers(0)
    cells = PatientBootstrap(predictions)
    own = float((predictions["label"] == "ALL").mean())
    values, expected = prevalence.at(cells, 0.5, own), plain_estimates.at_threshold(predictions, 0.5)
    for name in ("ppv", "npv"):
        assert values[name].value == pytest.approx(expected[name].value)


def test_values_at_a_prevalence_follow_bayes(answers):
    cells = PatientBootstrap(answers(1))
    at = plain_estimates.at_threshold(cells.predictions, 0.5)
    sensitivity, specificity = at["sensitivity"].value, at["specificity"].value
    # Of 100,000 cells at 1 %, counted out.
    hits, alarms = 1_000 * sensitivity, 99_000 * (1 - specificity)
    assert prevalence.at(cells, 0.5, 0.01)["ppv"].value == pytest.approx(hits / (hits + alarms))
    curve = prevalence.curve(cells, 0.5)
    assert curve["ppv"].is_monotonic_increasing
    assert curve["npv"].is_monotonic_decreasing
    assert ((curve["ppv_low"] <= curve["ppv"]) & (curve["ppv"] <= curve["ppv_high"])).all()


def test_a_row_a_patient_the_worst_first(answers):
    predictions = answers(2)
    people = patients.table(predictions, 0.5)
    assert people["accuracy"].is_monotonic_increasing
    assert people["cells"].sum() == len(predictions)
    for row in people.itertuples():
        own = predictions[predictions["patient_group"] == row.patient_group]
        called = own["probability"] >= 0.5
        assert row.called == pytest.approx(called.mean())
        assert row.accuracy == pytest.approx((called == (own["label"] == "ALL")).mean())
        assert row.right == ((own["probability"].mean() >= 0.5) == (row.label == "ALL"))


def test_patients_called_right_are_those_of_the_patient_figures(answers):
    predictions = answers(3)
    rates = patients.rates(patients.table(predictions, 0.5))
    expected = estimates.of_patients(predictions, 0.5)
    for name, (right, people, share) in rates.items():
        assert share == expected[name], "one interval, wherever it is shown"
        assert right / people == share.value


def people(*rows):
    return pd.DataFrame(rows, columns=["patient_group", "label", "probability"])


def test_the_threshold_of_patients_calls_most_of_them_right_and_misses_the_fewest():
    apart = people(("a", "ALL", 0.9), ("b", "ALL", 0.7), ("c", "Normal", 0.5), ("d", "Normal", 0.1))
    assert patients.threshold_of(apart) == pytest.approx(0.6)
    # Two thresholds with one error each: the one that misses no patient with ALL.
    mixed = people(("a", "ALL", 0.9), ("c", "Normal", 0.6), ("b", "ALL", 0.4), ("d", "Normal", 0.1))
    assert patients.threshold_of(mixed) == pytest.approx(0.25)
    tied = people(("a", "ALL", 0.9), ("b", "ALL", 0.5), ("c", "Normal", 0.5), ("d", "Normal", 0.3))
    assert patients.threshold_of(tied) == pytest.approx(0.4), "not between two of one probability"
    assert patients.threshold_of(people(("a", "ALL", 0.9), ("b", "ALL", 0.6))) == pytest.approx(0.3)
    assert patients.threshold_of(people(("a", "Normal", 0.9))) > 0.9


def test_a_patient_is_called_by_a_threshold_that_it_had_no_part_in():
    cells = people(
        *(("a", "ALL", 0.9), ("a", "ALL", 0.7), ("b", "Normal", 0.4), ("c", "ALL", 0.5), ("d", "Normal", 0.2))
    ).assign(fold=[1, 1, 1, 2, 2])
    called = patients.right_at_own_threshold(cells).set_index("patient_group")["right"]
    # Without its own fold, c is called at (0.8 + 0.4) / 2 and b at (0.5 + 0.2) / 2.
    assert called.to_dict() == {"a": True, "b": False, "c": False, "d": True}


def test_wilson_intervals_are_the_textbooks():
    # Newcombe RG, Stat Med 1998;17:857-872, table I: 81/263, 15/148, 0/20, 1/29.
    for hits, trials, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        share = wilson(hits, trials)
        assert (share.low, share.high) == pytest.approx((low, high), abs=5e-5)
    assert np.isnan(wilson(0, 0).value)


def test_wrong_calls_come_the_most_confident_first():
    predictions = pd.DataFrame(
        {
            "image_id": list("abcdef"),
            "label": ["ALL", "ALL", "ALL", "Normal", "Normal", "Normal"],
            "probability": [0.4, 0.1, 0.5, 0.5, 0.9, 0.2],
        }
    )
    assert held_out.misclassified(predictions, 0.5, held_out.MISSED)["image_id"].tolist() == ["b", "a"]
    assert held_out.misclassified(predictions, 0.5, held_out.ALARM)["image_id"].tolist() == ["e", "d"]
    counts = metrics.confusion(predictions, 0.5)
    assert len(held_out.misclassified(predictions, 0.5, held_out.MISSED)) == counts["fn"]
    assert len(held_out.misclassified(predictions, 0.5, held_out.ALARM)) == counts["fp"]


def test_a_patient_is_right_in_a_source_by_its_cells_there(answers):
    predictions = answers(4).assign(source=lambda frame: np.where(np.arange(len(frame)) % 3, "one", "two"))
    right = patients.right_by_source(predictions, 0.5)
    for source, own in predictions.groupby("source"):
        assert right[source] == patients.table(own, 0.5)["right"].sum()
    everyone = patients.right_by_source(predictions.assign(source="all"), 0.5)
    assert everyone == {"all": patients.table(predictions, 0.5)["right"].sum()}


def test_a_group_with_cells_of_both_labels_is_one_group_in_both_classes():
    cells = pd.DataFrame({"patient_group": ["1", "1", "2", "3"], "label": ["ALL", "Normal", "ALL", "Normal"]})
    assert str(patients.count(cells)) == "3 patient groups (2 with ALL, 2 healthy, 1 of them in both)"
    assert str(patients.count(cells.iloc[2:])) == "2 patient groups (1 with ALL, 1 healthy)"
