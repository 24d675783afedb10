"""How many of the labelled white cells are found, and how many boxes are none."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leukemia.errors import ImageError
from leukemia.segmentation import find, scale
from leukemia.segmentation.boxes import WHITE
from leukemia.segmentation.field import Field, read_field
from leukemia.segmentation.network import Network
from leukemia.training.finder import labelled_fields
from leukemia.training.finder.corrections import Corrections, matches

UNSEEN = "all but copies"


@dataclass
class Tally:
    """Labelled cells, boxes, and pairs of both that agree."""

    labelled: int = 0
    boxes: int = 0
    agree: int = 0

    def __str__(self) -> str:
        recall, precision = self.agree / max(self.labelled, 1), self.agree / max(self.boxes, 1)
        return (
            f"recall {recall:.3f} ({self.agree} of {self.labelled}), "
            f"precision {precision:.3f} ({self.agree} of {self.boxes})"
        )


def ours(field: Field, network: Network) -> np.ndarray:
    """Boxes (n, 4) of white cells by the network, at the scale that the field's red cells tell."""
    try:
        chosen = scale.choose(field, network)
    except ImageError:
        return np.zeros((0, 4))
    return find.find(field, network, chosen.pixel_size).white.sides


def agreements(labelled: np.ndarray, boxes: np.ndarray) -> tuple[list[int], list[int]]:
    """Labelled cells without a box, and boxes without a labelled cell; the best pairs are made first."""
    pairs = matches(labelled, boxes)
    missed = set(range(len(labelled))) - {one for one, _ in pairs}
    return sorted(missed), sorted(set(range(len(boxes))) - {number for _, number in pairs})


@dataclass(frozen=True)
class Searched:
    """A field that was searched: its file and size, boxes (n, 4) labelled and found, and how long it took."""

    file: Path
    size: str
    labelled: np.ndarray
    boxes: np.ndarray
    clock: float  # seconds
    worked: float  # seconds of processor time


def search(
    fields: Path, part: str, way: Callable[[Field], np.ndarray], left_out: Collection[Path] = ()
) -> list[Searched]:
    """Search each field of a part in a way that gives the boxes (n, 4) of its white cells."""
    searched = []
    for file in labelled_fields.pictures(fields, part):
        if file in left_out:
            continue
        field = read_field(file)
        labels = fields / "labels" / part / f"{file.stem}.txt"
        sides, kinds = labelled_fields.read_boxes(labels, field.width, field.height)
        # Some files name a box several times.
        labelled = np.unique(sides[kinds == WHITE], axis=0)
        began = time.perf_counter(), time.process_time()
        boxes = way(field)
        took = time.perf_counter() - began[0], time.process_time() - began[1]
        searched.append(Searched(file, f"{field.width} x {field.height}", labelled, boxes, *took))
    return searched


def judge(
    searched: list[Searched], known: set[Path], corrected: Corrections | None = None, listed: bool = False
) -> list[str]:
    """Lines for a way of finding white cells: each picture size, all, and all without copies of ``train``.

    Parameters
    ----------
    searched : list of Searched
    known : set of Path
        Copies.
    corrected : Corrections, optional
        By which a label counts otherwise than it stands; without, labels count as they are.
    listed : bool, optional
        Also name each cell that is missed or false.
    """
    tallies: dict[str, Tally] = defaultdict(Tally)
    wrong = []
    for one in searched:
        labelled = one.labelled if corrected is None else _whites(one, corrected)
        missed, false = agreements(labelled, one.boxes)
        for name in [one.size, "all"] + [UNSEEN] * (one.file not in known):
            tallies[name].labelled += len(labelled)
            tallies[name].boxes += len(one.boxes)
            tallies[name].agree += len(labelled) - len(missed)
        for word, boxes in (("missed", labelled[missed]), ("false ", one.boxes[false])):
            wrong += [f"  {word} {one.file.name} {box.round().astype(int).tolist()}" for box in boxes]
    lines = [f"  {name:>14}: {tallies[name]}" for name in sorted(tallies)]
    return lines + (wrong if listed else [])


def _whites(one: Searched, corrected: Corrections) -> np.ndarray:
    boxes, kinds = corrected.apply(one.file.name, one.labelled, np.full(len(one.labelled), WHITE))
    return boxes[kinds == WHITE]


def speed(searched: list[Searched]) -> str:
    """How long a field takes."""
    clock = 1000 * statistics.median(one.clock for one in searched)
    worked = 1000 * statistics.median(one.worked for one in searched)
    return f"  a field takes {clock:.0f} ms at the median, {worked:.0f} ms of processor time"
