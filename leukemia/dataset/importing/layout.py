"""What the names in a C-NMC 2019 download mean: class, patient, phase.

Kaggle's layout (``C-NMC_Leukemia/training_data/fold_N/{all,hem}``) and the archive's own
(``C-NMC_training_data/fold_N/…``) are read by the folders that they share.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from leukemia.dataset.importing.sources import Entry
from leukemia.errors import ArchiveError
from leukemia.imaging.reader import SUFFIXES

FOLD = re.compile(r"fold_\d+")
CLASSES = {"all": "ALL", "hem": "Normal"}
LABELS = {"1": "ALL", "0": "Normal"}
PRELIMINARY, FINAL = "C-NMC_test_prelim_phase_data", "C-NMC_test_final_phase_data"
LABELS_CSV = f"{PRELIMINARY}_labels.csv"
COLUMNS = {"Patient_ID", "new_names", "labels"}
CELL = re.compile(r"UID_(?P<patient>[Hh]?\d+)_\d+_\d+_(?P<kind>all|hem)", re.ASCII)
EXPECTED = f"fold_N/all and fold_N/hem, {PRELIMINARY}, {FINAL}"


@dataclass(frozen=True)
class Named:
    """One image and what its name says.

    Attributes
    ----------
    entry : Entry
    source : str
        fold_0, fold_1, ..., preliminary or final.
    label, patient : str
        Empty where not known.
    doubt : str
        Why the label is not known though there should be one; else empty.
    """

    entry: Entry
    source: str
    label: str = ""
    patient: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Layout:
    """A whole download, by its names.

    Attributes
    ----------
    images : list of Named
        In the order of their origins.
    rows, absent : int
        Rows of the labels CSV, and those that name a file which is not there.
    left_out : list of str
        Image files that lie in none of the set's folders.
    other : int
        Files that are no images.
    """

    images: list[Named]
    rows: int
    absent: int
    left_out: list[str]
    other: int


def read(entries: Iterable[Entry]) -> Layout:
    """Tell what each file of a download is.

    Raises
    ------
    ArchiveError
        Where nothing lies as in C-NMC 2019, or a labels CSV is damaged.
    """
    tables, pictures, other = [], [], 0
    for entry in entries:
        name = PurePosixPath(entry.origin)
        if name.name == LABELS_CSV:
            tables.append(entry)
        elif name.suffix.lower() in SUFFIXES:
            pictures.append(entry)
        else:
            other += 1
    labels = _labels(tables)
    images, left_out, present = [], [], set()
    for entry in pictures:
        named = _named(entry, labels)
        if named is None:
            left_out.append(entry.origin)
            continue
        images.append(named)
        if named.source == "preliminary":
            present.add(PurePosixPath(entry.origin).stem)
    if not images:
        raise ArchiveError(f"This is not a C-NMC 2019 download: none of its folders is here ({EXPECTED}).")
    return Layout(images, len(labels), len(labels.keys() - present), left_out, other)


def patient(written: str) -> str:
    """A patient's one name: the set writes one healthy subject as ``h3`` and ``H3``."""
    return written.upper()


def _named(entry: Entry, labels: dict[str, tuple[str, str]]) -> Named | None:
    *folders, name = PurePosixPath(entry.origin).parts
    if PRELIMINARY in folders:
        return _preliminary(entry, labels.get(PurePosixPath(name).stem))
    if FINAL in folders:
        return Named(entry, "final")
    if len(folders) >= 2 and FOLD.fullmatch(folders[-2]) and folders[-1] in CLASSES:
        return _training(entry, folders[-2], folders[-1])
    return None


def _training(entry: Entry, fold: str, kind: str) -> Named:
    found = CELL.fullmatch(PurePosixPath(entry.origin).stem)
    if found is None:
        return Named(entry, fold, doubt="The name does not say whose cell it is.")
    who = patient(found["patient"])
    if found["kind"] != kind:
        return Named(entry, fold, patient=who, doubt=f"Lies in the folder {kind}, is named {found['kind']}.")
    return Named(entry, fold, CLASSES[kind], who)


def _preliminary(entry: Entry, row: tuple[str, str] | None) -> Named:
    if row is None:
        return Named(entry, "preliminary", doubt=f"No row of {LABELS_CSV} names it.")
    original, label = row
    found = CELL.fullmatch(PurePosixPath(original).stem)
    if found is None:
        return Named(entry, "preliminary", doubt=f"{LABELS_CSV} does not say whose cell it is.")
    who = patient(found["patient"])
    if CLASSES[found["kind"]] != label:
        return Named(entry, "preliminary", patient=who, doubt=f"{LABELS_CSV} says {label} of {original}.")
    return Named(entry, "preliminary", label, who)


def _labels(tables: list[Entry]) -> dict[str, tuple[str, str]]:
    """File name without its suffix (the set may have been converted) to (original name, label)."""
    found: dict[str, tuple[str, str]] = {}
    for table in tables:
        for name, row in _rows(table):
            if found.setdefault(PurePosixPath(name).stem, row) != row:
                raise ArchiveError(f"{table.origin} has two different rows for {name}.")
    return found


def _rows(table: Entry) -> Iterable[tuple[str, tuple[str, str]]]:
    try:
        text = table.load().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text), strict=True))
    except ArchiveError as error:
        raise ArchiveError(f"{table.origin}: {error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ArchiveError(f"{table.origin} is damaged: it is not a table of text.") from error
    if not rows:
        raise ArchiveError(f"{table.origin} has no row.")
    if set(rows[0]) - {None} != COLUMNS:
        raise ArchiveError(f"{table.origin} must have the columns {', '.join(sorted(COLUMNS))}.")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values() or not row["new_names"]:
            raise ArchiveError(f"{table.origin}, line {number}: a column is missing or one too many.")
        if row["labels"] not in LABELS:
            raise ArchiveError(
                f"{table.origin}, line {number}: the label is {row['labels']!r}; only 1 (ALL) and 0 (normal) "
                "are known."
            )
        yield row["new_names"], (row["Patient_ID"], LABELS[row["labels"]])
