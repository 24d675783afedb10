"""The cells of a prepared folder with what is known of each: filtered, sorted, turned page by page.

What is asked for all the time lies in the query engine's memory, by column; the rest stays in the
Parquet file. So a manifest of a million rows answers as one of a thousand does.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import duckdb
import pandas as pd

from leukemia.dataset import label_log, manifest, review_labels
from leukemia.dataset.catalog import brightness, manifest_parquet, sql
from leukemia.dataset.catalog.filters import Filters
from leukemia.dataset.catalog.records import Choices, Record, Tally
from leukemia.dataset.catalog.sql import SORTS
from leukemia.errors import DatasetError
from leukemia.operating_point import OperatingPoint

EVERYTHING = Filters()
OF_MODEL = ("highest", "lowest", "nearest", "wrongest")
BRIGHTNESS_SORTS = ("brightest", "darkest")


class Catalog:
    """All cells of a prepared folder; made by :func:`open_catalog`. Safe to share between threads.

    Attributes
    ----------
    data : Path
        The prepared folder.
    point : OperatingPoint or None
        From which probabilities the model calls cells; None without a model.
    total : int
        Rows of the manifest.
    choices : Choices
        What there is to filter by.
    """

    def __init__(
        self,
        data: Path,
        connection: duckdb.DuckDBPyConnection,
        point: OperatingPoint | None,
    ) -> None:
        self.data = Path(data)
        self.point = point
        self._connection = connection
        self.total = self.count()
        self.choices = self._choices()

    @property
    def synthetic(self) -> bool:
        """Whether a program drew all cells."""
        return self.choices.sources == (manifest.SYNTHETIC,)

    def page(
        self,
        filters: Filters = EVERYTHING,
        sort: str = "imported",
        number: int = 1,
        size: int = 48,
    ) -> list[Record]:
        """Cells that a filter lets through, one page of them.

        Parameters
        ----------
        filters : Filters, optional
        sort : str, optional
            One of :data:`~leukemia.dataset.catalog.sql.SORTS`; any other is taken as the order of
            the manifest.
        number, size : int, optional
            Which page, from 1; rows a page.
        """
        where, values = sql.where(filters)
        order = SORTS.get(sort, "row")
        # Sorted by narrow columns first; the rest is fetched for this page's rows only.
        chosen = (
            f"SELECT row FROM cells WHERE {where} ORDER BY {order}, row LIMIT {int(size)} "  # noqa: S608
            f"OFFSET {(max(1, int(number)) - 1) * int(size)}"
        )
        rows = [row for (row,) in self._cursor().execute(chosen, values).fetchall()]
        return self._records(rows)

    def count(self, filters: Filters = EVERYTHING) -> int:
        """How many rows a filter lets through."""
        where, values = sql.where(filters)
        result = self._cursor().execute(f"SELECT count(*) FROM cells WHERE {where}", values)  # noqa: S608
        return result.fetchone()[0]

    def tally(self, filters: Filters = EVERYTHING) -> Tally:
        """What a filter lets through, by label and by patient."""
        where, values = sql.where(filters)
        result = self._cursor().execute(
            "SELECT count(*), count(*) FILTER (label = 'Normal'), count(*) FILTER (label = 'ALL'), "  # noqa: S608
            "count(*) FILTER (label = ''), count(DISTINCT patient) FILTER (patient <> ''), "
            f"count(DISTINCT patient_group) FILTER (patient_group <> '') FROM cells WHERE {where}",
            values,
        )
        return Tally(*result.fetchone())

    def record(self, image_id: str) -> Record | None:
        """The first row of an image, or None where there is none."""
        copies = self.copies(image_id)
        return copies[0] if copies else None

    def copies(self, image_id: str) -> list[Record]:
        """All rows whose pixels are these: more than one where the set holds a picture twice."""
        rows = self._cursor().execute("SELECT row FROM names WHERE image_id = ? ORDER BY row", [image_id])
        return self._records([row for (row,) in rows.fetchall()])

    def of_patient(self, patient: str, size: int = 48, number: int = 1) -> list[Record]:
        """One patient's cells in the manifest's order, a page of them."""
        return self.page(Filters(patients=(patient,)), number=number, size=size) if patient else []

    def query(self, sql: str, values: Sequence[object] = ()) -> pd.DataFrame:
        """Ask the table ``cells`` itself; for sums over the whole set."""
        return self._cursor().execute(sql, list(values)).df()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        return self._connection.cursor()

    def _records(self, rows: list[int]) -> list[Record]:
        columns = ", ".join(field.name for field in fields(Record))
        listed = ", ".join(map(str, rows)) or "NULL"
        result = self._cursor().execute(
            f"SELECT row, {columns} FROM cells JOIN names USING (row) WHERE row IN ({listed})"  # noqa: S608
        )
        by_row = {row: Record(*rest) for row, *rest in result.fetchall()}
        return [by_row[row] for row in rows]

    def _choices(self) -> Choices:
        cursor = self._cursor()

        def those(column: str) -> tuple[str, ...]:
            values = cursor.execute(f"SELECT DISTINCT {column} FROM cells ORDER BY {column}").fetchall()  # noqa: S608
            return tuple(value for (value,) in values if value)

        low, high = cursor.execute("SELECT min(cell_area), max(cell_area) FROM cells").fetchone()
        return Choices(those("patient"), those("source"), those("subset"), (low or 0, high or 0))


def stamp(data: Path) -> tuple[object, ...]:
    """Tell one state of a folder's catalog from another, at no cost; raises as :func:`open_catalog`."""
    stamps = manifest_parquet.stamp(data), brightness.stamp(data), label_log.stamp(data)
    return *stamps, review_labels.stamp(data)


def open_catalog(
    data: Path,
    predictions: pd.DataFrame | None = None,
    point: OperatingPoint | None = None,
    *,
    groups: Mapping[str, Collection[str]] | None = None,
    synthetic: bool = False,
) -> Catalog:
    """Read a prepared folder's manifest with what is known of its cells.

    Parameters
    ----------
    data : Path
        The prepared folder.
    predictions : pandas.DataFrame, optional
        Held-out predictions of the model in service, a row an image; columns image_id and
        probability, and after a cross-validation ``fold`` (from 0), which is then the cell's subset.
    point : OperatingPoint, optional
        From which probabilities it calls cells, given with ``predictions``.
    groups : mapping of str to collection of str, optional
        Its split: training, validation and test to patient groups. Where a group is in two of
        them (the leaky image-level split), only test images are known, by their predictions.
    synthetic : bool, optional
        Whether that model learned from synthetic cells: names of patients tell people apart within
        synthetic or within real cells, not across.

    Raises
    ------
    DatasetError
        Where the folder is not prepared, or its manifest is damaged.
    """
    connection = manifest_parquet.connect()
    known = pd.DataFrame({"image_id": [], "probability": [], "called": [], "fold": []}, dtype=object)
    if predictions is not None and point is not None:
        called = point.call(predictions["probability"])
        known = predictions.assign(called=called, fold=predictions.get("fold"))
        known = known.drop_duplicates("image_id")[["image_id", "probability", "called", "fold"]]
    split = pd.DataFrame(
        [(group, subset) for subset, members in (groups or {}).items() for group in members],
        columns=["patient_group", "subset"],
        dtype=object,
    )
    if split["patient_group"].duplicated().any():
        split = split[:0]
    reviewed = pd.DataFrame(
        [(image_id, row.new) for image_id, row in label_log.current(data).items()],
        columns=["image_id", "new"],
        dtype=object,
    )
    given = {"known": known, "split": split, "reviewed": reviewed}
    for name, frame in given.items():
        connection.register(name, frame)
    with manifest_parquet.parquet(data, connection) as source:
        try:
            sql.fill(connection, source, brightness.files(data), point, synthetic)
        except duckdb.IOException as error:
            raise DatasetError(f"The images of {data} are being replaced: reload the page.") from error
    for name in given:
        connection.unregister(name)
    return Catalog(data, connection, point)
