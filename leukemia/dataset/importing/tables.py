"""A CSV as people save it: with commas, semicolons or tabs, from Excel in whatever letters, rows blank."""

import csv
import io
from collections.abc import Iterator, Sequence

from leukemia.dataset.importing.sources import Entry
from leukemia.errors import ArchiveError, DatasetError

DELIMITERS = ",;\t"


def rows(table: Entry, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Read some columns of a CSV, by name without regard to case; others and blank rows are passed over.

    Parameters
    ----------
    table : Entry
    columns : sequence of str
        In small letters.

    Yields
    ------
    tuple
        Line number, and the values of ``columns``; an empty list where the row has more or fewer values
        than the first line.

    Raises
    ------
    DatasetError
        Where it is no CSV, has no rows or lacks a column.
    """
    try:
        text = _text(table.load())
    except ArchiveError as error:
        raise DatasetError(f"{table.origin}: {error}") from error
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    places: list[int] | None = None
    width = 0
    try:
        for row in reader:
            values = [value.strip() for value in row]
            if not any(values):
                continue
            if places is None:
                places, width = _places(table, values, columns), len(values)
                continue
            yield reader.line_num, [values[place] for place in places] if len(values) == width else []
    except csv.Error as error:
        raise DatasetError(f"{table.origin} cannot be read as a CSV file: {error}.") from error
    if places is None:
        raise DatasetError(f"{table.origin} has no rows.")


def _places(table: Entry, header: list[str], columns: Sequence[str]) -> list[int]:
    named = [value.lower() for value in header]
    if missing := [name for name in columns if name not in named]:
        raise DatasetError(
            f"{table.origin} lacks columns: {', '.join(missing)}; it has {', '.join(filter(None, named))}."
        )
    return [named.index(name) for name in columns]


def _text(data: bytes) -> str:
    """Text as spreadsheets write it: UTF-8, UTF-16 with or without its mark, or Windows' Western letters."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if data[1:2] == b"\0" or data[:1] == b"\0":
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
