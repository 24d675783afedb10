"""Which cells and patients a model learned from: of these, its answers say nothing about new ones."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pandas as pd

from leukemia.bundles.bundle import Bundle
from leukemia.counting import counted
from leukemia.dataset import manifest, review_labels
from leukemia.errors import DatasetError

# Whether a model learned from a cell.
YES, NO, UNKNOWN = "yes", "no", "unknown"
NOT_HERE = (
    "The cells that the model learned from are not on record here: it is not known whether {them} among them."
)


class Seen(Protocol):
    """A cell that a model may have learned from."""

    @property
    def image_id(self) -> str:
        """SHA-256 of its pixels; empty where it has none."""

    @property
    def lossy(self) -> bool | None:
        """Whether its file was compressed with loss; None where that is not known."""


@dataclass(frozen=True)
class Learned:
    """What a model learned from, as far as it is on record.

    Attributes
    ----------
    images : frozenset of str
        ``image_id`` of cells that it learned from, or that its threshold was chosen on.
    patients : frozenset of str
        Names of patients, as C-NMC writes them.
    held_out : dict of str to float
        Probability of ALL by ``image_id``, of networks that had not seen the cell's patient.
    is_whole : bool
        Whether ``images`` are all that it learned from, but for those ``withdrawn``.
    withdrawn : frozenset of str
        ``image_id`` of cells of signed cases that it learned from, which have no label now: they may have had
        one then.
    """

    images: frozenset[str]
    patients: frozenset[str]
    held_out: dict[str, float] = field(default_factory=dict)
    is_whole: bool = True
    withdrawn: frozenset[str] = frozenset()

    def tells(self, image_id: str, lossy: bool | None) -> str:
        """Whether the model learned from a cell: yes, no or unknown; empty where it has no pixels.

        Parameters
        ----------
        image_id : str
        lossy : bool or None
            Whether the cell's file was compressed with loss, None where that is not known. A cell is
            recognised by its pixels, and a lossy file has others than the original.
        """
        if not image_id:
            return ""
        if image_id in self.images:
            return YES
        known = self.is_whole and lossy is False and image_id not in self.withdrawn
        return NO if known else UNKNOWN


def of(bundle: Bundle, data: Path) -> Learned:
    """Tell what a bundle's network learned from.

    A cross-validated recipe was trained on all of its cells in the end, and its predictions name them. Of
    a single split, and of one that leaks, the names of patients are on record, and their cells where the
    data folder still holds the same set.
    """
    split, predictions = bundle.record.split, bundle.predictions
    groups = {*split.training.groups, *split.validation.groups}
    images: set[str] = set()
    if bundle.folds or bundle.leaky:
        images |= set(predictions["image_id"])
        groups |= set(predictions["patient_group"])
    patients = frozenset(name for group in groups for name in group.split("+"))
    in_set = _in_set(bundle, data, patients)
    # Of a leaky split, no network held these patients out.
    known = bundle.folds and not bundle.leaky
    held_out = dict(zip(predictions["image_id"], predictions["probability"], strict=True)) if known else {}
    reviewed = {name for name in patients if name.startswith(f"{review_labels.SOURCE}-")}
    signed = _of_signed_cases(data, patients)
    is_whole = bool(bundle.folds) or (in_set is not None and reviewed <= set(signed["patient"]))
    images |= in_set or set()
    withdrawn = frozenset(set(signed.loc[signed["label"] == "", "image_id"]) - images)
    return Learned(frozenset(images), patients, held_out, is_whole, withdrawn)


def _in_set(bundle: Bundle, data: Path, patients: frozenset[str]) -> set[str] | None:
    """Cells of some patients; None where the folder does not hold the set that the model learned from.

    That set is known by the images that were held out of it: labels may have been corrected since, and cases
    signed or reopened.
    """
    predictions = bundle.predictions
    held_out = predictions["image_id"]
    if "source" in predictions:
        held_out = held_out[predictions["source"] != review_labels.SOURCE]
    try:
        there = set(manifest.read(data)["image_id"])
        cells = review_labels.labelled(data)
    except DatasetError:
        return None
    if not len(held_out) or not there.issuperset(held_out):
        return None
    # Not by their groups: a case that was signed since may have joined some.
    return set(cells.loc[cells["patient"].isin(patients), "image_id"])


def _of_signed_cases(data: Path, patients: frozenset[str]) -> pd.DataFrame:
    """The rows of signed cases that are among some patients; none where they cannot be read."""
    try:
        rows = review_labels.read(data)
    except DatasetError:
        return pd.DataFrame(columns=["image_id", "label", "patient"])
    return rows[rows["patient"].isin(patients)]


def is_lossy_copy(cell: Seen, learned: Learned) -> bool:
    """Whether it may be a lossy copy of a cell that a model learned from: nothing else hides that."""
    return bool(cell.lossy) and learned.is_whole and learned.tells(cell.image_id, cell.lossy) == UNKNOWN


def untold(cells: Iterable[Seen], learned: Learned) -> str:
    """Of how many cells it is not known whether a model learned from them, and why; empty for none."""
    unknown = [one for one in cells if learned.tells(one.image_id, one.lossy) == UNKNOWN]
    if not unknown:
        return ""
    if not learned.is_whole:
        return NOT_HERE.format(them="this cell is" if len(unknown) == 1 else "these cells are")
    lossy = sum(bool(one.lossy) for one in unknown)
    why = []
    if lossy:
        why.append(
            "1 image is a lossy file (such as JPEG)" if lossy == 1 else f"{lossy:,} images are lossy files"
        )
    earlier = [one for one in unknown if not one.lossy]
    withdrawn = sum(one.image_id in learned.withdrawn for one in earlier)
    if withdrawn:
        why.append(f"the label of {counted(withdrawn, 'image')} was withdrawn since")
    if kept := len(earlier) - withdrawn:
        why.append(f"of {counted(kept, 'image')} it was not kept whether the file was lossy")
    them = "it" if len(unknown) == 1 else "them"
    return f"{' and '.join(why)}: it is not known whether the model learned from {them}."
