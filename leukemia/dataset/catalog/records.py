"""What the catalog answers with: one cell's record, sums, and what there is to choose from."""

from dataclasses import dataclass

from leukemia.dataset.manifest import SYNTHETIC


@dataclass(frozen=True)
class Record:
    """One row of the manifest and what is known of its cell.

    Attributes
    ----------
    image_id, path, origin, label, patient, patient_group, source, width, height, cell_area
        As in the manifest (:mod:`leukemia.dataset.manifest`).
    brightness : float or None
        Mean luma of the cell's pixels, 0 to 255; None where not measured.
    subset : str
        training, validation or test of the model in service, or the fold of its cross-validation
        that held the cell out (fold 1, ...); ``unknown`` where it has none.
    probability : float or None
        Held-out probability of ALL; None where the model has none for this cell.
    decision : str
        Normal or ALL, ``indeterminate`` between the model's limits, or ``unknown``.
    outcome : str
        ``right``, ``wrong`` or ``undecided`` beside the label, or ``unknown``.
    original_label : str
        The manifest's label; ``label`` is a reviewer's where one corrected it.
    review : str
        ``corrected`` or ``doubted`` where a reviewer said so of the label, else empty.
    """

    image_id: str
    path: str
    origin: str
    label: str
    patient: str
    patient_group: str
    source: str
    width: int
    height: int
    cell_area: int
    brightness: float | None
    subset: str
    probability: float | None
    decision: str
    outcome: str
    original_label: str
    review: str

    @property
    def synthetic(self) -> bool:
        """Whether a program drew the cell."""
        return self.source == SYNTHETIC


@dataclass(frozen=True)
class Tally:
    """How much a filter lets through: images, by label; patients and patient groups that have any."""

    images: int
    normal: int
    all: int
    unlabelled: int
    patients: int
    groups: int


@dataclass(frozen=True)
class Choices:
    """What there is to filter by, each in reading order."""

    patients: tuple[str, ...]
    sources: tuple[str, ...]
    subsets: tuple[str, ...]
    area: tuple[int, int]
