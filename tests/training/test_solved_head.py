"""The last layer, solved from features of drawn patients."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leukemia.training import solved_head


def _cells(patients: int = 12, each: int = 30) -> pd.DataFrame:
    names = np.repeat([f"p{number}" for number in range(patients)], each)
    labels = np.repeat(np.where(np.arange(patients) % 2, "ALL", "Normal"), each)
    return pd.DataFrame({"patient_group": names, "label": labels})


@pytest.fixture
def drawn() -> tuple[pd.DataFrame, np.ndarray]:
    """Cells whose first feature tells the class, with noise in eight others."""
    cells, rng = _cells(), np.random.default_rng(0)
    features = rng.normal(5, 3, (len(cells), 9)).astype(np.float32)
    features[:, 0] += 6 * (cells["label"] == "ALL")
    return cells, features


def _solve(cells: pd.DataFrame, features: np.ndarray, penalty: float = 0.1, changed=()) -> np.ndarray:
    kernel, bias = solved_head.solve([features], cells, penalty, features, list(changed))
    assert kernel.shape == (features.shape[1], 1)
    assert kernel.dtype == bias.dtype == np.float32
    return kernel[:, 0], bias


def test_it_reads_the_feature_that_tells_the_class(drawn) -> None:
    cells, features = drawn
    kernel, bias = _solve(cells, features)
    assert np.abs(kernel[0]) > 5 * np.abs(kernel[1:]).max()
    truth = (cells["label"] == "ALL").to_numpy()
    assert (((features @ kernel + bias) > 0) == truth).mean() > 0.8


def test_its_outcome_is_a_logit_that_means_what_it_says(drawn) -> None:
    cells, features = drawn
    kernel, bias = _solve(cells, features)
    probability = expit(features @ kernel + bias)
    assert probability.mean() == pytest.approx(0.5, abs=0.02)
    sure = probability > 0.9
    assert (cells["label"][sure] == "ALL").mean() > 0.85


def test_what_a_harmless_change_moves_is_read_less(drawn) -> None:
    cells, features = drawn
    twin = np.concatenate([features, features[:, :1]], axis=1)
    twin[:, 9] += np.random.default_rng(1).normal(0, 1, len(twin))
    as_jpeg = twin.copy()
    as_jpeg[:, 0] -= 20
    steady, _ = _solve(cells, twin, changed=[as_jpeg])
    free, _ = _solve(cells, twin)
    assert abs(steady[0]) < 0.2 * abs(free[0])
    assert steady[9] > free[9]


def test_what_tells_patients_of_one_class_apart_is_read_less(drawn) -> None:
    cells, features = drawn
    # A second sign of the class, as strong within these patients but another in each.
    of_patient = np.random.default_rng(2).normal(0, 6, 12)[np.repeat(np.arange(12), 30)]
    both = np.concatenate([features, features[:, :1] + of_patient[:, None]], axis=1)
    kernel, _ = _solve(cells, both)
    assert abs(kernel[9]) < 0.2 * abs(kernel[0])


def test_classes_weigh_alike_and_so_do_patients() -> None:
    cells = pd.concat([_cells(2, 100), _cells(6, 5).assign(patient_group=lambda t: "q" + t["patient_group"])])
    weight = solved_head.weights(cells)
    by_class = pd.Series(weight).groupby(cells["label"].to_numpy()).sum()
    assert weight.mean() == pytest.approx(1)
    assert by_class["ALL"] == pytest.approx(by_class["Normal"])
    by_patient = pd.Series(weight).groupby(cells["patient_group"].to_numpy()).sum()
    assert by_patient["p0"] / by_patient["qp0"] == pytest.approx(1)
