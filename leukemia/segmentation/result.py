"""What `segment` writes of several fields and slides: a table, the cells on black, and their outlines."""

import csv
import errno
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from leukemia.errors import ImageError
from leukemia.imaging import scale as scales
from leukemia.imaging.scale import Scale
from leukemia.imaging.slide import Box, Slide, is_slide
from leukemia.imaging.stain import Recoloured
from leukemia.jobs import threads
from leukemia.segmentation import crop as crops
from leukemia.segmentation import geojson, table
from leukemia.segmentation.field import Field, read_field
from leukemia.segmentation.segment import NONE_FOUND, Segmented, WhiteCell, segment
from leukemia.segmentation.slides import search
from leukemia.segmentation.slides.part import SlidePart
from leukemia.segmentation.slides.search import Settings
from leukemia.storage import atomic, files

TABLE, CROPS, OUTLINES = "cells.csv", "crops", "outlines"
CONTENT = (TABLE, CROPS, OUTLINES)
UNSAFE = re.compile(r"[^\w.-]+")
# Bytes of a field's name in the names of what is made of it. File systems allow 255 in all, some 143, and
# "-12" and "-100000-matched.png" may be added.
LONGEST = 100
NOT_WRITTEN = "What was found in this field cannot be written"
# A name that the file system refuses is the trouble of one field; a full disk is that of all.
REFUSED_NAME = (errno.ENAMETOOLONG, errno.EILSEQ)
AHEAD = 4  # cells a thread that are read before their turn: those of a whole slide would fill the memory
# Damaged tiles of a slide that have a row each; of a file that was cut off, all of them may be.
MOST_DAMAGED = 100
Progress = Callable[[int, int, str], None]
Row = dict[str, object]
# From the files of a field's cells to as many recoloured ones; None for what cannot be.
MatchStain = Callable[[Sequence[Path]], Sequence[Recoloured | None]]


@dataclass(frozen=True)
class Count:
    """How many fields and slides were read, how many were not, white cells, and damaged tiles of slides."""

    fields: int
    failed: int
    cells: int
    damaged: int = 0


def unfinished(folder: Path) -> Path:
    """Where searches of slides are kept until the result is whole."""
    folder = Path(folder).resolve()
    return folder.with_name(f"{folder.name}.unfinished")


def write(
    paths: Iterable[Path],
    folder: Path,
    said: Scale | None = None,
    progress: Progress = lambda done, total, what: None,
    slides: Settings | None = None,
    match_stain: MatchStain | None = None,
) -> Count:
    """Segment fields and slides into a folder, which is there once it is whole.

    What cannot be read is a row with the reason, and the rest is done. The search of a slide that was
    interrupted goes on where it stopped (see :func:`unfinished`), fields are read again.

    Parameters
    ----------
    paths : iterable of Path
        The fields and slides.
    folder : Path
        To be made, or to be replaced.
    said : Scale, optional
        The scale of all fields.
    progress : callable, optional
        Called with what is done, all there is, and what is being done.
    slides : Settings, optional
        How slides are searched; by default, each whole, at the scale said.
    match_stain : callable, optional
        Recolours the cells of a field that its edge does not cut; what it gives lies beside the cells as they
        are.

    Returns
    -------
    Count

    Raises
    ------
    StateError
        Where the interrupted search was of another slide, or with other settings.
    """
    # Resolved: a path that leads through the folder itself ends while that is replaced.
    paths, folder = list(paths), Path(folder).resolve()
    settings = slides or Settings(pixel_size=said and (said.pixel_size or scales.PIXEL_SIZE))
    names = _names(paths)
    folder.parent.mkdir(parents=True, exist_ok=True)
    failed = cells = damaged = 0
    with atomic.partial_folder(folder.parent) as partial:
        for below in (CROPS, OUTLINES):
            (partial / below).mkdir()
        with (partial / TABLE).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, table.COLUMNS, lineterminator="\n")
            writer.writeheader()
            for done, (path, name) in enumerate(zip(paths, names, strict=True)):
                progress(done, len(paths), "Finding cells")
                try:
                    if is_slide(path):
                        state = unfinished(folder) / f"{name}.db"
                        found, bad = _of_slide(path, name, state, settings, partial, progress)
                    else:
                        found, bad = _of_field(path, name, said, partial), []
                except (ImageError, OSError) as error:
                    if isinstance(error, OSError) and error.errno not in REFUSED_NAME:
                        raise
                    failed += 1
                    why = f"{NOT_WRITTEN}: {error.strerror}." if isinstance(error, OSError) else str(error)
                    found, bad = [table.empty_row(files.shown(path), error=why)], []
                if match_stain and not is_slide(path):
                    _match(found, partial, match_stain)
                writer.writerows(found + _of_damaged(found[0], bad))
                cells += sum(row["confidence"] != "" for row in found)
                damaged += len(bad)
        progress(len(paths), len(paths), "Finding cells")
        atomic.replace_folder(folder, partial)
    shutil.rmtree(unfinished(folder), ignore_errors=True)
    return Count(len(paths), failed, cells, damaged)


def _of_field(path: Path, name: str, said: Scale | None, folder: Path) -> list[Row]:
    field = read_field(path)
    return list(_rows(files.shown(path), name, field, segment(field, said), folder))


def _of_slide(
    path: Path, name: str, file: Path, settings: Settings, folder: Path, progress: Progress
) -> tuple[list[Row], list[Box]]:
    """Search a slide, or go on with it; rows of its cells, and boxes of its damaged tiles."""
    with Slide(path) as slide, search.search(path, slide, file, settings, progress=progress) as state:
        scale, cells = search.scale_of(slide, settings), search.cells(state, settings)
        whole = replace(SlidePart.whole(slide), note=search.note(state, settings))
        found = Segmented(cells, state.red, 0, scale)
        rows = []
        for row in _rows(files.shown(path), name, whole, found, folder):
            progress(len(rows), max(len(cells), 1), "Cutting cells out")
            rows.append(row)
        return rows, state.damaged()


def _of_damaged(like: Row, damaged: list[Box]) -> list[Row]:
    """Rows for the damaged tiles of a slide that ``like`` is a row of."""
    empty = table.empty_row("") | {name: like[name] for name in ("field", "pixel_size_um", "notice")}
    rows = [empty | table.place(box) | {"error": search.DAMAGED} for box in damaged[:MOST_DAMAGED]]
    if more := len(damaged) - len(rows):
        rows.append(empty | {"error": search.MORE_DAMAGED.format(more)})
    return rows


def _rows(
    shown: str, name: str, field: Field | SlidePart, segmented: Segmented, folder: Path
) -> Iterator[Row]:
    """Write the cells of a field beside the table; yield their rows."""
    note = "; ".join(filter(None, (segmented.scale.note, field.note, field.loss.note if field.loss else "")))
    scale, features = segmented.scale, []
    if not segmented.cells:
        yield table.empty_row(shown, note=f"{NONE_FOUND} {note}", scale=scale)

    def cut(numbered: tuple[int, WhiteCell]) -> tuple[dict[str, object], Row]:
        number, cell = numbered
        file, error, nucleus = f"{CROPS}/{name}-{number:04d}.png", "", None
        try:
            crop = crops.cut_out(field, cell.outline, scale)
            (folder / file).write_bytes(crop.png())
            nucleus = crop.nucleus()
        except ImageError as refused:
            file, error = "", str(refused)
        area = nucleus.area if nucleus else None
        row = table.row(shown, cell, scale, crop=file, error=error, nucleus_area=area, note=note)
        return geojson.feature(cell, f"{name}-{number:04d}", scale, nucleus), row

    workers = os.cpu_count() or 1
    with threads.pool(workers) as pool:
        cells = enumerate(segmented.cells, 1)
        for feature, row in threads.in_order(pool, cut, cells, AHEAD * workers):
            features.append(feature)
            yield row
    (folder / OUTLINES / f"{name}.geojson").write_text(geojson.collection(features), encoding="utf-8")


def _match(rows: list[dict[str, object]], folder: Path, match_stain: MatchStain) -> None:
    """Write the whole cells of a field recoloured, too, and say so in their rows."""
    whole = [row for row in rows if row["crop"] and row["edge"] == "no"]
    found = match_stain([folder / str(row["crop"]) for row in whole])
    for row, one in zip(whole, found, strict=True):
        if one is None:
            continue
        row["matched_crop"] = f"{Path(str(row['crop'])).with_suffix('')}-matched.png"
        Image.fromarray(one.pixels).save(folder / row["matched_crop"], "PNG", compress_level=crops.PACKING)
        row |= {name: getattr(one, name) for name in table.STAIN[1:]}


def _names(paths: list[Path]) -> list[str]:
    """A name for each field that a file's name may hold, no two alike."""
    taken: set[str] = set()
    names = []
    for path in paths:
        plain = _cut(UNSAFE.sub("_", files.shown(path.stem)).strip("._-")) or "field"
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _cut(name: str) -> str:
    """As many whole letters of a name as :data:`LONGEST` bytes hold."""
    return name.encode()[:LONGEST].decode(errors="ignore")
