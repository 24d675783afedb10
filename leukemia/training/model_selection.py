"""Which epoch of a training is the best one, by validation patients alone, and when it is over."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from leukemia.classes import is_all
from leukemia.recipes.settings import Training
from leukemia.training.checkpoint import State

# Validation losses closer than this are taken as equal; the higher recall then decides.
SAME_LOSS = 0.01
# The validation recall that decides is read where this share of normal cells is called Normal-like; what
# is shown beside the training's is read at one half, as that is.
RECALL_AT_SPECIFICITY = 0.8
HALF = 0.5


def validate(predictions: pd.DataFrame) -> dict[str, float]:
    """Metrics of an epoch on validation patients; columns label and probability, both classes present."""
    truth = is_all(predictions["label"])
    probability = predictions["probability"].to_numpy().clip(1e-6, 1 - 1e-6)
    loss = -np.where(truth, np.log(probability), np.log(1 - probability))
    # Each class counts half, as in training.
    balanced = (loss[truth].mean() + loss[~truth].mean()) / 2
    cut = np.quantile(probability[~truth], RECALL_AT_SPECIFICITY)
    return {
        "val_loss": float(balanced),
        "val_recall": float((probability[truth] >= HALF).mean()),
        "val_specificity": float((probability[~truth] < HALF).mean()),
        "val_recall_at_specificity": float((probability[truth] > cut).mean()),
        "val_auroc": float(roc_auc_score(truth, probability)),
    }


def is_better(history: list[dict[str, float]], best: int) -> bool:
    """Whether the last epoch of ``history`` takes the place of epoch ``best``."""
    if best < 0 or "val_loss" not in history[-1]:
        return True
    last, best_so_far = history[-1], history[best]
    bound = min(epoch["val_loss"] for epoch in history) + SAME_LOSS
    if last["val_loss"] > bound:
        return False
    recall = "val_recall_at_specificity"
    return best_so_far["val_loss"] > bound or last[recall] > best_so_far[recall]


def is_over(state: State, training: Training) -> bool:
    """Whether a training has had its epochs, or waited in vain for a better one."""
    done = len(state.history)
    waited = done - 1 - state.best_epoch
    return done >= training.epochs or (done > 0 and waited >= training.patience)
