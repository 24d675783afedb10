"""What the service sends and takes, as OpenAPI describes it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from leukemia.inference.decisions import NOT_COMPARABLE
from leukemia.operating_point import UNCLASSIFIED, WORDS
from leukemia.settings import MAX_CELLS, RESEARCH_USE

Decision = Literal["ALL-like", "Indeterminate", "Normal-like", "Not comparable", "Not classified"]
Verdict = Literal["ALL-like", "Normal-like", "Indeterminate", "Rejected"]
assert set(Decision.__args__) == {*WORDS.values(), NOT_COMPARABLE, UNCLASSIFIED}


class Sent(BaseModel):
    """The body of a request: what is not known, or of another type, is refused, never guessed at."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Noted(BaseModel):
    """Every answer says what it must not be used for."""

    notice: str = RESEARCH_USE


class Refused(Noted):
    """Why a request was not answered."""

    error: str = Field(description="A sentence for whoever sent the request.")
    request_id: str


class Model(BaseModel):
    """The model that answered."""

    name: str
    version: int | None = Field(description="Number in the registry; null for the built-in model.")
    sha256: str = Field(description="Of the network.")
    record_sha256: str = Field(description="Of the model's record, bundle.json: tells versions apart.")
    synthetic: bool = Field(description="Whether it was trained on drawn cells.")


class Limits(BaseModel):
    """How a probability becomes a decision."""

    normal_like_below: float
    all_like_from: float = Field(description="Between the two limits, a cell is Indeterminate.")
    threshold: float = Field(description="At which sensitivity and specificity split all cells in two.")


class Place(BaseModel):
    """Where a cell lies in its field: pixels from the upper left corner."""

    number: int
    x: float
    y: float
    width: float
    height: float
    confidence: float | None = Field(
        description="How sure it is that a white cell is there; null where it was outlined by hand."
    )
    edge: bool = Field(description="Whether the field's edge cuts it.")


class Answer(BaseModel):
    """The answer to one image, or to one white cell of a field."""

    image: int = Field(description="Which image of the request, from 1.")
    file: str = Field(description="Its name as it was sent.")
    decision: Decision
    probability: float | None = Field(description="Of ALL, 0 to 1; null where there is none.")
    reason: str = Field(description="Why there is no probability; else empty.")
    note: str = Field(description="What to know of the picture; else empty.")
    image_sha256: str = Field(description="Of the pixels; empty where they could not be decoded.")
    cell_area_px: int | None
    learned_from: Literal["yes", "no", "unknown", ""] = Field(
        description="Whether the model learned from this image: then its answer says nothing of new cells."
    )
    held_out_probability: float | None = Field(description="By a network that had not seen the patient.")
    held_out_decision: str
    place: Place | None = Field(description="Of a cell that was found in a field.")
    classified_at: str


class Classified(Noted):
    """The answers to the images of a request, in their order."""

    answers: list[Answer]
    counts: dict[str, int] = Field(description="Answers by decision.")
    model: Model
    limits: Limits
    on_record: int | None = Field(description="The entry of the record of changes that holds these answers.")
    trouble: str = Field(description="Why they are not on record, or another model answers; else empty.")


class Version(BaseModel):
    """A model version."""

    version: int | None
    name: str
    in_service: bool
    recipe: str
    created_at: str
    record_sha256: str
    note: str
    estimates: dict[str, dict[str, float | None]] = Field(
        description="On held-out cells: value, low and high (95% interval over patients)."
    )


class InService(Noted):
    """The model in service."""

    model: Model
    limits: Limits
    trouble: str = Field(description="Why it is not the one that was put in service; else empty.")


class Versions(Noted):
    """All model versions, the newest first."""

    versions: list[Version]


class Case(BaseModel):
    """A case, as far as the holder of the key may see it."""

    id: int
    identifier: str
    state: str
    created_at: str
    created_by: str
    changed_at: str
    blind: bool
    hide_model: bool
    signed_at: str | None
    signed_by: str | None
    signed_meaning: str | None
    cells: int
    decisions: dict[str, int]
    unread: int
    disputed: int


class OneCase(Noted):
    """One case."""

    case: Case


class Cases(Noted):
    """Cases of the worklist."""

    cases: list[Case]
    total: int = Field(description="How many there are in all.")


class Reading(BaseModel):
    """A reader's verdict."""

    reader: str
    verdict: str
    reason: str
    at: str


class Cell(BaseModel):
    """A cell of a case, as far as the holder of the key may see it."""

    number: int
    file: str
    image_sha256: str
    decision: str
    probability: float | None
    reason: str
    note: str
    limits: Limits | None
    model: str
    version: int | None
    record_sha256: str
    classified_at: str
    status: str
    verdict: str
    counts_as: str
    readings: list[Reading]
    settled_by: str
    answer_hidden: bool
    others_hidden: bool
    field: int | None
    place: Place | None


class Cells(Noted):
    """Cells of a case."""

    case: int
    cells: list[Cell]


class GivenVerdict(Sent):
    """A verdict on one or many cells of a case: on all of them, or none."""

    cells: list[int] = Field(min_length=1, max_length=MAX_CELLS, description="Their numbers in the case.")
    verdict: Verdict
    reason: str = Field("", max_length=2_000, description="Needed for Rejected.")


class Health(Noted):
    """Whether the service runs."""

    status: Literal["alive"] = "alive"


class Ready(Noted):
    """Whether it can answer."""

    ready: bool
    trouble: list[str] = Field(description="What is in the way, a sentence each.")
