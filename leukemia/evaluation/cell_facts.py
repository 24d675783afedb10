"""What is known of held-out cells beside the prediction: size, source, brightness, where the image lies."""

from pathlib import Path

import pandas as pd

from leukemia.dataset.catalog import brightness, manifest_parquet
from leukemia.errors import DatasetError

COLUMNS = ("cell_area", "source", "brightness", "path")
SYNTHETIC = "synthetic"


def known(data: Path, predictions: pd.DataFrame) -> pd.DataFrame:
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
        found = _of_set(Path(data), predictions["image_id"])
    except DatasetError:
        found = pd.DataFrame(columns=["image_id", *COLUMNS])
    joined = predictions.merge(found, "left", on="image_id", suffixes=("", "_of_set"))
    for name in ("cell_area", "source"):
        if f"{name}_of_set" in joined:
            joined[name] = joined[name].fillna(joined.pop(f"{name}_of_set"))
    numbers = joined[["cell_area", "brightness"]].apply(pd.to_numeric)
    text = joined[["source", "path"]].astype(object)
    joined[["source", "path"]] = text.where(text.notna(), None)
    return joined.assign(**numbers)


def _of_set(data: Path, names: pd.Series) -> pd.DataFrame:
    with manifest_parquet.connect() as connection, manifest_parquet.parquet(data, connection) as source:
        cursor = connection.cursor()
        cursor.register("asked", pd.DataFrame({"image_id": names.unique()}))
        found = cursor.execute(
            "SELECT image_id, any_value(cell_area) AS cell_area, any_value(source) AS source, "
            "any_value(path) AS path FROM read_parquet(?) JOIN asked USING (image_id) GROUP BY image_id",
            [str(source)],
        ).df()
        found["brightness"] = float("nan")
        if files := brightness.files(data):
            measured = cursor.execute(
                "SELECT image_id, any_value(brightness) AS brightness FROM read_parquet(?) "
                "JOIN asked USING (image_id) GROUP BY image_id",
                [files],
            ).df()
            found = found.drop(columns="brightness").merge(measured, "left", on="image_id")
    return found
