"""Which cells and patients a model learned from: on these, no verification says anything."""

from dataclasses import dataclass
from pathlib import Path

from leukemia.bundles.bundle import Bundle
from leukemia.dataset import manifest, training_set
from leukemia.errors import DatasetError


@dataclass(frozen=True)
class Learned:
    """What a model learned from, as far as it is on record.

    Attributes
    ----------
    images : frozenset of str
        ``image_id`` of cells.
    patients : frozenset of str
        Names of patients, as C-NMC writes them.
    """

    images: frozenset[str]
    patients: frozenset[str]


def of(bundle: Bundle, data: Path) -> Learned:
    """Tell what a bundle's network learned from.

    A cross-validated recipe was trained on all of its cells in the end, and its predictions name them. Of
    a single split, and of one that leaks, the names of patients are on record, and their cells where the
    data folder still holds the same set.
    """
    split = bundle.record.split
    groups = {*split.training.groups, *split.validation.groups}
    images: set[str] = set()
    if bundle.folds or bundle.leaky:
        images |= set(bundle.predictions["image_id"])
        groups |= set(bundle.predictions["patient_group"])
    images |= _in_set(bundle, data, groups)
    return Learned(frozenset(images), frozenset(name for group in groups for name in group.split("+")))


def _in_set(bundle: Bundle, data: Path, groups: set[str]) -> set[str]:
    try:
        if training_set.fingerprint(data) != bundle.record.data.fingerprint:
            return set()
        cells = manifest.read(data)
    except DatasetError:
        return set()
    return set(cells.loc[cells["patient_group"].isin(groups), "image_id"])
