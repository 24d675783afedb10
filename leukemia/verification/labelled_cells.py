"""A laboratory's labelled cells: two folders or a CSV, in a folder or a .zip, each cell with its patient.

A CSV has the columns file, label and patient, and its paths are looked up among the files listed beside
it: none is ever opened by a path that the CSV spells. Without a CSV, the class is a folder's name (ALL or
Normal), and the patient the folder below it, or what C-NMC's file names say.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from leukemia.classes import ALL, NORMAL
from leukemia.dataset.importing import layout, sources, tables
from leukemia.dataset.importing.sources import Entry
from leukemia.errors import DatasetError
from leukemia.imaging.reader import SUFFIXES
from leukemia.storage import files

COLUMNS = ("file", "label", "patient")
LABELS = {"all": ALL, "1": ALL, "normal": NORMAL, "hem": NORMAL, "0": NORMAL}
MAX_CELLS = 20_000
MAX_PATIENT = 100  # letters
EXPECTED = (
    "Bring two folders, ALL and Normal, with a folder for each patient in them; or a CSV with the columns "
    "file, label and patient beside the images."
)
NO_PATIENTS = (
    "It is not clear which patient each cell is from, and a verification counts patients. Put each patient's "
    "cells into a folder of their own (ALL/patient/…), or bring a CSV with the columns file, label, patient."
)


@dataclass(frozen=True)
class LabelledCell:
    """One image with its label (ALL or Normal) and patient; ``by_name`` where C-NMC's file name told it."""

    entry: Entry
    label: str
    patient: str
    by_name: bool = False


@dataclass(frozen=True)
class LabelledCells:
    """What was brought: the cells, and what cannot be used, each in a line."""

    cells: list[LabelledCell]
    problems: list[str]


def read(source: Path, stack: ExitStack) -> LabelledCells:
    """List the labelled cells of a folder, a .zip, or a CSV with its images beside it.

    Parameters
    ----------
    source : Path
    stack : ExitStack
        Closes what was opened; images can be loaded until then.

    Raises
    ------
    DatasetError
        Where no cell can be used, no patient be told, or the CSV not be read.
    ArchiveError
        Where the source is missing, empty or damaged; see :func:`sources.open_source`.
    """
    source = Path(source)
    named = source.name if source.is_file() and source.suffix.lower() == ".csv" else None
    listing = sources.open_source(source.parent if named else source, stack)
    entries = listing.entries
    listed = [one for one in entries if one.origin == named or (not named and _suffix(one) == ".csv")]
    if len(listed) > 1:
        raise DatasetError(f"{len(listed)} CSV files are in {source}: leave the one that names the cells.")
    found = _by_csv(listed[0], entries) if listed else _by_folders(entries)
    found.problems.extend(f"{name}: {why}." for name, why in listing.left_out.items())
    if not found.cells:
        first = f" {found.problems[0]}" if found.problems else ""
        raise DatasetError(f"No labelled cell can be used.{first} {EXPECTED}")
    if len(found.cells) > MAX_CELLS:
        raise DatasetError(f"{len(found.cells):,} cells are too many: bring at most {MAX_CELLS:,}.")
    return found


def _by_folders(entries: Sequence[Entry]) -> LabelledCells:
    cells, problems, nameless = [], [], 0
    for entry in entries:
        if _suffix(entry) not in SUFFIXES:
            continue
        *folders, _ = PurePosixPath(entry.origin).parts
        words = [folder.strip().lower() for folder in folders]
        place = next((number for number, word in enumerate(words) if word in LABELS), None)
        if place is None:
            problems.append(f"{entry.origin}: it is not in a folder called ALL or Normal.")
            continue
        label, below = LABELS[words[place]], folders[place + 1 :]
        name = layout.CELL.fullmatch(PurePosixPath(entry.origin).stem)
        if name and layout.BY_FOLDER[name["kind"]] != label:
            problems.append(f"{entry.origin}: its folder says {label}, its name says {name['kind']}.")
        elif below:
            cells.append(LabelledCell(entry, label, below[0].strip()))
        elif name:
            cells.append(LabelledCell(entry, label, layout.patient(name["patient"]), by_name=True))
        else:
            nameless += 1
            problems.append(f"{entry.origin}: it does not say which patient it is from.")
    if nameless and not cells:
        raise DatasetError(NO_PATIENTS)
    return LabelledCells(cells, problems)


def _by_csv(table: Entry, entries: Sequence[Entry]) -> LabelledCells:
    by_path = {entry.origin: entry for entry in entries}
    beside = PurePosixPath(table.origin).parent
    cells, problems, seen = [], [], set()
    for number, row in tables.rows(table, COLUMNS):
        where = f"{PurePosixPath(table.origin).name}, line {number}"
        if problem := _wrong(row):
            problems.append(f"{where}: {problem}")
            continue
        file, label, patient = files.shown(row[0]), *row[1:]
        entry = by_path.get(str(beside / PurePosixPath(file.replace("\\", "/"))))
        if entry is None:
            problems.append(f"{where}: there is no file {file}.")
        elif entry.origin in seen:
            problems.append(f"{where}: {file} was listed before; the first row counts.")
        else:
            seen.add(entry.origin)
            cells.append(LabelledCell(entry, LABELS[label.lower()], patient))
    return LabelledCells(cells, problems)


def _wrong(row: list[str]) -> str:
    """What is wrong with a row of file, label and patient, in a sentence; empty where nothing is."""
    if len(row) != len(COLUMNS):
        return "it does not have as many columns as the first line."
    file, label, patient = row
    path = PurePosixPath(file.replace("\\", "/"))
    if not file:
        return "it names no file."
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return f"{file} lies outside the CSV's folder: write paths as they are seen from the CSV."
    if label.lower() not in LABELS:
        return f"the label is {label!r}; it must be ALL or Normal."
    if not patient:
        return "the patient is missing."
    if len(patient) > MAX_PATIENT:
        return f"the patient's name has more than {MAX_PATIENT} letters."
    return ""


def _suffix(entry: Entry) -> str:
    return PurePosixPath(entry.origin).suffix.lower()
