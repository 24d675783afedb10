import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from leukemia.evaluation import novelty


@pytest.fixture(scope="module")
def features():
    """Spread along two directions, little along the other ten."""
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(4_000, 2)) * [5, 3] @ np.linalg.qr(rng.normal(size=(12, 2)))[0].T
    return wide + rng.normal(size=(4_000, 12)) * 0.5 + 7


def test_the_distance_is_mahalanobiss_under_the_fitted_covariance(features):
    spread = novelty.fit(features, 2)
    covariance = spread.axes @ np.diag(spread.along - spread.rest) @ spread.axes.T + spread.rest * np.eye(12)
    inverse = np.linalg.inv(covariance)
    expected = [mahalanobis(one, spread.middle, inverse) / np.sqrt(12) for one in features[:20]]
    assert spread.distance(features[:20]) == pytest.approx(expected, rel=1e-9)
    # What was fitted lies at 1, taken over all.
    assert np.sqrt((spread.distance(features) ** 2).mean()) == pytest.approx(1, rel=1e-6)


def test_a_direction_in_which_no_cell_varies_tells_a_stranger(features):
    spread = novelty.fit(features, 2)
    along = spread.middle + 10 * spread.axes[:, 0]
    across = np.linalg.svd(spread.axes.T)[2][-1]
    off = spread.middle + 10 * across
    assert spread.distance(off[None])[0] > 5 * spread.distance(along[None])[0]


def test_units_that_never_fire_and_few_cells_are_no_fault():
    few = np.zeros((3, 6))
    few[:, 0] = [1, 2, 3]
    spread = novelty.fit(few)
    assert np.isfinite(spread.distance(few)).all()
    stranger = np.array([[2.0, 0, 0, 1, 0, 0]])
    assert np.isfinite(spread.distance(stranger)).all()
    assert spread.distance(stranger)[0] > 10


def test_the_limit_lets_its_share_pass_and_is_judged_on_other_folds():
    rng = np.random.default_rng(1)
    distances, fold = rng.gamma(20, 0.05, 2_000), np.repeat(np.arange(4), 500)
    bound = novelty.limit(distances)
    assert (distances <= bound).mean() == pytest.approx(novelty.PASS, abs=0.001)
    assert novelty.passed(distances, fold) == pytest.approx(novelty.PASS, abs=0.01)
    # A fold that lies farther off than the others is not let pass because of itself.
    far = np.where(fold == 3, distances + 5, distances)
    assert novelty.passed(far, fold) == pytest.approx(0.75, abs=0.01)
