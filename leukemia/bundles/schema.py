"""What ``bundle.json`` holds, field by field; what is read from it is checked here.

A field that a bundle does not have is not written back: a record that was read and written again is the
same JSON. Names in the file that are no names in Python, or say less than they should, have an alias.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, ValidationError

from leukemia.bundles.breakdown import BySource, Stress
from leukemia.bundles.fields import Estimates, Fields, Number, Several
from leukemia.bundles.site import Site
from leukemia.classes import CLASSES
from leukemia.errors import BundleError

SCHEMA_VERSION = 1


class Recipe(Fields):
    """What it was made by: name and settings of the training."""

    name: str
    summary: str
    training: dict[str, JsonValue]


class Subset(Fields):
    """One subset of a split: cells and patient groups by class, and the groups' names."""

    cells: dict[str, int]
    patient_groups: dict[str, int]
    groups: Several[str]


class Split(Fields):
    """How cells were split: ``by`` patient or image; ``folds`` of a cross-validation, or 0.

    ``left_out`` is what each fold holds: ``patients``, or a ``source`` with all its patients.
    """

    by: str
    seed: int
    warning: str = ""
    folds: int = 0
    left_out: str = "patients"
    training: Subset
    validation: Subset
    test: Subset

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of the patient groups of each subset."""
        subsets = {"training": self.training, "validation": self.validation, "test": self.test}
        return {name: subset.groups for name, subset in subsets.items()}


class Epochs(Fields):
    """How many epochs were run, and which of them (from 1) is the one kept."""

    run: int
    best: int


# As it is on record where a threshold was chosen on the cells that its metrics are computed on.
ON_ITS_OWN_TEST = "the held-out patients that its figures are of"


class Threshold(Fields):
    """Probability of ALL from which a cell is called ALL-like, and how it was chosen.

    ``worst_source`` is the source for which it had to be so low that the recall is reached in each source,
    empty where all cells together asked for it; None where it was chosen on all cells alone.
    """

    value: Number
    target_recall: Number
    chosen_on: str
    worst_source: str | None = None


class Calibration(Fields):
    """Logit to calibrated logit, as :class:`leukemia.evaluation.calibration.Calibration` applies it.

    The log loss is that of the worst source, by patient; in records without ``by_source``, of all cells.
    """

    method: str
    stretch: Number
    shift: Number
    log_loss_out_of_fold: dict[str, Number]


class OutOfFold(Fields):
    """What bands of the other folds did to the cells of each; shares, each patient weighing the same."""

    indeterminate: Number
    missed: Number
    alarmed: Number


class Band(Fields):
    """Probabilities from ``low`` to below ``high`` are indeterminate, so that at most these shares err.

    ``promises`` says by source what the bounds ``missed`` and ``alarmed`` are worth there.
    """

    low: Number
    high: Number
    missed: Number
    alarmed: Number
    out_of_fold: OutOfFold | None = None
    promises: dict[str, dict[str, str]] | None = None


class Novelty(Fields):
    """Distance from the cells learned up to which a picture is answered, and the share that passes it."""

    limit: Number
    share: Number = Field(alias="pass")
    passed_out_of_fold: Number


class Data(Fields):
    """What it learned from and was evaluated on."""

    fingerprint: str
    synthetic: bool
    cells: int
    patient_groups: int
    corrected: int = 0
    doubted: int = 0
    warning: str = ""


class Change(Fields):
    """One change of the threshold: ``source`` names the version that it was made from."""

    at: str
    who: str
    reason: str
    chosen: str
    source: str = Field(alias="from")
    old: Number
    new: Number
    from_run: str = ""


class Preprocessing(Fields):
    """What the network reads: side of the square crop in frame pixels; and its number of parameters.

    ``pixel_size`` is micrometres per frame pixel, above 0.
    """

    crop: int
    channels: str
    scale: str
    pixel_size: Annotated[Number, Field(gt=0)] | None = None
    parameters: int


class Engine(Fields):
    """Precision in which the engine computes, and what int8 changes on the labelled cells.

    ``reason`` says why it is not int8; ``largest_change`` is of a probability, over ``judged_on`` cells.
    """

    precision: Literal["f32", "int8"]
    reason: str = ""
    auroc_difference: Number | None = None
    largest_change: Number | None = None
    calibrated_on: int = 0
    judged_on: int = 0


class _Head(Fields):
    version: int
    classes: dict[str, int]
    created: str


class Training(Fields):
    """What a training says of the model that it made."""

    recipe: Recipe
    split: Split
    epochs: Epochs
    history: Several[dict[str, JsonValue]]
    views: int = 1
    threshold: Threshold
    calibration: Calibration | None = None
    indeterminate: Band | None = None
    novelty: Novelty | None = None
    data: Data
    estimates: Estimates = Field(alias="figures")
    patient_estimates: Estimates = Field(alias="patient_figures")
    subgroups: Estimates | None = None
    by_source: BySource | None = None
    unseen_sources: BySource | None = None
    stress: dict[str, Stress] | None = None
    confusion: dict[str, int]


class Record(Training, _Head):
    """The content of ``bundle.json``."""

    preprocessing: Preprocessing
    engine: Engine | None = None
    versions: dict[str, str]
    files: dict[str, str]
    changes: Several[Change] = ()
    site: Site | None = None

    def to_dict(self) -> dict[str, Any]:
        """The record as plain values for JSON, without the fields that it does not have."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def to_json(self) -> str:
        """The text of ``bundle.json``."""
        return json.dumps(self.to_dict(), indent=2) + "\n"


def parse(text: str, name: str) -> Record:
    """Check the text of a ``bundle.json`` and give its record.

    Parameters
    ----------
    text : str
    name : str
        What the bundle is called in a message.

    Raises
    ------
    BundleError
        Where it is no JSON, of a format that is not known here, or a field is missing or of a wrong type.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{name} is damaged and cannot be read.") from error
    version = content.get("version") if isinstance(content, dict) else None
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BundleError(f"{name} does not state its format version.")
    if version > SCHEMA_VERSION:
        raise BundleError(
            f"{name} was written by a newer version of this program: its format is version {version}, and "
            f"this program reads up to version {SCHEMA_VERSION}."
        )
    try:
        record = Record.model_validate(content)
    except ValidationError as error:
        raise BundleError(f"{name} {_reason(error)}.") from error
    if record.classes != CLASSES:
        raise BundleError(f"{name} does not use the classes Normal = 0 and ALL = 1.")
    return record


def _reason(error: ValidationError) -> str:
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    places = {".".join(map(str, one["loc"])): one for one in errors}
    if missing := sorted(place for place, one in places.items() if one["type"] == "missing"):
        return f"lacks {', '.join(missing)}"
    place, one = next(iter(places.items()))
    return f"cannot be read: {one['msg'].replace('Input', place).replace('tuple', 'list')}"
