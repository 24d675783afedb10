"""Several cross-validated recipes as one: the mean of their out-of-fold logits, judged as each was."""

from collections.abc import Sequence

import numpy as np

from leukemia.bundles.bundle import Bundle
from leukemia.errors import LeukemiaError
from leukemia.evaluation import out_of_fold
from leukemia.evaluation.calibration import to_logit


def mean(bundles: Sequence[Bundle], target_recall: float = 0.95) -> out_of_fold.Judged:
    """Judge the mean logit of cross-validated bundles of the same cells in the same folds.

    Each bundle's probabilities of a fold were calibrated by its other folds; so is their mean.

    Parameters
    ----------
    bundles : sequence of Bundle
        Two or more.
    target_recall : float, optional
        For the threshold.

    Raises
    ------
    LeukemiaError
        Where cells or folds differ: a mean would then know patients that it is judged on.
    """
    frames = [one.predictions.sort_values(["fold", "image_id"]).reset_index(drop=True) for one in bundles]
    first = frames[0]
    columns = ["image_id", "patient_group", "label", "fold"]
    for bundle, frame in zip(bundles, frames, strict=True):
        if not frame[columns].equals(first[columns]):
            raise LeukemiaError(
                f"{bundle.folder.name} was judged on other cells or in other folds than "
                f"{bundles[0].folder.name}: they make no mean."
            )
    logits = [to_logit(frame["probability"].to_numpy(float)) for frame in frames]
    # How new a cell is, each network tells in a unit of its own.
    return out_of_fold.judge(first.assign(logit=np.mean(logits, axis=0), distance=0.0), target_recall)
