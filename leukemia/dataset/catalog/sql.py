"""The table ``cells`` in the query engine's memory: how it is filled, sorted and filtered."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from leukemia.dataset.catalog.filters import UNLABELLED, Filters
from leukemia.operating_point import INDETERMINATE as CALLED_OPEN
from leukemia.operating_point import OperatingPoint

# A sort's name to its SQL; the manifest's order decides between equals.
SORTS = {
    "imported": "row",
    "patient": "patient",
    "largest": "cell_area DESC",
    "smallest": "cell_area",
    "brightest": "brightness DESC NULLS LAST",
    "darkest": "brightness NULLS LAST",
    "highest": "probability DESC NULLS LAST",
    "lowest": "probability NULLS LAST",
    "nearest": "least(abs(probability - low), abs(probability - high)) NULLS LAST",
    "wrongest": "abs(probability - (label = 'ALL')::INT) DESC NULLS LAST",
}
# An unlabelled image keeps no label: its twin may have one that was corrected.
CELLS = """
CREATE TABLE cells AS
WITH labelled AS (
    SELECT * EXCLUDE label, label AS original_label,
        CASE WHEN label <> '' AND new <> 'doubted' THEN new ELSE label END AS label,
        CASE WHEN label = '' OR new IS NULL THEN '' WHEN new = 'doubted' THEN new ELSE 'corrected' END
            AS review
    FROM read_parquet($source, file_row_number = true) LEFT JOIN reviewed USING (image_id)
)
SELECT file_row_number AS row, label, original_label, review, patient::person AS patient,
    m.patient_group, source, width, height, cell_area, brightness,
    probability::DOUBLE AS probability, $low::DOUBLE AS low, $high::DOUBLE AS high,
    CASE WHEN (source = 'synthetic') <> $synthetic OR label = '' THEN 'unknown'
        WHEN fold IS NOT NULL THEN 'fold ' || (fold + 1)
        WHEN s.subset IS NOT NULL THEN s.subset
        WHEN probability IS NOT NULL THEN 'test' ELSE 'unknown' END::split_subset AS subset,
    CASE WHEN called IS NULL THEN 'unknown' WHEN called = $open THEN 'indeterminate' ELSE called END
        AS decision,
    CASE WHEN called IS NULL OR label = '' THEN 'unknown' WHEN called = $open THEN 'undecided'
        WHEN called = label THEN 'right' ELSE 'wrong' END AS outcome
FROM labelled m
LEFT JOIN known USING (image_id)
LEFT JOIN split s ON s.patient_group = m.patient_group
LEFT JOIN measured USING (image_id)
ORDER BY row
"""


def fill(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    measured: list[str],
    point: OperatingPoint | None,
    synthetic: bool,
) -> None:
    """Put into memory what is asked for all the time: ``cells``, and images' names and places.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        With the tables ``known`` (image_id, probability, called, fold), ``split`` (patient_group, subset) and
        ``reviewed`` (image_id, new label or doubted).
    source : Path
        The manifest as Parquet.
    measured : list of str
        Parquet files of image_id and brightness.
    point : OperatingPoint or None
        Of the model; None without one.
    synthetic : bool
        Whether the model learned from synthetic cells.
    """
    connection.execute(
        "CREATE TABLE names AS SELECT file_row_number AS row, image_id, path, origin "
        "FROM read_parquet(?, file_row_number = true)",
        [str(source)],
    )
    connection.execute(
        "CREATE TYPE person AS ENUM (SELECT patient FROM (SELECT DISTINCT patient FROM read_parquet(?)) "
        # 9 before 10, as a reader counts.
        r"ORDER BY regexp_extract(patient, '^(.*?)\d*$', 1), "
        r"try_cast(regexp_extract(patient, '(\d*)$', 1) AS UBIGINT) NULLS FIRST, patient)",
        [str(source)],
    )
    connection.execute(
        "CREATE TYPE split_subset AS ENUM (SELECT unnest(['training', 'validation', 'test'] || "
        "(SELECT coalesce(list('fold ' || (fold + 1) ORDER BY fold), []) "
        "FROM (SELECT DISTINCT fold FROM known WHERE fold IS NOT NULL)) || ['unknown']))"
    )
    connection.execute("CREATE TABLE measured (image_id VARCHAR, brightness FLOAT)")
    if measured:
        connection.execute(
            "INSERT INTO measured SELECT image_id, any_value(brightness) FROM read_parquet(?) GROUP BY ALL",
            [measured],
        )
    low, high = point.limits if point else (None, None)
    connection.execute(
        CELLS,
        {"low": low, "high": high, "open": CALLED_OPEN, "synthetic": synthetic, "source": str(source)},
    )
    connection.execute("DROP TABLE measured")


def where(filters: Filters) -> tuple[str, list[object]]:
    """A filter as an SQL condition on ``cells``, and the values in it."""
    conditions, values = ["true"], []

    def among(column: str, allowed: Sequence[str]) -> None:
        if allowed:
            conditions.append(f"{column} IN ({', '.join('?' * len(allowed))})")
            values.extend(allowed)

    among("label", ["" if label == UNLABELLED else label for label in filters.labels])
    among("patient::VARCHAR", filters.patients)
    among("source", filters.sources)
    among("subset::VARCHAR", filters.subsets)
    among("decision", filters.decisions)
    among("outcome", filters.outcomes)
    among("review", filters.reviews)
    for column, bounds in (("probability", filters.probability), ("cell_area", filters.area)):
        if bounds is not None:
            conditions.append(f"{column} BETWEEN ? AND ?")
            values.extend(bounds)
    if filters.images is not None:
        conditions.append("row IN (SELECT row FROM names WHERE image_id IN (SELECT unnest(?::VARCHAR[])))")
        values.append(list(filters.images))
    return " AND ".join(conditions), values
