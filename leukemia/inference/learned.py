"""Which cells and patients a model learned from: of these, its answers say nothing about new ones."""

from dataclasses import dataclass, field
from pathlib import Path

from leukemia.bundles.bundle import Bundle
from leukemia.dataset import review_labels, training_set
from leukemia.errors import DatasetError


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
    """

    images: frozenset[str]
    patients: frozenset[str]
    held_out: dict[str, float] = field(default_factory=dict)


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
    images |= _in_set(bundle, data, groups)
    patients = frozenset(name for group in groups for name in group.split("+"))
    # Of a leaky split, no network held these patients out.
    known = bundle.folds and not bundle.leaky
    held_out = dict(zip(predictions["image_id"], predictions["probability"], strict=True)) if known else {}
    return Learned(frozenset(images), patients, held_out)


def _in_set(bundle: Bundle, data: Path, groups: set[str]) -> set[str]:
    try:
        if training_set.fingerprint(data) != bundle.record.data.fingerprint:
            return set()
        cells = review_labels.labelled(data)
    except DatasetError:
        return set()
    return set(cells.loc[cells["patient_group"].isin(groups), "image_id"])
