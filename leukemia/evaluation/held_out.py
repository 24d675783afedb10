"""Held-out cells one by one: what is known of each beside the prediction, and which are called wrong."""

from pathlib import Path

import numpy as np
import pandas as pd

from leukemia.classes import is_all
from leukemia.dataset.catalog import brightness, manifest_parquet
from leukemia.errors import DatasetError
from leukemia.evaluation import conformal

COLUMNS = ("cell_area", "source", "brightness", "path")
SYNTHETIC = "synthetic"
MISSED, ALARM = "Missed ALL cells", "False alarms"


def facts(data: Path, predictions: pd.DataFrame) -> pd.DataFrame:
    """Join predictions with the prepared folder's manifest and its measurements.

    Parameters
    ----------
    data : Path
        The data folder; it need not be prepared.
    predictions : pandas.DataFrame
        Column image_id; cell_area and source (of a cross-validation) are taken as they are.

    Returns
    -------
    pandas.DataFrame
        The rows in their order with all of :data:`COLUMNS`: numbers NaN and text None where not known.
    """
    try:
        in_set = _of_set(Path(data), predictions["image_id"])
    except DatasetError:
        in_set = pd.DataFrame(columns=["image_id", *COLUMNS])
    joined = predictions.merge(in_set, "left", on="image_id", suffixes=("", "_of_set"))
    for name in ("cell_area", "source"):
        if f"{name}_of_set" in joined:
            joined[name] = joined[name].fillna(joined.pop(f"{name}_of_set"))
    numbers = joined[["cell_area", "brightness"]].apply(pd.to_numeric)
    text = joined[["source", "path"]].astype(object)
    joined[["source", "path"]] = text.where(text.notna(), None)
    return joined.assign(**numbers)


def with_sources(data: Path, predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions with the source of each cell, from the prepared folder where they do not say it."""
    if "source" in predictions and predictions["source"].notna().all():
        return predictions
    return facts(data, predictions)


def misclassified(predictions: pd.DataFrame, threshold: float, kind: str) -> pd.DataFrame:
    """Find the cells of a kind that are called wrong, the most confident first.

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
    truth = is_all(predictions["label"])
    wrong = predictions.assign(sureness=conformal.sureness(probability, threshold))[
        ((probability >= threshold) != truth) & (truth == (kind == MISSED))
    ]
    order = np.argsort(-wrong["sureness"].to_numpy(), kind="stable")
    return wrong.iloc[order].reset_index(drop=True)


def _of_set(data: Path, names: pd.Series) -> pd.DataFrame:
    with manifest_parquet.connect() as connection, manifest_parquet.parquet(data, connection) as source:
        cursor = connection.cursor()
        cursor.register("asked", pd.DataFrame({"image_id": names.unique()}))
        cells = cursor.execute(
            "SELECT image_id, any_value(cell_area) AS cell_area, any_value(source) AS source, "
            "any_value(path) AS path FROM read_parquet(?) JOIN asked USING (image_id) GROUP BY image_id",
            [str(source)],
        ).df()
        cells["brightness"] = float("nan")
        if files := brightness.files(data):
            measured = cursor.execute(
                "SELECT image_id, any_value(brightness) AS brightness FROM read_parquet(?) "
                "JOIN asked USING (image_id) GROUP BY image_id",
                [files],
            ).df()
            cells = cells.drop(columns="brightness").merge(measured, "left", on="image_id")
    return cells
