"""What a drawn set holds: its patients, their files' names and places, and the planted traps.

Nothing is drawn or written here; :mod:`leukemia.dataset.synthetic.sample_writer` does that
from the :class:`Plan`.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leukemia.classes import ALL, CLASSES, NORMAL
from leukemia.dataset.synthetic.drawing import Appearance

TOP = "C-NMC_Leukemia"
PRELIMINARY = f"{TOP}/validation_data/C-NMC_test_prelim_phase_data"
FINAL = f"{TOP}/testing_data/C-NMC_test_final_phase_data"
SUFFIX = {ALL: "all", NORMAL: "hem"}
FRAME, FINAL_FRAME = 450, 600
LEAST_PATIENTS, LEAST_CELLS = 12, 3

# Healthy cells are small in two folds and not elsewhere, as in C-NMC (factor on the usual area).
HEALTHY_SIZE = {"fold_0": 1.0, "fold_1": 1.0, "fold_2": 1.3, "preliminary": 1.38, "final": 1.38}
# Patients that are always there, with their folds: those that copies link, and two people
# (25 and H25) whose names differ by the H only.
FIXED = {
    "20": "fold_0",
    "21": "fold_2",
    "25": "fold_2",
    "H2": "fold_2",
    "H4": "fold_2",
    "H5": "fold_0",
    "H3": "fold_2",
    "H25": "fold_1",
}
WRITTEN = {"H3": "h3"}
# One image of the first patient lies under a name of the second, too. Patients whose images are
# shared, or share with the same third one, make a group.
COPIES = (("20", "21"), ("20", "21"), ("H2", "H4"), ("H4", "H5"), ("25", "25"))
TIED = (("20", "21"), ("H2", "H4", "H5"))


@dataclass(frozen=True)
class Person:
    """A patient: name as in the manifest, class, fold or phase, and appearance."""

    name: str
    label: str
    place: str
    appearance: Appearance

    def file(self, index: int) -> str:
        """Name of a cell's file as in C-NMC: three cells an image."""
        written = WRITTEN.get(self.name, self.name)
        return f"UID_{written}_{index // 3 + 1}_{index % 3 + 1}_{SUFFIX[self.label]}.bmp"


@dataclass(frozen=True)
class Picture:
    """One file: its path relative to the set's top, whose cell it shows, the frame's side in pixels."""

    path: str
    person: Person
    frame: int = FRAME


@dataclass(frozen=True)
class Plan:
    """All files of a drawn set that hold a whole picture.

    Attributes
    ----------
    cells : dict of Person to int
        Labelled images of each patient.
    training, preliminary, final : list of Picture
        Pictures of the folds, of the preliminary phase, and the unlabelled ones.
    unlisted : Picture
        A file of the preliminary phase without a row in the labels CSV.
    rows : list of tuple
        The labels CSV: the original name, the file's name, 1 for ALL; some name no file.
    copies : dict of str to str
        Path of a copy to the path of the picture that it is a copy of.
    """

    cells: dict[Person, int]
    training: list[Picture]
    preliminary: list[Picture]
    unlisted: Picture
    final: list[Picture]
    rows: list[tuple[str, str, int]]
    copies: dict[str, str]

    def names(self, label: str) -> tuple[str, ...]:
        """Names of the patients of one class."""
        return tuple(person.name for person in self.cells if person.label == label)


def draw_up(rng: np.random.Generator, patients: int, cells: int) -> Plan:
    """Plan a set of so many patients with so many cells each on average."""
    people = _people(rng, patients)
    counts = dict(zip(people, _counts(rng, patients, cells), strict=True))
    training = [
        Picture(training_path(person, index), person)
        for person, count in counts.items()
        if person.place != "preliminary"
        for index in range(count)
    ]
    rows, preliminary = _preliminary(rng, counts)
    unlisted = Picture(f"{PRELIMINARY}/{len(rows) + 1}.bmp", preliminary[0].person)
    final = [
        Picture(
            f"{FINAL}/{number}.bmp",
            _person(rng, "", ALL if number % 2 else NORMAL, "final"),
            FINAL_FRAME,
        )
        for number in range(1, max(4, patients // 2) + 1)
    ]
    return Plan(counts, training, preliminary, unlisted, final, rows, dict(_copies(training)))


def training_path(person: Person, index: int) -> str:
    """Where the training image of a patient's cell lies, relative to the set's top."""
    return f"{TOP}/training_data/{person.place}/{SUFFIX[person.label]}/{person.file(index)}"


def _people(rng: np.random.Generator, count: int) -> list[Person]:
    """Patients of both classes, put into folds in turn; the last of each class into the preliminary phase."""
    healthy = max(6, round(0.42 * count))
    in_preliminary = max(1, count // 12)
    # Several healthy patients outside the fold of large cells, however few there are.
    turns = {
        NORMAL: itertools.cycle(("fold_0", "fold_1", "fold_2")),
        ALL: itertools.cycle(("fold_1", "fold_0", "fold_2")),
    }
    people = []
    for label, total in ((NORMAL, healthy), (ALL, count - healthy)):
        prefix = "H" if label == NORMAL else ""
        places = {name: place for name, place in FIXED.items() if name.startswith("H") == bool(prefix)}
        fresh = (f"{prefix}{n}" for n in itertools.count(1) if f"{prefix}{n}" not in FIXED)
        for name in itertools.islice(fresh, total - len(places)):
            last = total - len(places) <= in_preliminary
            places[name] = "preliminary" if last else next(turns[label])
        people += [_person(rng, name, label, place) for name, place in places.items()]
    return people


def _person(rng: np.random.Generator, name: str, label: str, place: str) -> Person:
    size = HEALTHY_SIZE[place] if label == NORMAL else 1.0
    return Person(name, label, place, Appearance.draw(rng, size=size))


def _counts(rng: np.random.Generator, patients: int, cells: int) -> list[int]:
    """Cells of each patient: ``patients * cells`` in all, with a long tail."""
    weights = rng.lognormal(0, 0.8, patients)
    spare = patients * (cells - LEAST_CELLS)
    return (LEAST_CELLS + rng.multinomial(spare, weights / weights.sum())).tolist()


def _preliminary(
    rng: np.random.Generator, counts: dict[Person, int]
) -> tuple[list[tuple[str, str, int]], list[Picture]]:
    """Rows of the labels CSV, and the pictures that are there: some rows name absent files."""
    known = [
        (person, index, index < count)
        for person, count in counts.items()
        if person.place == "preliminary"
        for index in range(count + max(2, count // 3))
    ]
    rows, pictures = [], []
    for number, position in enumerate(rng.permutation(len(known)), start=1):
        person, index, present = known[position]
        rows.append((person.file(index), f"{number}.bmp", CLASSES[person.label]))
        if present:
            pictures.append(Picture(f"{PRELIMINARY}/{number}.bmp", person))
    return rows, pictures


def _copies(training: list[Picture]) -> Iterator[tuple[str, str]]:
    """Pairs of paths: the copy and what it is a copy of, each path in one pair only."""
    free: dict[str, list[str]] = {}
    for picture in training:
        free.setdefault(picture.person.name, []).append(picture.path)
    for giver, taker in COPIES:
        yield free[taker].pop(), free[giver].pop(0)
