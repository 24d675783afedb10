"""Estimates the plain way, to hold the quick ones against: scikit-learn's, a resample at a time."""

import numpy as np
from sklearn import metrics as sk

from leukemia.classes import is_all
from leukemia.evaluation import bootstrap, estimates, metrics


def at_threshold(predictions, threshold, *, resamples=bootstrap.RESAMPLES, seed=0):
    truth, probability = arrays(predictions)
    called = probability >= threshold
    return estimates.by_resampling(
        predictions,
        lambda weights: metrics.rates_of_cells(truth, called, weights),
        resamples=resamples,
        seed=seed,
    )


def every(predictions, threshold, *, resamples=bootstrap.RESAMPLES, seed=0):
    truth, probability = arrays(predictions)

    def compute(weights):
        return {
            **metrics.rates_of_cells(truth, probability >= threshold, weights),
            "auroc": sk.roc_auc_score(truth, probability, sample_weight=weights),
            "average_precision": sk.average_precision_score(truth, probability, sample_weight=weights),
            "brier": sk.brier_score_loss(truth, probability, sample_weight=weights),
            "ece": expected_calibration_error(truth, probability, weights),
        }

    return estimates.by_resampling(predictions, compute, resamples=resamples, seed=seed)


def expected_calibration_error(truth, probability, weights, bins=metrics.ECE_BINS):
    """Mean distance of probability from observed frequency over equal bins, weighted by cells."""
    index = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = np.bincount(index, weights * (truth - probability), minlength=bins)
    return float(np.abs(gaps).sum() / weights.sum())


def arrays(predictions):
    return is_all(predictions["label"]), predictions["probability"].to_numpy(float)


def same(shown, expected):
    """Whether two sets of estimates are alike, to rounding."""
    assert shown.keys() == expected.keys()
    for name, estimate in expected.items():
        for end in ("value", "low", "high"):
            np.testing.assert_allclose(
                getattr(shown[name], end), getattr(estimate, end), rtol=0, atol=1e-12, err_msg=name
            )
