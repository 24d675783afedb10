"""What `segment` writes of several fields: a table, the cells on black, and their outlines."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from leukemia.errors import ImageError
from leukemia.imaging.scale import Scale
from leukemia.segmentation import crop as crops
from leukemia.segmentation import geojson, table
from leukemia.segmentation.field import Field, read_field
from leukemia.segmentation.segment import NONE_FOUND, Segmented, segment
from leukemia.storage import atomic, files

TABLE, CROPS, OUTLINES = "cells.csv", "crops", "outlines"
CONTENT = (TABLE, CROPS, OUTLINES)
UNSAFE = re.compile(r"[^\w.-]+")
LONGEST = 80  # of a field's name in the names of what is made of it
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Count:
    """How many fields were read, how many were not, and how many white cells are in them."""

    fields: int
    failed: int
    cells: int


def write(
    paths: Iterable[Path],
    folder: Path,
    said: Scale | None = None,
    progress: Progress = lambda done, total, what: None,
) -> Count:
    """Segment fields into a folder, which is there once it is whole.

    A field that cannot be read is a row with the reason, and the rest is done.

    Parameters
    ----------
    paths : iterable of Path
        The fields.
    folder : Path
        To be made, or to be replaced.
    said : Scale, optional
        The scale of all fields.
    progress : callable, optional
        Called with fields done, all fields, and what is being done.

    Returns
    -------
    Count
    """
    paths, folder = list(paths), Path(folder).absolute()
    names = _names(paths)
    folder.parent.mkdir(parents=True, exist_ok=True)
    failed = cells = 0
    with atomic.partial_folder(folder.parent) as partial:
        for below in (CROPS, OUTLINES):
            (partial / below).mkdir()
        with (partial / TABLE).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, table.COLUMNS, lineterminator="\n")
            writer.writeheader()
            for done, (path, name) in enumerate(zip(paths, names, strict=True)):
                progress(done, len(paths), "Finding cells")
                try:
                    field = read_field(path)
                    segmented = segment(field, said)
                except ImageError as error:
                    failed += 1
                    writer.writerow(table.empty_row(files.shown(path), error=str(error)))
                    continue
                writer.writerows(_rows(files.shown(path), name, field, segmented, partial))
                cells += len(segmented.cells)
        progress(len(paths), len(paths), "Finding cells")
        atomic.replace_folder(folder, partial)
    return Count(len(paths), failed, cells)


def _rows(
    shown: str, name: str, field: Field, segmented: Segmented, folder: Path
) -> Iterator[dict[str, object]]:
    """Write the cells of a field beside the table; yield their rows."""
    note = "; ".join(filter(None, (segmented.scale.note, field.note, field.loss.note if field.loss else "")))
    scale, features = segmented.scale, []
    if not segmented.cells:
        yield table.empty_row(shown, note=f"{NONE_FOUND} {note}", scale=scale)
    for number, cell in enumerate(segmented.cells, 1):
        file, error, nucleus = f"{CROPS}/{name}-{number:04d}.png", "", None
        try:
            crop = crops.cut_out(field, cell.outline, scale)
            (folder / file).write_bytes(crop.png())
            nucleus = crop.nucleus()
        except ImageError as refused:
            file, error = "", str(refused)
        features.append(geojson.feature(cell, f"{name}-{number:04d}", scale, nucleus))
        area = nucleus.area if nucleus else None
        yield table.row(shown, cell, scale, crop=file, error=error, nucleus_area=area, note=note)
    (folder / OUTLINES / f"{name}.geojson").write_text(geojson.collection(features), encoding="utf-8")


def _names(paths: list[Path]) -> list[str]:
    """A name for each field that a file's name may hold, no two alike."""
    taken: set[str] = set()
    names = []
    for path in paths:
        plain = UNSAFE.sub("_", files.shown(path.stem)).strip("._-")[:LONGEST] or "field"
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names
