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

from leukemia.bundles.bundle import Bundle
from leukemia.dataset.quality.checks import NOTE, OK, UNKNOWN, Check, counted

MEANING = (
    "Held-out cells for which the model gives the other class at least the probability that it gives on "
    "average to cells of that class (confident learning, Northcutt et al. 2021)."
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
    truth = (predictions["label"] == "ALL").to_numpy()
    probability = predictions["probability"].to_numpy(float)
    confidence = np.where(truth, probability, 1 - probability)
    both = truth.any() and not truth.all()
    chosen = _ranked(truth, probability) if both else np.array([], int)
    found = predictions.iloc[chosen]
    return found.assign(
        suggested=np.where(found["label"] == "ALL", "Normal", "ALL"), confidence=confidence[chosen]
    ).reset_index(drop=True)


def check(bundle: Bundle | None, why: str, cells: pd.DataFrame) -> Check:
    """Hold the model's held-out predictions against the labels that count now.

    Parameters
    ----------
    bundle : Bundle or None
        The model in service; ``why`` says why there is none.
    why : str
    cells : pandas.DataFrame
        Manifest rows with corrections applied (:func:`leukemia.dataset.label_log.apply`).
    """
    title, done = "Label suspects", "Nothing by itself: open a cell to correct its label or to doubt it."

    def unknown(text: str) -> Check:
        return Check("suspects", title, UNKNOWN, text, MEANING, "")

    if bundle is None:
        return unknown(f"{why} Suspects are looked for once a model is in service.")
    if bundle.leaky:
        return unknown("The model in service learned from the patients that it is judged on.")
    known = cells[(cells["label"] != "") & ~cells["doubted"]]
    rows = known.merge(bundle.predictions[["image_id", "probability"]].drop_duplicates("image_id"), "inner")
    if rows.empty:
        return unknown("The model in service has no held-out answer for any labelled cell of this set.")
    found = find(rows)
    wrong = ((rows["probability"] >= bundle.threshold) != (rows["label"] == "ALL")).mean()
    said = (
        f"{counted(len(found), 'suspect')} among {len(rows):,} held-out cells of {bundle.name}. The model "
        f"disagrees with {wrong:.0%} of these cells' labels: most suspects will be its own mistakes; only an "
        "expert's eye tells. Cells marked as doubted are not among them."
    )
    return Check("suspects", title, NOTE if len(found) else OK, said, MEANING, done, found)


def _ranked(truth: np.ndarray, probability: np.ndarray) -> np.ndarray:
    from cleanlab.filter import find_label_issues

    return find_label_issues(
        truth.astype(int),
        np.column_stack([1 - probability, probability]),
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,  # several would be forked, which a process with threads must not be
    )
