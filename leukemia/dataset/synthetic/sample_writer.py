"""A synthetic set in C-NMC 2019's layout, with its traps: to try the program and for tests.

:func:`write_sample` writes what a user of the real set downloads (in Kaggle's layout), so that the
import, the split by patient and the training can be tried without it. What it planted is in the
:class:`SampleSummary`, to hold an import against.
"""

import csv
import io
import itertools
import shutil
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from leukemia.classes import ALL, LABELS, NORMAL
from leukemia.dataset.synthetic.drawing import Appearance, draw_cell
from leukemia.dataset.synthetic.sample_plan import (
    FRAME,
    HEALTHY_SIZE,
    LEAST_CELLS,
    LEAST_PATIENTS,
    PRELIMINARY,
    TIED,
    Plan,
    draw_up,
    training_path,
)
from leukemia.errors import ArchiveError
from leukemia.storage.atomic import partial_folder

__all__ = ["MARKER", "Appearance", "SampleSummary", "draw_cell", "encode", "sample_cells", "write_sample"]

MARKER = "SYNTHETIC.txt"


@dataclass(frozen=True)
class SampleSummary:
    """What was planted in a drawn set; every count is of files that can be read unless it says so.

    Attributes
    ----------
    images : dict of str to int
        Labelled images (folds and preliminary phase) by class, Normal and ALL.
    sources : dict of str to int
        Images by source: fold_0, fold_1, fold_2, preliminary (labelled), final (unlabelled).
    patients : dict of str to tuple of str
        Names of the patients by class; healthy ones with a capital H, however files write them.
    absent_rows : int
        Rows of the labels CSV that name no file.
    unlisted : tuple of str
        Preliminary files without a row, relative to the set's top.
    identical_pairs : int
        Pairs of byte-identical files; no image is there three times.
    tied_groups : tuple of tuple of str
        Patients that identical images link.
    unreadable : tuple of str
        Damaged and empty files, relative to the set's top; in no other count.
    """

    images: dict[str, int]
    sources: dict[str, int]
    patients: dict[str, tuple[str, ...]]
    absent_rows: int
    unlisted: tuple[str, ...]
    identical_pairs: int
    tied_groups: tuple[tuple[str, ...], ...]
    unreadable: tuple[str, ...]

    def __str__(self) -> str:
        people = {label: len(names) for label, names in self.patients.items()}
        groups = ", ".join("+".join(group) for group in self.tied_groups)
        return "\n".join(
            (
                *(f"{label}: {self.images[label]} images of {people[label]} patients" for label in people),
                "By source: " + ", ".join(f"{name} {count}" for name, count in self.sources.items()),
                f"Labels without a file: {self.absent_rows}; files without a label: {len(self.unlisted)}",
                f"Byte-identical pairs: {self.identical_pairs}, linking the patients {groups}",
                f"Unreadable files: {len(self.unreadable)}",
            )
        )


def encode(pixels: np.ndarray, format: str = "BMP") -> bytes:
    """Make an image file of pixels.

    Parameters
    ----------
    pixels : numpy.ndarray
        uint8, shape (height, width, 3), RGB.
    format : str, optional
        A format that Pillow writes, such as BMP, PNG, TIFF, WEBP or JPEG.
    """
    out = io.BytesIO()
    # For PNG only: runs of black are what packs in a cut-out cell, and they pack in a third of the time.
    Image.fromarray(pixels).save(out, format, compress_type=zlib.Z_RLE)
    return out.getvalue()


def sample_cells(count: int = 12, seed: int = 0) -> list[tuple[str, bytes]]:
    """Draw a few cells of both classes, to try the classifier with.

    Returns
    -------
    list of tuple
        File name (``synthetic_ALL_01.png``) and PNG bytes; the classes take turns.
    """
    rng = np.random.default_rng(seed)
    labels = itertools.islice(itertools.cycle(reversed(LABELS)), count)
    return [
        (f"synthetic_{label}_{number:02d}.png", encode(draw_cell(rng, label), "PNG"))
        for number, label in enumerate(labels, start=1)
    ]


def write_sample(
    dest: Path,
    *,
    patients: int = 24,
    cells: int = 30,
    seed: int = 0,
    faults: bool = True,
    progress: Callable[[int, int, str], None] | None = None,
) -> SampleSummary:
    """Write a drawn set in C-NMC's layout; DEST appears whole or not at all.

    Parameters
    ----------
    dest : Path
        Folder to make; it may exist if it is empty.
    patients : int, optional
        Labelled patients of both classes, at least 12.
    cells : int, optional
        Labelled images a patient on average (few have many), at least 3.
    seed : int, optional
        The same seed writes the same bytes; 0 or more.
    faults : bool, optional
        Add one truncated and one empty BMP, which no import can read.
    progress : callable, optional
        Called with images done, images in all, and what is being done.

    Returns
    -------
    SampleSummary
        What was planted.

    Raises
    ------
    ArchiveError
        Where DEST is a file or not empty, or a number is out of bounds.
    OSError
        Where the disk refuses; nothing stays behind.
    """
    # Resolved, since a link cannot be replaced by a folder.
    dest = Path(dest).resolve()
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise ArchiveError(f"{dest} exists and is not an empty folder: choose a new one.")
    if patients < LEAST_PATIENTS or cells < LEAST_CELLS or seed < 0:
        raise ArchiveError(
            f"A sample set needs at least {LEAST_PATIENTS} patients with {LEAST_CELLS} cells each, and a "
            f"seed of 0 or more; you asked for {patients}, {cells} and {seed}."
        )
    dest.parent.mkdir(parents=True, exist_ok=True)
    with partial_folder(dest.parent) as partial:
        plan = draw_up(np.random.default_rng(seed), patients, cells)
        summary = _write(partial, plan, seed, faults, progress)
        if dest.exists():
            dest.rmdir()
        partial.rename(dest)
    return summary


def _write(
    top: Path, plan: Plan, seed: int, faults: bool, progress: Callable[[int, int, str], None] | None
) -> SampleSummary:
    pictures = [*plan.training, *plan.preliminary, plan.unlisted, *plan.final]
    for done, picture in enumerate(pictures):
        if progress:
            progress(done, len(pictures), "Drawing")
        target = top / picture.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if picture.path not in plan.copies:
            # A generator of its own, so that a picture does not depend on how many came before.
            own = np.random.default_rng([seed, done])
            person = picture.person
            pixels = draw_cell(own, person.label, frame=picture.frame, patient=person.appearance)
            target.write_bytes(encode(pixels))
    for copy, original in plan.copies.items():
        shutil.copyfile(top / original, top / copy)
    with (top / f"{PRELIMINARY}_labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("Patient_ID", "new_names", "labels"), *plan.rows])
    summary = _summary(plan, tuple(_damage(top, plan)) if faults else ())
    (top / MARKER).write_text(_explain(summary, seed), encoding="utf-8")
    if progress:
        progress(len(pictures), len(pictures), "Drawing")
    return summary


def _summary(plan: Plan, unreadable: tuple[str, ...]) -> SampleSummary:
    labelled = plan.training + plan.preliminary
    classes = Counter(picture.person.label for picture in labelled)
    places = Counter(picture.person.place for picture in labelled + plan.final)
    return SampleSummary(
        images={label: classes[label] for label in LABELS},
        sources={place: places[place] for place in HEALTHY_SIZE},
        patients={label: plan.names(label) for label in LABELS},
        absent_rows=len(plan.rows) - len(plan.preliminary),
        unlisted=(plan.unlisted.path,),
        identical_pairs=len(plan.copies),
        tied_groups=TIED,
        unreadable=unreadable,
    )


def _damage(top: Path, plan: Plan) -> Iterator[str]:
    """Write a truncated and an empty BMP under further names of patients that there are."""
    whole = encode(np.full((FRAME, FRAME, 3), 80, np.uint8))
    for label, place, data in ((ALL, "fold_1", whole[: len(whole) // 3]), (NORMAL, "fold_2", b"")):
        person = next(p for p in plan.cells if (p.label, p.place) == (label, place))
        path = training_path(person, plan.cells[person])
        (top / path).write_bytes(data)
        yield path


def _explain(summary: SampleSummary, seed: int) -> str:
    return (
        "SYNTHETIC CELLS. A program drew every image in this folder; none is from a patient.\nThe layout, "
        "names and faults are those of the C-NMC 2019 set, so that software for it can be\ntried out. "
        "Results on these images say nothing about leukemia.\n\nWritten by: python -m leukemia sample "
        f"(seed {seed})\n\n{summary}\n"
    )
