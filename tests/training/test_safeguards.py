"""Calibration, band and novelty check of a single training, from its validation patients."""

import numpy as np
import pandas as pd
import pytest

from leukemia.evaluation import calibration, conformal, novelty
from leukemia.training import safeguards


def validation(diseased, healthy, cells=6):
    """Predictions of patients whose cells lie about their class, with some overlap."""
    rng = np.random.default_rng(0)
    rows = [
        (f"{label}{number}", label, float(rng.beta(*shape)), float(rng.uniform(0.5, 1.5)), "one")
        for label, patients, shape in (("ALL", diseased, (5, 2)), ("Normal", healthy, (2, 5)))
        for number in range(patients)
        for _ in range(cells)
    ]
    return pd.DataFrame(rows, columns=["patient_group", "label", "probability", "distance", "source"])


def test_enough_validation_patients_give_the_band_that_they_can_promise():
    cells = validation(19, 4)
    band, expected = safeguards.band(cells), conformal.band(cells)
    assert (band.low, band.high) == (expected.low, expected.high)
    assert 0 < band.low < band.high < 1
    assert band.promises == conformal.promises(cells, expected)


@pytest.mark.parametrize(("diseased", "healthy"), [(18, 4), (19, 3)])
def test_too_few_patients_give_no_band_rather_than_one_that_calls_nothing(diseased, healthy):
    assert safeguards.band(validation(diseased, healthy)) is None


def test_the_novelty_limit_is_of_validation_cells_and_judged_by_test_cells():
    cells = validation(5, 5)
    far = cells.assign(distance=cells["distance"].where(cells.index >= 6, 99))
    check = safeguards.novelty_check(cells, far)
    assert check.limit == novelty.limit(cells["distance"].to_numpy())
    assert check.passed_out_of_fold == pytest.approx((far["distance"] <= check.limit).mean(), abs=1e-4)


def test_a_calibration_is_chosen_by_patients_that_it_was_not_fitted_on():
    cells = validation(6, 4)
    # Logits four times as far out as the truth bears out.
    logit = 4 * calibration.to_logit(cells["probability"].to_numpy())
    fitted, losses = safeguards._calibrate(cells.assign(logit=logit))
    assert set(losses) == {"none", "temperature", "platt"}
    assert fitted.method == min(losses, key=losses.get) != "none"
    assert fitted.stretch < 0.8


def test_a_class_of_one_patient_leaves_the_probabilities_as_they_are():
    cells = validation(1, 4).assign(logit=0.0)
    fitted, losses = safeguards._calibrate(cells)
    assert (fitted.method, losses) == ("none", {})
