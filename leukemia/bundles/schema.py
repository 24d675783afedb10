"""What ``bundle.json`` holds, field by field; what is read from it is checked here.

A field that a bundle does not have is not written back: a record that was read and written again is the
same JSON. Names in the file that are no names in Python, or say less than they should, have an alias.
"""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, ValidationError, model_validator

from leukemia.bundles import json_values
from leukemia.bundles.answering import (
    Band,
    Calibration,
    Engine,
    Limits,
    Novelty,
    Preprocessing,
    Threshold,
    TrainingStain,
)
from leukemia.bundles.breakdown import BySource, Stress, ThreeWay
from leukemia.bundles.fields import (
    ByClass,
    Count,
    Digest,
    Estimates,
    Fields,
    MaybeNumber,
    Name,
    Several,
    Share,
    Text,
    Time,
    refuse,
)
from leukemia.bundles.site import Site
from leukemia.classes import CLASSES
from leukemia.errors import BundleError
from leukemia.operating_point import OperatingPoint

SCHEMA_VERSION = 1


class Recipe(Fields):
    """What it was made by: name and settings of the training."""

    name: Name
    summary: Text
    training: dict[Name, JsonValue]


class Subset(Fields):
    """One subset of a split: cells and patient groups by class, and the groups' names."""

    cells: ByClass
    patient_groups: ByClass
    groups: Several[Text]


class Split(Fields):
    """How cells were split: ``by`` patient or image; ``folds`` of a cross-validation, or 0.

    ``left_out`` is what each fold holds: ``patients``, or a ``source`` with all its patients.
    """

    by: Literal["patient", "image"]
    seed: Count
    warning: Text = ""
    folds: Count = 0
    left_out: Literal["patients", "source"] = "patients"
    training: Subset
    validation: Subset
    test: Subset

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Names of the patient groups of each subset."""
        subsets = {"training": self.training, "validation": self.validation, "test": self.test}
        return {name: subset.groups for name, subset in subsets.items()}


class Epochs(Fields):
    """How many epochs were run, and which of them (from 1) is the one kept."""

    run: Count
    best: Annotated[Count, Field(ge=1)]

    @model_validator(mode="after")
    def _together(self) -> Self:
        refuse(self.best > self.run, "should have its best epoch among those that were run")
        return self


# As it is on record where a threshold was chosen on the cells that its metrics are computed on.
ON_ITS_OWN_TEST = "the held-out patients that its figures are of"


class Data(Fields):
    """What it learned from and was evaluated on; ``reviewed`` cells have the labels of signed cases."""

    fingerprint: Name
    synthetic: bool
    cells: Count
    patient_groups: Count
    corrected: Count = 0
    doubted: Count = 0
    reviewed: Count = 0
    reviewed_cases: Count = 0
    warning: Text = ""


class Change(Fields):
    """One change of threshold and limits: ``source`` names the version that it was made from."""

    at: Time
    who: Name
    reason: Text
    chosen: Text
    source: Name = Field(alias="from")
    old: Share
    new: Share
    limits_old: Limits | None = None
    limits_new: Limits | None = None
    from_run: Text = ""


class _Head(Fields):
    version: int
    classes: dict[str, int]
    created: Time


class Training(Fields):
    """What a training says of the model that it made."""

    recipe: Recipe
    split: Split
    epochs: Epochs
    history: Several[dict[Name, MaybeNumber]]
    views: Annotated[int, Field(ge=1, le=8)] = 1
    threshold: Threshold
    calibration: Calibration | None = None
    indeterminate: Band | None = None
    novelty: Novelty | None = None
    stain: TrainingStain | None = None
    data: Data
    estimates: Estimates = Field(alias="figures")
    patient_estimates: Estimates = Field(alias="patient_figures")
    subgroups: Estimates | None = None
    three_way: ThreeWay | None = None
    by_source: BySource | None = None
    unseen_sources: BySource | None = None
    stress: dict[Name, Stress] | None = None
    confusion: dict[Literal["tn", "fp", "fn", "tp"], Count]

    @model_validator(mode="after")
    def _together(self) -> Self:
        refuse(len(self.history) != self.epochs.run, "should have a history of the epochs that were run")
        refuse(len(self.confusion) != 4, "should count tn, fp, fn and tp in confusion")
        return self

    @property
    def band(self) -> tuple[float, float] | None:
        """Ends of the indeterminate band, or None."""
        band = self.indeterminate
        return (float(band.low), float(band.high)) if band else None

    @property
    def operating_point(self) -> OperatingPoint:
        """From which probabilities cells are called: the limits chosen, or what threshold and band say."""
        value, limits = float(self.threshold.value), self.threshold.limits
        if limits:
            return OperatingPoint(float(limits.low), float(limits.high), value)
        return OperatingPoint.of(value, self.band)

    def promised(self, point: OperatingPoint) -> Band | None:
        """The band, where what it promises holds at an operating point: at its own limits and wider ones."""
        band = self.indeterminate
        return band if band and point.low <= band.low and band.high <= point.high else None


class Record(Training, _Head):
    """The content of ``bundle.json``."""

    preprocessing: Preprocessing
    engine: Engine | None = None
    versions: dict[Name, Text]
    files: dict[Name, Digest]
    changes: Several[Change] = ()
    site: Site | None = None

    @model_validator(mode="after")
    def _changed(self) -> Self:
        latest = self.changes[-1].new if self.changes else self.threshold.value
        refuse(latest != self.threshold.value, "should have the threshold of its latest change")
        return self

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
        Where it is no JSON, of a format that is not known here, or a field is missing, of a wrong type, out
        of its range or at odds with another.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{name} is damaged and cannot be read.") from error
    if problem := json_values.problem(content):
        raise BundleError(f"{name} cannot be read: {problem}.")
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
    if one["type"] in ("model_type", "dict_type"):
        return f"cannot be read: {place[: json_values.LONGEST_PLACE] or 'it'} should be a set of named fields"
    words = one["msg"].replace("tuple", "list")
    for start in ("Input", "String", "Tuple", "Dictionary"):
        words = words.removeprefix(start)
    return f"cannot be read: {place[: json_values.LONGEST_PLACE] or 'it'}{words}"
