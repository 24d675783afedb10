"""How many of the labelled white cells are found, and how many boxes are none."""

import csv
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from leukemia.errors import ImageError
from leukemia.segmentation import find, scale
from leukemia.segmentation.boxes import WHITE, overlap
from leukemia.segmentation.field import Field, read_field
from leukemia.segmentation.network import Network
from leukemia.training.finder import labelled_fields

IOU = 0.5
UNSEEN = "all but copies"
# Labels that are wrong by eye: no white cell is there, or one without a label. Beside this module.
CORRECTIONS = Path(__file__).with_name("corrections.csv")


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


@dataclass
class Corrections:
    """What is wrong with labels, by eye: boxes of a file that are no white cell, white cells without one."""

    removed: dict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))
    added: dict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls) -> "Corrections":
        """Read :data:`CORRECTIONS`."""
        whole = cls()
        with CORRECTIONS.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                kind = whole.added if row["change"] == "add" else whole.removed
                kind[row["file"]].append([float(row[side]) for side in ("left", "top", "right", "bottom")])
        return whole

    def apply(self, file: str, labelled: np.ndarray) -> np.ndarray:
        """The boxes (n, 4) of a field's white cells, corrected."""
        wrong = np.array(self.removed.get(file, [])).reshape(-1, 4)
        _, right = agreements(wrong, labelled)
        return np.concatenate([labelled[right], np.array(self.added.get(file, [])).reshape(-1, 4)])


def ours(field: Field, network: Network) -> np.ndarray:
    """Boxes (n, 4) of white cells by the network, at the scale that the field's red cells tell."""
    try:
        chosen = scale.choose(field, network)
    except ImageError:
        return np.zeros((0, 4))
    return find.find(field, network, chosen.pixel_size).white.sides


def agreements(labelled: np.ndarray, boxes: np.ndarray) -> tuple[list[int], list[int]]:
    """Labelled cells without a box, and boxes without a labelled cell; the best pairs are made first."""
    pairs = []
    for number, box in enumerate(boxes):
        common = overlap(labelled, box)
        area = np.prod(labelled[:, 2:] - labelled[:, :2], axis=1)
        union = area + np.prod(box[2:] - box[:2]) - common
        pairs += [(value, one, number) for one, value in enumerate(common / union) if value >= IOU]
    missed, false = set(range(len(labelled))), set(range(len(boxes)))
    for _, one, number in sorted(pairs, reverse=True):
        if one in missed and number in false:
            missed.discard(one)
            false.discard(number)
    return sorted(missed), sorted(false)


@dataclass(frozen=True)
class Searched:
    """A field that was searched: its file and size, boxes (n, 4) labelled and found, and how long it took."""

    file: Path
    size: str
    labelled: np.ndarray
    boxes: np.ndarray
    clock: float  # seconds
    worked: float  # seconds of processor time


def search(fields: Path, part: str, way: Callable[[Field], np.ndarray]) -> list[Searched]:
    """Search each field of a part in a way that gives the boxes (n, 4) of its white cells."""
    searched = []
    for file in labelled_fields.pictures(fields, part):
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
        labelled = one.labelled if corrected is None else corrected.apply(one.file.name, one.labelled)
        missed, false = agreements(labelled, one.boxes)
        for name in [one.size, "all"] + [UNSEEN] * (one.file not in known):
            tallies[name].labelled += len(labelled)
            tallies[name].boxes += len(one.boxes)
            tallies[name].agree += len(labelled) - len(missed)
        for word, boxes in (("missed", labelled[missed]), ("false ", one.boxes[false])):
            wrong += [f"  {word} {one.file.name} {box.round().astype(int).tolist()}" for box in boxes]
    lines = [f"  {name:>14}: {tallies[name]}" for name in sorted(tallies)]
    return lines + (wrong if listed else [])


def speed(searched: list[Searched]) -> str:
    """How long a field takes."""
    clock = 1000 * statistics.median(one.clock for one in searched)
    worked = 1000 * statistics.median(one.worked for one in searched)
    return f"  a field takes {clock:.0f} ms at the median, {worked:.0f} ms of processor time"
