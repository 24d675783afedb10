"""Labels that held-out predictions speak against: confident learning.

A cell is suspect where the model, which never learned from its patient, gives the *other* class at
least the probability that it gives on average to cells which bear that class as their label [1]_.
The rule needs no threshold of ours and allows for a model that is more sure of one class. cleanlab,
the authors' own program, computes it.

References
----------
.. [1] Northcutt CG, Jiang L, Chuang IL. Confident learning: estimating uncertainty in dataset
       labels. J Artif Intell Res 2021;70:1373-1411.
"""

import numpy as np
import pandas as pd

from leukemia.classes import ALL, NORMAL, is_all
from leukemia.counting import counted
from leukemia.dataset.quality.checks import NOTE, OK, UNKNOWN, Check

TITLE = "Label suspects"
MEANING = (
    "Held-out cells with a probability of the other class at least as high as the average for cells of "
    "that class (confident learning, Northcutt et al. 2021)."
)


def find(predictions: pd.DataFrame) -> pd.DataFrame:
    """Find the label suspects among held-out predictions.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns label (Normal or ALL, the one that counts now) and probability (of ALL, 0 to 1) of
        cells whose patients the model did not learn from; any others are kept.

    Returns
    -------
    pandas.DataFrame
        The suspect rows, the most suspect first, with the further columns ``suggested`` (the other
        label) and ``confidence`` (probability of the given label, 0 to 1; low is suspect). Empty
        where a class is absent, since then nothing can be compared.
    """
    truth = is_all(predictions["label"])
    probability = predictions["probability"].to_numpy(float)
    confidence = np.where(truth, probability, 1 - probability)
    both = truth.any() and not truth.all()
    chosen = _ranked(truth, probability) if both else np.array([], int)
    suggested = np.where(truth[chosen], NORMAL, ALL)
    suspects = predictions.iloc[chosen].assign(suggested=suggested, confidence=confidence[chosen])
    return suspects.reset_index(drop=True)


def check(
    cells: pd.DataFrame, predictions: pd.DataFrame, *, threshold: float, model: str, leaky: bool = False
) -> Check:
    """Hold a model's held-out predictions against the labels that count now.

    Parameters
    ----------
    cells : pandas.DataFrame
        Manifest rows with corrections applied (:func:`leukemia.dataset.label_log.apply`).
    predictions : pandas.DataFrame
        Columns image_id and probability.
    threshold : float
        Probability from which a cell is called ALL-like.
    model : str
        What the model is called.
    leaky : bool, optional
        Whether it learned from the patients of its predictions: they say nothing of the labels then.
    """
    if leaky:
        return _unknown("The model in service was trained on the patients that it is evaluated on.")
    known = cells[(cells["label"] != "") & ~cells["doubted"]]
    rows = known.merge(predictions[["image_id", "probability"]].drop_duplicates("image_id"), "inner")
    if rows.empty:
        return _unknown("The model in service has no held-out answer for any labelled cell of this set.")
    suspects = find(rows)
    wrong = ((rows["probability"] >= threshold) != is_all(rows["label"])).mean()
    finding = (
        f"{counted(len(suspects), 'suspect')} among {len(rows):,} held-out cells of {model}. The model "
        f"disagrees with {wrong:.0%} of these cells' labels: most suspects will be its own mistakes, so an "
        "expert must review each one. Cells marked as doubted are left out."
    )
    action = "Nothing automatically. Open a cell to correct its label or mark it as doubted."
    return Check("suspects", TITLE, NOTE if len(suspects) else OK, finding, MEANING, action, suspects)


def without_model(why: str) -> Check:
    """The check where there is no model; ``why`` is a sentence."""
    return _unknown(f"{why} The search for suspects needs a model in service.")


def _unknown(finding: str) -> Check:
    return Check("suspects", TITLE, UNKNOWN, finding, MEANING, "")


def _ranked(truth: np.ndarray, probability: np.ndarray) -> np.ndarray:
    from cleanlab.filter import find_label_issues

    return find_label_issues(
        truth.astype(int),
        np.column_stack([1 - probability, probability]),
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,  # several would be forked, which a process with threads must not be
    )
