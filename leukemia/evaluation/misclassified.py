"""Cells that are called wrong, the most confident first."""

import numpy as np
import pandas as pd

from leukemia.evaluation import conformal

MISSED, ALARM = "Missed ALL cells", "False alarms"
OF_LABEL = {MISSED: "ALL", ALARM: "Normal"}


def find(predictions: pd.DataFrame, threshold: float, kind: str) -> pd.DataFrame:
    """Find the wrong calls of a kind.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns label and probability; any others are kept.
    threshold : float
        Probability from which a cell is called ALL-like.
    kind : str
        :data:`MISSED` or :data:`ALARM`.

    Returns
    -------
    pandas.DataFrame
        Its rows, those farthest from the threshold first, with the further column ``sureness`` (distance
        to the threshold, by logit).
    """
    probability = predictions["probability"].to_numpy(float)
    wrong = (probability >= threshold) != (predictions["label"] == "ALL").to_numpy()
    found = predictions[wrong & (predictions["label"] == OF_LABEL[kind]).to_numpy()]
    found = found.assign(sureness=conformal.sureness(found["probability"].to_numpy(float), threshold))
    order = np.argsort(-found["sureness"].to_numpy(), kind="stable")
    return found.iloc[order].reset_index(drop=True)
