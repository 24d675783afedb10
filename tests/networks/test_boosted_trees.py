import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from leukemia.evaluation.calibration import Calibration
from leukemia.networks import boosted_trees, head, serving_network
from leukemia.networks.optimizer import HEAD


@pytest.fixture(scope="module")
def measures():
    """Measures of 400 cells of 20 patients; two of them together tell ALL, none by itself."""
    return np.random.default_rng(0).normal(3, 2, (400, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def cells(measures):
    is_all = (measures[:, 1] > 3) ^ (measures[:, 4] > 3)
    patients = [f"{'p' if one else 'H'}{number % 10}" for number, one in enumerate(is_all)]
    return pd.DataFrame({"label": np.where(is_all, "ALL", "Normal"), "patient_group": patients})


@pytest.fixture(scope="module")
def trees(measures, cells):
    return boosted_trees.fit_trees(measures, cells, 0)


def test_they_learn_what_no_measure_tells_by_itself(trees, cells):
    fresh = np.random.default_rng(1).normal(3, 2, (500, 6))
    truth = (fresh[:, 1] > 3) ^ (fresh[:, 4] > 3)
    assert roc_auc_score(truth, trees.logit(fresh)) > 0.95
    assert max(roc_auc_score(truth, fresh[:, i]) for i in range(6)) < 0.6


def test_they_are_scikit_learns_trees(measures, cells, trees, monkeypatch):
    grown = []
    learn = GradientBoostingClassifier.fit
    monkeypatch.setattr(
        GradientBoostingClassifier,
        "fit",
        lambda self, x, y, sample_weight: grown.append((learn(self, x, y, sample_weight), x)) or self,
    )
    # Branches that are taken by degrees hardly at all, to be compared with ones that are not.
    monkeypatch.setattr(boosted_trees, "WIDTH", 1e-6)
    again = boosted_trees.fit_trees(measures, cells, 0)
    ((model, scaled),) = grown
    assert again.logit(measures) == pytest.approx(model.decision_function(scaled), abs=0.5)
    assert np.corrcoef(again.logit(measures), model.decision_function(scaled))[0, 1] > 0.999
    assert again.start == pytest.approx(trees.start)


def test_patients_weigh_as_in_the_last_layer(measures, cells, monkeypatch):
    seen = []
    weights = head.weights
    monkeypatch.setattr(head, "weights", lambda cells: seen.append(weights(cells)) or seen[-1])
    boosted_trees.fit_trees(measures[:100], cells[:100], 0)
    assert len(seen[0]) == 100


def test_the_layer_says_what_the_trees_say_and_survives_saving(trees, measures, tmp_path):
    inputs = keras.Input((6,))
    model = keras.Model(inputs, boosted_trees.layer(trees, 0.5, inputs))
    expected = 0.5 * trees.logit(measures)
    assert model.predict_on_batch(measures)[:, 0] == pytest.approx(expected, abs=1e-3)
    model.save(tmp_path / "trees.keras")
    again = keras.models.load_model(tmp_path / "trees.keras", safe_mode=True)
    assert again.predict_on_batch(measures)[:, 0] == pytest.approx(expected, abs=1e-3)


def test_the_last_digit_of_a_measure_turns_no_answer(trees, measures):
    assert np.abs(trees.logit(measures * (1 + 1e-6)) - trees.logit(measures)).max() < 1e-2


def test_a_tree_that_ends_early_is_made_whole():
    cells = pd.DataFrame({"label": ["ALL", "Normal"] * 200, "patient_group": ["p", "H"] * 200})
    measures = np.tile([[1.0], [0.0]], (200, 1))
    found = boosted_trees.fit_trees(measures, cells, 0)
    assert (found.threshold == boosted_trees.BEYOND).any()
    assert (found.logit(measures) > 0).tolist() == [True, False] * 200


def test_without_a_cell_there_is_no_logit(trees):
    assert trees.logit(np.empty((0, 6))).shape == (0,)


def test_their_logit_is_added_in_the_network_that_answers(measures, cells, tmp_path):
    keras.utils.set_random_seed(0)
    pictures = np.random.default_rng(0).integers(40, 256, (4, 64, 64, 3), dtype=np.uint8)
    inputs = keras.Input((64, 64, 3), dtype="uint8")
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name=HEAD)(x))
    labels = pd.DataFrame({"label": ["ALL", "Normal"] * 50, "patient_group": ["p", "H"] * 50})
    measured = boosted_trees.measure(pictures, 64)
    noise = np.random.default_rng(1).normal(0, 1, (100, measured.shape[1]))
    trees = boosted_trees.fit_trees(measured[np.arange(100) % 4] + noise * measured.std(axis=0), labels, 0)
    calibration = Calibration("platt", 0.6, 0.3)
    network = serving_network.inference_model(model, 2, calibration, trees=trees)
    serving_network.round_weights(network)
    own, _ = serving_network.feature_model(model, 2).predict_on_batch(pictures)
    expected = calibration.probability(own[:, 0] + trees.logit(measured))
    assert network.predict_on_batch(pictures)[:, 0] == pytest.approx(expected, abs=2e-3)
