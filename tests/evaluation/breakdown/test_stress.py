import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from leukemia.evaluation import out_of_fold
from leukemia.evaluation.breakdown import stress


@pytest.fixture(scope="module")
def raw():
    """Out-of-fold logits of 80 patients of four sources; blurred, a share of the ALL cells looks normal."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(80):
        label = "ALL" if number % 2 else "Normal"
        for cell in range(12):
            logit = rng.normal(2 if label == "ALL" else -2, 1)
            blurred = -12.0 if label == "ALL" and cell < 2 else logit
            source = ("fold_0", "fold_1", "fold_2", "preliminary")[number // 2 % 4]
            rows.append(
                (f"{number}-{cell}", f"p{number}", label, logit, number % 5, 1.0, 3e4, source, blurred)
            )
    columns = ["image_id", "patient_group", "label", "logit", "fold", "distance", "cell_area", "source"]
    return pd.DataFrame(rows, columns=[*columns, stress.LOGIT + "blurred"])


@pytest.fixture(scope="module")
def stresses(raw):
    return out_of_fold.evaluate_out_of_fold(raw, 0.95).stress


def test_each_change_is_evaluated_beside_the_pictures_as_they_are(raw, stresses):
    assert list(stresses) == [stress.UNCHANGED, "blurred"]
    plain, blurred = stresses.values()
    assert (plain.change, plain.lost) == (0.0, 0)
    assert blurred.estimates["auroc"].value < plain.estimates["auroc"].value
    # Every sixth ALL cell is lost that was found before.
    assert 0 < blurred.lost <= 80
    assert blurred.found == plain.found
    assert blurred.change > 0.05


def test_the_ranking_under_a_change_is_scikit_learns():
    frame = pd.DataFrame(
        {
            "patient_group": list("aabbccdd"),
            "label": ["ALL"] * 4 + ["Normal"] * 4,
            "probability": [0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1],
            "called": ["ALL"] * 4 + ["Normal"] * 4,
            "source": ["fold_2"] * 8,
            stress.PROBABILITY + "x": [0.9, 0.1, 0.7, 0.6, 0.4, 0.3, 0.2, 0.5],
            stress.CALLED + "x": ["ALL", "Normal", "ALL", "ALL", "Normal", "Normal", "Normal", "Normal"],
        }
    )
    found = stress.evaluate(frame, ["x"])["x"]
    auroc = roc_auc_score(frame["label"] == "ALL", frame[stress.PROBABILITY + "x"])
    assert found.estimates["auroc"].value == pytest.approx(auroc)
    assert found.estimates["auroc_hard_sources"].value == pytest.approx(auroc)
    assert (found.lost, found.found) == (1, 4)
    assert found.change == pytest.approx((0.7 + 0.4) / 8, abs=1e-4)


def test_predictions_of_a_record_hold_no_column_of_changes(raw):
    predictions = out_of_fold.evaluate_out_of_fold(raw, 0.95).predictions
    assert not [name for name in predictions if ":" in name or name == "logit"]


def test_without_changes_there_is_nothing_to_say(raw):
    alone = raw.drop(columns=stress.LOGIT + "blurred")
    assert out_of_fold.evaluate_out_of_fold(alone, 0.95).stress == {}
