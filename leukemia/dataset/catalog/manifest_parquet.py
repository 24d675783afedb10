"""The manifest as a Parquet file beside it: read by column, whatever its length.

The file is derived and may be deleted at any time. It carries the manifest's size and time of
change, and is made anew where these differ.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from leukemia.classes import LABELS
from leukemia.dataset import manifest
from leukemia.errors import DatasetError
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace

VERSION = "1"
MEMORY = "384MB"  # of the query engine, a connection; beyond that it goes to disk


def connect() -> duckdb.DuckDBPyConnection:
    """A query engine of its own in this process, in bounds, that fetches nothing from outside."""
    scratch = Path(tempfile.gettempdir()) / "leukemia-duckdb"
    return duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "temp_directory": str(scratch),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )


def stamp(data: Path) -> str:
    """Tell one state of the manifest from another, at no cost.

    Raises
    ------
    DatasetError
        Where the folder is not prepared.
    """
    try:
        status = Workspace(data).manifest.stat()
    except OSError as error:
        raise DatasetError(
            f"No prepared images in {data}. Run: python -m leukemia prepare SOURCE --output {data}"
        ) from error
    return f"{VERSION}-{status.st_size}-{status.st_mtime_ns}"


def stamp_if_any(data: Path) -> str | None:
    """As :func:`stamp`; None where the folder is not prepared."""
    try:
        return stamp(data)
    except DatasetError:
        return None


@contextlib.contextmanager
def parquet(data: Path, connection: duckdb.DuckDBPyConnection) -> Iterator[Path]:
    """The manifest as Parquet, made where it is missing or of another state.

    Parameters
    ----------
    data : Path
        The prepared folder.
    connection : duckdb.DuckDBPyConnection
        Does the work.

    Yields
    ------
    Path
        A file to read while the context lasts: in ``cache/``, or where nothing can be written
        there, a temporary one.

    Raises
    ------
    DatasetError
        Where the folder is not prepared, or its manifest is damaged.
    """
    cached, now = Workspace(data).catalog, stamp(data)
    with contextlib.ExitStack() as stack:
        if _stamp_of(cached, connection) != now:
            try:
                _make(data, cached, now, connection)
            except (OSError, duckdb.IOException):
                cached = Path(stack.enter_context(tempfile.TemporaryDirectory())) / cached.name
                _make(data, cached, now, connection)
        yield cached


def _stamp_of(cached: Path, connection: duckdb.DuckDBPyConnection) -> str | None:
    if not cached.is_file():
        return None
    try:
        row = connection.execute(
            "SELECT value::VARCHAR FROM parquet_kv_metadata(?) WHERE key::VARCHAR = 'stamp'", [str(cached)]
        ).fetchone()
    except duckdb.Error:
        return None
    return row[0] if row else None


def _make(data: Path, target: Path, now: str, connection: duckdb.DuckDBPyConnection) -> None:
    source = Workspace(data).manifest
    _check_header(source)
    # An empty field is empty text, never "not known": as manifest.read has it.
    texts = ", ".join(
        f"coalesce({name}, '') AS {name}" for name in manifest.COLUMNS if name not in manifest.NUMBERS
    )
    numbers = ", ".join(f"{name}::INTEGER AS {name}" for name in manifest.NUMBERS)
    csv = f"read_csv({_text(source)}, header = true, all_varchar = true, {_DIALECT})"
    with whole_file(target) as partial:
        try:
            _check_labels(source, csv, connection)
            _check_paths(source, csv, connection)
            connection.execute(
                f"COPY (SELECT {texts}, {numbers} FROM {csv}) TO {_text(partial)} "  # noqa: S608
                f"(FORMAT parquet, KV_METADATA {{stamp: {_text(now)}}})"
            )
        except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
            raise DatasetError(f"{source} is damaged and cannot be read. Run prepare again.") from error


_DIALECT = "delim = ',', quote = '\"', escape = '\"', sample_size = 1"


def _check_header(source: Path) -> None:
    with source.open(encoding="utf-8", errors="replace") as file:
        header = file.readline().rstrip("\r\n").replace('"', "").split(",")
    missing = [name for name in manifest.COLUMNS if name not in header]
    if missing:
        raise DatasetError(f"{source} lacks columns: {', '.join(missing)}. Run prepare again.")


def _check_labels(source: Path, csv: str, connection: duckdb.DuckDBPyConnection) -> None:
    labels = connection.execute(f"SELECT DISTINCT coalesce(label, '') FROM {csv}").fetchall()  # noqa: S608
    odd = sorted({str(label) for (label,) in labels} - {*LABELS, ""})
    if odd:
        raise DatasetError(f"{source} has labels other than Normal and ALL: {', '.join(odd[:3])}.")


def _check_paths(source: Path, csv: str, connection: duckdb.DuckDBPyConnection) -> None:
    outside = connection.execute(
        f"SELECT path FROM {csv} WHERE regexp_matches(coalesce(path, ''), {_text(manifest.OUTSIDE)}) LIMIT 1"  # noqa: S608
    ).fetchone()
    if outside:
        raise DatasetError(f"{source} names a file outside of its folder: {outside[0]!r}.")


def _text(value: object) -> str:
    """A value as an SQL text."""
    return "'" + str(value).replace("'", "''") + "'"
