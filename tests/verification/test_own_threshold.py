"""A laboratory's own threshold and calibration: what is judged was not chosen on what it is judged on."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leukemia.evaluation import calibration
from leukemia.verification import own_threshold, statistics
from leukemia.verification.statistics import Criterion

CRITERION = Criterion(0.8, 0.8)


def cells(of_all, of_normal, each=4):
    rows = [(f"A{n}", "ALL", p) for n, p in enumerate(of_all)]
    rows += [(f"H{n}", "Normal", p) for n, p in enumerate(of_normal)]
    return pd.DataFrame(rows * each, columns=["patient_group", "label", "probability"])


def test_it_leaves_the_most_room_over_the_criterion_on_the_side_that_has_less():
    frame = cells([0.6, 0.7, 0.8, 0.9, 0.95], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert 0.5 < own_threshold.choose(frame, CRITERION) < 0.6
    # A claim of sensitivity that only the lowest threshold reaches is worth false alarms.
    mixed = cells([0.25, 0.7, 0.8, 0.9, 0.95], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert own_threshold.choose(mixed, Criterion(0.95, 0.2)) < 0.25
    assert own_threshold.choose(mixed, Criterion(0.2, 0.95)) > 0.5


def test_a_patient_who_alone_moves_the_threshold_is_judged_without_having_moved_it():
    frame = cells([0.3, 0.7, 0.75, 0.8, 0.85], [0.05, 0.1, 0.15, 0.2, 0.25])
    assert own_threshold.choose(frame, CRITERION) < 0.3
    judged = own_threshold.left_out(frame, CRITERION).set_index("patient_group")
    # Chosen with A0, everything is called right; left out, A0 is missed.
    table = statistics.at_threshold(frame, own_threshold.choose(frame, CRITERION), CRITERION)
    assert table["sensitivity"].value == 1
    assert judged.loc["A0", "threshold"] > 0.3 and judged.loc["A0", "accuracy"] == 0
    assert statistics.rates(judged, CRITERION)["sensitivity"].value == pytest.approx(0.8)


def test_a_patients_own_cells_do_not_change_its_own_threshold():
    frame = cells([0.3, 0.7, 0.75, 0.8, 0.85], [0.05, 0.1, 0.15, 0.2, 0.25])
    before = own_threshold.left_out(frame, CRITERION).set_index("patient_group")["threshold"]
    changed = frame.assign(probability=frame["probability"].mask(frame["patient_group"] == "A3", 0.41))
    after = own_threshold.left_out(changed, CRITERION).set_index("patient_group")["threshold"]
    # It is a candidate halfway between others' cells, so that its neighbours may move; what is called is not.
    others = frame[frame["patient_group"] != "A3"]
    for one in (before["A3"], after["A3"]):
        called = (others["probability"] >= one) == (others["label"] == "ALL")
        assert called.groupby(others["patient_group"]).mean().mean() == 1


def test_a_patient_with_cells_of_both_classes_is_left_out_of_both():
    frame = cells([0.6, 0.7, 0.8, 0.9, 0.95], [0.1, 0.2, 0.3, 0.4, 0.5])
    frame["patient_group"] = frame["patient_group"].replace("H4", "A0")
    judged = own_threshold.left_out(frame, CRITERION)
    both = judged[judged["patient_group"] == "A0"]
    assert sorted(both["label"]) == ["ALL", "Normal"] and both["threshold"].nunique() == 1


def drawn(patients, seed=0):
    """Patients of a laboratory whose slides move every answer towards ALL."""
    rng = np.random.default_rng(seed)
    return cells(expit(rng.normal(4, 1.5, patients)), expit(rng.normal(1, 1.5, patients)))


def test_a_model_that_is_too_high_at_this_laboratory_is_put_right_by_the_others():
    own = own_threshold.calibrate(drawn(60))
    assert own.shift < -1
    assert own.ece_left_out < 0.6 * own.ece


def test_a_calibration_is_judged_on_patients_it_was_not_fitted_to():
    few = drawn(5)
    own = own_threshold.calibrate(few)
    logit = calibration.to_logit(few["probability"].to_numpy())
    fitted = few.assign(probability=expit(own.stretch * logit + own.shift))
    # On what it was fitted to it looks better than it is: the one error that cannot be made here.
    assert own_threshold.calibrate(fitted).ece < own.ece_left_out
