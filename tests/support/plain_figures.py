"""Figures the plain way, to hold the quick ones against: scikit-learn's, a resample at a time."""

import numpy as np
from sklearn import metrics as sk

from leukemia.evaluation import metrics


def at_threshold(predictions, threshold, *, resamples=metrics.RESAMPLES, seed=0):
    truth, probability = arrays(predictions)
    called = probability >= threshold
    return metrics.bootstrap(
        predictions, lambda weights: metrics.rates(truth, called, weights), resamples=resamples, seed=seed
    )


def figures(predictions, threshold, *, resamples=metrics.RESAMPLES, seed=0):
    truth, probability = arrays(predictions)

    def compute(weights):
        return {
            **metrics.rates(truth, probability >= threshold, weights),
            "auroc": sk.roc_auc_score(truth, probability, sample_weight=weights),
            "average_precision": sk.average_precision_score(truth, probability, sample_weight=weights),
            "brier": sk.brier_score_loss(truth, probability, sample_weight=weights),
            "ece": metrics.expected_calibration_error(truth, probability, weights),
        }

    return metrics.bootstrap(predictions, compute, resamples=resamples, seed=seed)


def arrays(predictions):
    return (predictions["label"] == "ALL").to_numpy(), predictions["probability"].to_numpy(float)


def same(found, expected):
    """Whether two sets of figures are alike, to rounding."""
    assert found.keys() == expected.keys()
    for name, figure in expected.items():
        for end in ("value", "low", "high"):
            np.testing.assert_allclose(
                getattr(found[name], end), getattr(figure, end), rtol=0, atol=1e-12, err_msg=name
            )
