"""Labels of TXL-PBC that are wrong by eye, and what they should be."""

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from leukemia.segmentation.boxes import PLATELET, RED, WHITE, overlap

# One row a label: the part and file it is of, what it should be, its box in pixels, and why.
TABLE = Path(__file__).with_name("corrections.csv")
IOU = 0.5
ADD = "add"
# What a box that is named a white cell's is of, in truth; None: of nothing.
KINDS = {"remove": None, "red": RED, "platelet": PLATELET}


@dataclass
class Corrections:
    """By file: boxes of white cells without a label, and labels of white cells that are of something else.

    Attributes
    ----------
    added : dict of str to list
        Boxes: left, top, right, bottom.
    wrong : dict of str to list
        Boxes, each with its true kind, or None where nothing is there.
    """

    added: dict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))
    wrong: dict[str, list[tuple[list[float], int | None]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls) -> "Corrections":
        """Read :data:`TABLE`."""
        whole = cls()
        with TABLE.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                box = [float(row[side]) for side in ("left", "top", "right", "bottom")]
                if row["change"] == ADD:
                    whole.added[row["file"]].append(box)
                else:
                    whole.wrong[row["file"]].append((box, KINDS[row["change"]]))
        return whole

    def apply(self, file: str, boxes: np.ndarray, kinds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Correct the labels of a field.

        Parameters
        ----------
        file : str
        boxes : numpy.ndarray
            Shape (n, 4): left, top, right, bottom.
        kinds : numpy.ndarray
            Shape (n,), as in :mod:`leukemia.segmentation.boxes`.

        Returns
        -------
        boxes, kinds : numpy.ndarray
            As given, corrected.
        """
        kinds, whites = kinds.copy(), np.flatnonzero(kinds == WHITE)
        kept = np.ones(len(kinds), bool)
        known = self.wrong.get(file, [])
        wrong = np.array([box for box, _ in known], np.float64).reshape(-1, 4)
        for one, label in matches(wrong, boxes[whites]):
            truth = known[one][1]
            kept[whites[label]] = truth is not None
            kinds[whites[label]] = WHITE if truth is None else truth
        added = np.array(self.added.get(file, []), np.float64).reshape(-1, 4)
        return (
            np.concatenate([boxes[kept], added]),
            np.concatenate([kinds[kept], np.full(len(added), WHITE, kinds.dtype)]),
        )


def matches(some: np.ndarray, others: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of boxes with at least half of their union in common, one of each; the best are made first.

    Parameters
    ----------
    some, others : numpy.ndarray
        Boxes, shape (n, 4).
    """
    pairs = []
    for number, box in enumerate(others):
        common = overlap(some, box)
        area = np.prod(some[:, 2:] - some[:, :2], axis=1)
        union = area + np.prod(box[2:] - box[:2]) - common
        pairs += [(value, one, number) for one, value in enumerate(common / union) if value >= IOU]
    chosen: list[tuple[int, int]] = []
    for _, one, number in sorted(pairs, reverse=True):
        if all(one != other and number != another for other, another in chosen):
            chosen.append((one, number))
    return chosen
