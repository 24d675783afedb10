"""Out-of-fold logits to probabilities, a threshold and a band, none evaluated on what it was chosen by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from leukemia.classes import ALL, NORMAL, is_all
from leukemia.errors import LeukemiaError
from leukemia.evaluation import calibration, conformal, metrics, novelty
from leukemia.evaluation.breakdown import stress
from leukemia.evaluation.calibration import to_logit
from leukemia.operating_point import INDETERMINATE

# A threshold lies between these, so that no probability beside it is rounded to 0 or 1.
LEAST, MOST = 1e-4, 1 - 1e-4
DIGITS = 6
# How near to 0 and 1 a probability is told apart from them: moved ones keep their order.
FARTHEST = 1e-12


@dataclass(frozen=True)
class OutOfFold:
    """Out-of-fold predictions of all cells and what follows from them.

    Attributes
    ----------
    predictions : pandas.DataFrame
        image_id, patient_group, label, probability, fold, cell_area, source, and ``called``: ALL, Normal
        or Indeterminate by the band of the other folds; see :func:`evaluate_out_of_fold`.
    calibration : calibration.Calibration
    losses : dict of str to float
        Out-of-fold log loss of each method of calibration, in its worst source.
    threshold : float
    worst_source : str
        The source for which the threshold had to be so low; empty where all cells together asked for it.
    band : conformal.Band
    promises : dict of str to dict of str to str
        What the band's bounds are worth in each source; see :func:`conformal.promises`.
    abstention : dict of str to float
        What bands found by the other folds do to the cells of each: the share that is indeterminate,
        of ALL cells called Normal-like, of normal cells called ALL-like; each patient weighs the same.
    novelty : dict of str to float
        The limit of the distance from the cells learned, and the share of cells that pass the limit
        which the other folds set.
    """

    predictions: pd.DataFrame
    calibration: calibration.Calibration
    losses: dict[str, float]
    threshold: float
    worst_source: str
    band: conformal.Band
    promises: dict[str, dict[str, str]]
    abstention: dict[str, float]
    novelty: dict[str, float]
    stress: dict[str, stress.Stress]


def evaluate_out_of_fold(raw: pd.DataFrame, target_recall: float) -> OutOfFold:
    """Evaluate networks on the cells that each did not see.

    Parameters
    ----------
    raw : pandas.DataFrame
        Columns image_id, patient_group, label, logit, distance, fold, cell_area, source; a row a cell,
        its logit and distance from the network that did not see the patient. At least three folds. Where
        changed pictures were predicted, too, their logits in columns that begin with :data:`stress.LOGIT`.
    target_recall : float
        For the threshold, in each source; see :func:`metrics.choose_threshold`.

    Returns
    -------
    OutOfFold
        Calibration, threshold and band are those for the network that is shipped, from all folds. A
        fold's own probabilities are calibrated by the other folds, and moved (by one logit for the
        whole fold) so that the threshold that the other folds choose lies at the shipped one.
    """
    raw = raw.sort_values(["fold", "image_id"]).reset_index(drop=True)
    logit, fold = raw["logit"].to_numpy(float), raw["fold"].to_numpy()
    shipped, losses = calibration.choose(raw)
    # A calibration keeps the order of the cells, so that threshold and band are those of the logits:
    # that it was fitted on the same cells gives nothing away.
    calibrated = raw.assign(probability=shipped.probability(logit))
    thresholds = metrics.thresholds(calibrated, target_recall)
    worst_source = min(thresholds, key=thresholds.__getitem__)
    threshold = round(float(np.clip(thresholds[worst_source], LEAST, MOST)), DIGITS)
    band = conformal.band(calibrated)
    # The logits of the pictures as they are, and of each change.
    names = {"logit": ("probability", "called")} | {
        stress.LOGIT + name: (stress.PROBABILITY + name, stress.CALLED + name) for name in stress.changes(raw)
    }
    judged = raw.assign(
        **{column: np.nan for column, _ in names.values()}, **{column: "" for _, column in names.values()}
    )
    for number in np.unique(fold):
        own = fold == number
        # Where folds are sources, a patient may have cells in two of them.
        rest = ~own & ~raw["patient_group"].isin(raw.loc[own, "patient_group"]).to_numpy()
        fitted, _ = calibration.choose(raw[rest])
        others = raw[rest].assign(probability=fitted.probability(logit[rest]))
        band_of_others = conformal.band(others)
        moved = to_logit(threshold, FARTHEST) - to_logit(
            metrics.choose_threshold(others, target_recall), FARTHEST
        )
        for column, (probability, called) in names.items():
            theirs = fitted.probability(raw.loc[own, column].to_numpy(float))
            judged.loc[own, called] = band_of_others.call(theirs)
            judged.loc[own, probability] = expit(to_logit(theirs, FARTHEST) + moved).round(DIGITS)
    distance = raw["distance"].to_numpy(float)
    return OutOfFold(
        predictions=judged.drop(columns=_of_changes(judged)),
        calibration=shipped,
        losses=losses,
        threshold=threshold,
        worst_source=worst_source,
        band=band,
        promises=conformal.promises(calibrated, band),
        abstention=_abstention(raw, judged["called"].to_numpy()),
        novelty={
            "limit": novelty.limit(distance),
            "pass": novelty.PASS,
            "passed_out_of_fold": round(novelty.passed(distance, fold), 4),
        },
        stress=stress.evaluate(judged, stress.changes(raw)) if len(names) > 1 else {},
    )


def beside_unseen_sources(
    evaluated: OutOfFold, without_source: pd.DataFrame, target_recall: float
) -> OutOfFold:
    """Add how networks that learned from no cell of a source call its cells.

    Parameters
    ----------
    evaluated : OutOfFold
        Of folds of patients.
    without_source : pandas.DataFrame
        As for :func:`evaluate_out_of_fold`, the folds being sources.
    target_recall : float
        As for :func:`evaluate_out_of_fold`.

    Returns
    -------
    OutOfFold
        Its predictions with the columns ``unseen_probability``, moved so that the threshold that the other
        sources choose lies at ``evaluated``'s, and ``unseen_called``; and what changed pictures cost on
        unseen sources.
    """
    unseen = evaluate_out_of_fold(without_source, target_recall)
    moved = to_logit(evaluated.threshold, FARTHEST) - to_logit(unseen.threshold, FARTHEST)
    # Identical pictures have identical answers.
    cells = unseen.predictions.drop_duplicates("image_id").set_index("image_id")
    names = evaluated.predictions["image_id"]
    probability = expit(to_logit(names.map(cells["probability"]).to_numpy(float), FARTHEST) + moved)
    predictions = evaluated.predictions.assign(
        unseen_probability=probability.round(DIGITS), unseen_called=names.map(cells["called"])
    )
    return replace(evaluated, predictions=predictions, stress=unseen.stress)


def _of_changes(judged: pd.DataFrame) -> list[str]:
    """Columns that the record sums up, and the logits, which the probabilities stand for."""
    begin = (stress.LOGIT, stress.PROBABILITY, stress.CALLED)
    return ["logit", *(name for name in judged if name.startswith(begin))]


def evaluate_mean(
    predictions: Sequence[pd.DataFrame], names: Sequence[str], target_recall: float = 0.95
) -> OutOfFold:
    """Evaluate the mean logit of cross-validated recipes, on the same cells in the same folds.

    Each one's probabilities of a fold were calibrated by its other folds; so is their mean.

    Parameters
    ----------
    predictions : sequence of pandas.DataFrame
        Of :attr:`OutOfFold.predictions`, two or more.
    names : sequence of str
        What each is called in a message.
    target_recall : float, optional
        For the threshold.

    Raises
    ------
    LeukemiaError
        Where cells or folds differ: a mean would then know patients that it is evaluated on.
    """
    frames = [frame.sort_values(["fold", "image_id"]).reset_index(drop=True) for frame in predictions]
    first = frames[0]
    columns = ["image_id", "patient_group", "label", "fold"]
    for name, frame in zip(names, frames, strict=True):
        if not frame[columns].equals(first[columns]):
            raise LeukemiaError(
                f"{name} was evaluated on different cells or folds from {names[0]}, so they have no common "
                "mean."
            )
    logits = [to_logit(frame["probability"].to_numpy(float)) for frame in frames]
    # How new a cell is, each network tells in a unit of its own.
    mean = first.assign(logit=np.mean(logits, axis=0), distance=0.0)
    return evaluate_out_of_fold(mean, target_recall)


def _abstention(raw: pd.DataFrame, called: np.ndarray) -> dict[str, float]:
    def share(rows: np.ndarray, word: str) -> float:
        hit = pd.Series(called[rows] == word)
        return round(float(hit.groupby(raw.loc[rows, "patient_group"].to_numpy()).mean().mean()), 4)

    truth = is_all(raw["label"])
    return {
        "indeterminate": share(np.full(len(raw), True), INDETERMINATE),
        "missed": share(truth, NORMAL),
        "alarmed": share(~truth, ALL),
    }
