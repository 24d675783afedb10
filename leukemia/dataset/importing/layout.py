"""What the names in a C-NMC 2019 download mean: class, patient, phase.

Kaggle's layout (``C-NMC_Leukemia/training_data/fold_N/{all,hem}``) and the archive's own
(``C-NMC_training_data/fold_N/…``) are read by the folders that they share.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from leukemia.classes import ALL, NORMAL
from leukemia.dataset.importing import tables
from leukemia.dataset.importing.sources import Entry
from leukemia.errors import ArchiveError, DatasetError
from leukemia.imaging.reader import SUFFIXES

FOLD = re.compile(r"fold_\d+")
BY_FOLDER = {"all": ALL, "hem": NORMAL}
BY_NUMBER = {"1": ALL, "0": NORMAL}
PRELIMINARY, FINAL = "C-NMC_test_prelim_phase_data", "C-NMC_test_final_phase_data"
LABELS_CSV = f"{PRELIMINARY}_labels.csv"
COLUMNS = ("patient_id", "new_names", "labels")
CELL = re.compile(r"UID_(?P<patient>[Hh]?\d+)_\d+_\d+_(?P<kind>all|hem)", re.ASCII)
EXPECTED = f"fold_N/all and fold_N/hem, {PRELIMINARY}, {FINAL}"


@dataclass(frozen=True)
class NamedImage:
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
    images : list of NamedImage
        In the order of their origins.
    rows, absent : int
        Rows of the labels CSV, and those that name a file which is not there.
    left_out : list of str
        Image files that lie in none of the set's folders.
    other : int
        Files that are no images.
    """

    images: list[NamedImage]
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
    listings, pictures, other = [], [], 0
    for entry in entries:
        name = PurePosixPath(entry.origin)
        if _lists_labels(name.name):
            listings.append(entry)
        elif name.suffix.lower() in SUFFIXES:
            pictures.append(entry)
        else:
            other += 1
    labels = _labels(listings)
    images, left_out, present = [], [], set()
    for entry in pictures:
        named = _named(entry, labels if listings else None)
        if named is None:
            left_out.append(entry.origin)
            continue
        images.append(named)
        if named.source == "preliminary":
            present.add(PurePosixPath(entry.origin).stem)
    if not images:
        raise ArchiveError(f"This is not a C-NMC 2019 download: it has none of its folders ({EXPECTED}).")
    return Layout(images, len(labels), len(labels.keys() - present), left_out, other)


def patient(written: str) -> str:
    """A patient's one name: the set writes one healthy subject as ``h3`` and ``H3``."""
    return written.upper()


def _lists_labels(name: str) -> bool:
    """Whether a file is the labels CSV, also as a browser or a copy names it: "... (1).csv", ".CSV"."""
    low = name.lower()
    return low.endswith(".csv") and PurePosixPath(LABELS_CSV).stem.lower() in low


def _named(entry: Entry, labels: dict[str, tuple[str, str]] | None) -> NamedImage | None:
    """What an image's name says; ``labels`` is None where there is no labels CSV."""
    *folders, name = PurePosixPath(entry.origin).parts
    if PRELIMINARY in folders and labels is None:
        return NamedImage(entry, "preliminary", doubt=f"The download has no {LABELS_CSV}.")
    if PRELIMINARY in folders:
        return _preliminary(entry, labels.get(PurePosixPath(name).stem))
    if FINAL in folders:
        return NamedImage(entry, "final")
    if len(folders) >= 2 and FOLD.fullmatch(folders[-2]) and folders[-1] in BY_FOLDER:
        return _training(entry, folders[-2], folders[-1])
    return None


def _training(entry: Entry, fold: str, kind: str) -> NamedImage:
    name = CELL.fullmatch(PurePosixPath(entry.origin).stem)
    if name is None:
        return NamedImage(entry, fold, doubt="The file name does not say which patient it is from.")
    who = patient(name["patient"])
    if name["kind"] != kind:
        doubt = f"Its folder says {kind}, its name says {name['kind']}."
        return NamedImage(entry, fold, patient=who, doubt=doubt)
    return NamedImage(entry, fold, BY_FOLDER[kind], who)


def _preliminary(entry: Entry, row: tuple[str, str] | None) -> NamedImage:
    if row is None:
        return NamedImage(entry, "preliminary", doubt=f"It is not listed in {LABELS_CSV}.")
    original, label = row
    name = CELL.fullmatch(PurePosixPath(original).stem)
    if name is None:
        return NamedImage(entry, "preliminary", doubt=f"{LABELS_CSV} does not say which patient it is from.")
    who = patient(name["patient"])
    if BY_FOLDER[name["kind"]] != label:
        doubt = f"{LABELS_CSV} gives {label} for {original}."
        return NamedImage(entry, "preliminary", patient=who, doubt=doubt)
    return NamedImage(entry, "preliminary", label, who)


def _labels(listings: list[Entry]) -> dict[str, tuple[str, str]]:
    """File name without its suffix (the set may have been converted) to (original name, label)."""
    labels: dict[str, tuple[str, str]] = {}
    for table in listings:
        for name, row in _rows(table):
            if labels.setdefault(PurePosixPath(name).stem, row) != row:
                raise ArchiveError(f"{table.origin} has two different rows for {name}.")
    return labels


def _rows(table: Entry) -> Iterator[tuple[str, tuple[str, str]]]:
    try:
        found = list(tables.rows(table, COLUMNS))
    except DatasetError as error:
        raise ArchiveError(str(error)) from error
    if not found:
        raise ArchiveError(f"{table.origin} has no rows.")
    for number, values in found:
        if not values or not all(values[:2]):
            raise ArchiveError(f"{table.origin}, line {number}: the number of columns is wrong.")
        original, name, label = values
        if label not in BY_NUMBER:
            raise ArchiveError(
                f"{table.origin}, line {number}: the label is {label!r}; it must be 1 (ALL) or 0 (normal)."
            )
        yield name, (original, BY_NUMBER[label])
