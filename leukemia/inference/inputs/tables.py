"""Parquet tables of images: one column of bytes, and one of names where there is one."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from leukemia.errors import DatasetError, ImageError
from leukemia.inference.inputs import buckets
from leukemia.storage import files

SUFFIX = ".parquet"
NAMES = ("name", "file", "file_name", "filename", "path")
# Bytes of one group of rows, which is in memory as a whole while its images are read.
MAX_GROUP = 512 * 1024**2
NO_TABLE = "{} is no Parquet table, or is damaged."
BYTES = "{} needs one column of bytes that hold the image files; it has {}."
TOO_LARGE = (
    "{} holds more than {} MB of images in a group of rows. Write it in smaller ones, such as with pandas: "
    "to_parquet(…, row_group_size=1000)."
)


@dataclass(frozen=True)
class Row:
    """One image of a table: group of rows, place in it, what it is called, and its table's stamp."""

    group: int
    row: int
    name: str
    stamp: str


def find(table: str) -> Iterator[Row]:
    """All images of a table, in order.

    Parameters
    ----------
    table : str
        Its path, or its address in a bucket.

    Raises
    ------
    DatasetError
        Where it is no table, has no column of bytes or several, or groups of rows that are too large.
    """
    try:
        stamp = _stamp(table)
        opened = _opened(table, stamp)
        column = _images(table, opened)
        names = next((name for name in NAMES if _is_text(opened.schema_arrow, name)), None)
        for group in range(opened.num_row_groups):
            _check_size(table, opened.metadata.row_group(group), column)
            rows = opened.metadata.row_group(group).num_rows
            given = (
                opened.read_row_group(group, columns=[names])[names].to_pylist() if names else [None] * rows
            )
            for row, name in enumerate(given):
                called = files.shown(name) if name else f"{group}-{row}"
                yield Row(group, row, called, stamp)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise DatasetError(NO_TABLE.format(_shown(table))) from error


def read(table: str, group: int, row: int, stamp: str) -> bytes:
    """The image file in a row; not to be called by several threads at once.

    Raises
    ------
    ImageError
        Where the table cannot be read, or is not what was listed.
    """
    try:
        return _group(table, group, stamp)[row].as_py() or b""
    except (OSError, pa.ArrowException, ValueError, IndexError, DatasetError) as error:
        raise ImageError("The table was changed, is damaged, or cannot be read any more.") from error


@lru_cache(maxsize=4)
def _opened(table: str, stamp: str) -> pq.ParquetFile:
    if _stamp(table) != stamp:
        raise DatasetError(f"{_shown(table)} was changed while it was being read.")
    return pq.ParquetFile(buckets.open_object(table) if buckets.is_address(table) else Path(table))


# One: whoever reads an image reads those beside it.
@lru_cache(maxsize=1)
def _group(table: str, group: int, stamp: str) -> pa.ChunkedArray:
    opened = _opened(table, stamp)
    column = _images(table, opened)
    return opened.read_row_group(group, columns=[column])[column]


def _stamp(table: str) -> str:
    if buckets.is_address(table):
        return next(buckets.find(table)).stamp
    status = Path(table).stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def _check_size(table: str, rows: pq.RowGroupMetaData, column: str) -> None:
    columns = map(rows.column, range(rows.num_columns))
    (images,) = (one for one in columns if one.path_in_schema == column)
    if images.total_uncompressed_size > MAX_GROUP:
        raise DatasetError(TOO_LARGE.format(_shown(table), MAX_GROUP // 1024**2))


def _images(table: str, opened: pq.ParquetFile) -> str:
    fields = [one.name for one in opened.schema_arrow if _is_bytes(one.type)]
    if len(fields) != 1:
        raise DatasetError(BYTES.format(_shown(table), "none" if not fields else ", ".join(fields)))
    return fields[0]


def _is_bytes(kind: pa.DataType) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _is_text(schema: pa.Schema, name: str) -> bool:
    place = schema.get_field_index(name)
    return place >= 0 and (
        pa.types.is_string(schema.field(place).type) or pa.types.is_large_string(schema.field(place).type)
    )


def _shown(table: str) -> str:
    return buckets.shown(table) if buckets.is_address(table) else files.shown(table)
