"""What a data set holds, summed up for charts: by source, subset, patient and class."""

from dataclasses import dataclass

import pandas as pd

from leukemia.dataset.catalog.catalog import Catalog

# Bars of a histogram, about; their width is a round number.
BARS = 40
ROUND = (1, 2, 5)


@dataclass(frozen=True)
class ImagesPerPatient:
    """How unevenly images are spread over patients: of labelled images only.

    Attributes
    ----------
    patients : pandas.DataFrame
        Columns patient, label, images; the one with most images first.
    most, median : int, float
        Images of the first and of the middle patient.
    tenth, share : int, float
        How many patients the first tenth is, and the share of all images that is theirs, 0 to 1.
    """

    patients: pd.DataFrame
    most: int
    median: float
    tenth: int
    share: float


def by_source(catalog: Catalog) -> pd.DataFrame:
    """Images, patients and patient groups by source and label; columns of these names."""
    return catalog.query(
        "SELECT source, label, count(*) AS images, "
        "count(DISTINCT patient) FILTER (patient <> '') AS patients, "
        "count(DISTINCT patient_group) FILTER (patient_group <> '') AS groups "
        "FROM cells GROUP BY ALL ORDER BY source, label"
    )


def images_per_patient(catalog: Catalog) -> ImagesPerPatient | None:
    """Count the images of each patient, or None where no patient is known."""
    counts = catalog.query(
        "SELECT patient::VARCHAR AS patient, label, count(*) AS images FROM cells "
        "WHERE label <> '' AND patient <> '' GROUP BY cells.patient, label "
        "ORDER BY images DESC, cells.patient, label"
    )
    if counts.empty:
        return None
    each = counts.groupby("patient", sort=False)["images"].sum().sort_values(ascending=False)
    tenth = max(1, round(len(each) / 10))
    share = each.iloc[:tenth].sum() / each.sum()
    return ImagesPerPatient(counts, int(each.iloc[0]), float(each.median()), tenth, float(share))


def by_subset(catalog: Catalog) -> pd.DataFrame:
    """Labelled images and patient groups by subset of the split; columns subset, label, images, groups.

    Images in no subset (``unknown``) are the last rows.
    """
    return catalog.query(
        "SELECT subset::VARCHAR AS subset, label, count(*) AS images, "
        "count(DISTINCT patient_group) AS groups "
        "FROM cells WHERE label <> '' GROUP BY cells.subset, label ORDER BY cells.subset, label"
    )


def groups_in_two_subsets(catalog: Catalog) -> tuple[int, int]:
    """Count the patient groups in more than one subset of the split, and those in any."""
    counts = catalog.query(
        "SELECT count(*) FILTER (subsets > 1) AS twice, count(*) AS all_groups FROM (SELECT patient_group, "
        "count(DISTINCT subset) AS subsets FROM cells WHERE subset <> 'unknown' GROUP BY patient_group)"
    )
    return int(counts["twice"][0]), int(counts["all_groups"][0])


def histogram(catalog: Catalog, column: str) -> pd.DataFrame:
    """Histogram of cell_area or brightness by label.

    Returns
    -------
    pandas.DataFrame
        Columns label, middle (of the bar), width (of the bar) and share (of the label's measured
        cells, 0 to 1).
    """
    known = _known(column)
    ends = catalog.query(f"SELECT min({column}) AS low, max({column}) AS high FROM cells WHERE {known}")  # noqa: S608
    if ends["low"].isna()[0]:
        return pd.DataFrame(columns=["label", "middle", "width", "share"])
    width = _width(float(ends["high"][0]) - float(ends["low"][0]))
    return catalog.query(
        f"SELECT label, (floor({column} / $1) + 0.5) * $1 AS middle, $1 AS width, "  # noqa: S608
        f"count(*) / sum(count(*)) OVER (PARTITION BY label) AS share FROM cells WHERE {known} "
        "GROUP BY label, middle ORDER BY label, middle",
        [width],
    )


def quantiles(catalog: Catalog, column: str) -> pd.DataFrame:
    """Spread of cell_area or brightness by source and label, over cells.

    Returns
    -------
    pandas.DataFrame
        Columns source, label, low, q1, median, q3, high (5, 25, 50, 75 and 95 %) and cells.
    """
    points = (("low", 0.05), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("high", 0.95))
    listed = ", ".join(f"quantile_cont({column}, {at}) AS {name}" for name, at in points)
    return catalog.query(
        f"SELECT source, label, {listed}, count(*) AS cells FROM cells WHERE {_known(column)} "  # noqa: S608
        "GROUP BY ALL ORDER BY source, label"
    )


def group_medians(catalog: Catalog, column: str) -> dict[str, tuple[float, int]]:
    """The median patient group's median cell, and how many groups there are, by label."""
    medians = catalog.query(
        "SELECT label, median(typical) AS typical, count(*) AS groups FROM (SELECT label, patient_group, "  # noqa: S608
        f"median({column}) AS typical FROM cells WHERE {_known(column)} GROUP BY ALL) GROUP BY label"
    )
    return {row.label: (float(row.typical), int(row.groups)) for row in medians.itertuples()}


def frames(catalog: Catalog) -> pd.DataFrame:
    """Images by frame size and source; columns frame (as ``450 x 450``), source, images."""
    return catalog.query(
        "SELECT width || ' × ' || height AS frame, source, count(*) AS images FROM cells "
        "GROUP BY width, height, source ORDER BY width * height, width, source"
    )


def _known(column: str) -> str:
    if column not in ("cell_area", "brightness"):
        raise ValueError(f"not measured on a cell: {column}")
    return f"label <> '' AND {column} IS NOT NULL"


def _width(extent: float) -> float:
    """A round bar width that parts an extent into about :data:`BARS`."""
    if extent <= 0:
        return 1.0
    scale = 1.0
    while scale * 10 <= extent / BARS:
        scale *= 10
    while scale > extent / BARS:
        scale /= 10
    return min((step * scale for step in (*ROUND, 10)), key=lambda width: abs(extent / width - BARS))
