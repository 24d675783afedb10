"""Kinds of fields of a record: numbers as they stand in the file, in their range; estimates, texts, lists."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from leukemia.classes import LABELS
from leukemia.evaluation.estimate import Estimate

LONGEST_NAME, LONGEST_TEXT = 300, 10_000
MOST = 10**9  # of what is counted


def _number(value: Any) -> float:
    """Take a number as it is, so that 1 stays 1 and is not written back as 1.0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number", "Input should be a number")
    # A whole number of hundreds of digits is finite, and yet none to be reckoned with.
    if not abs(value) <= 1e15:
        raise PydanticCustomError("number", "Input should be a finite number")
    return value


def _from(low: float, high: float = math.inf, *, above: bool = False) -> Callable[[float], float]:
    words = f"{'above' if above else 'at least'} {low:g}" if high == math.inf else f"from {low:g} to {high:g}"

    def check(value: float) -> float:
        if not low <= value <= high or (above and value == low):
            raise PydanticCustomError("range", "Input should be {words}", {"words": words})
        return value

    return check


def _maybe_number(value: Any) -> float | None:
    return None if value is None else _number(value)


def _share(value: Any) -> float:
    return _from(0, 1)(_number(value))


def _to_estimate(value: Any) -> Estimate:
    """Take a share with its interval. The interval need not hold the value: resamples may be biased."""
    if isinstance(value, Estimate):
        ends = {"value": value.value, "low": value.low, "high": value.high}
        value = {name: None if math.isnan(end) else end for name, end in ends.items()}
    if not isinstance(value, dict) or value.keys() != {"value", "low", "high"}:
        raise PydanticCustomError("estimate", "Input should hold value, low and high")
    one = Estimate(**{name: math.nan if end is None else _share(end) for name, end in value.items()})
    if one.low > one.high:
        raise PydanticCustomError("estimate", "Input should have a low end that is not above its high end")
    return one


def _from_estimate(estimate: Estimate) -> dict[str, float | None]:
    ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: None if math.isnan(end) else end for name, end in ends.items()}


def _text(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("text", "Input should not be empty")
    return value


def _time(value: str) -> str:
    try:
        known = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        known = False
    if not known:
        raise PydanticCustomError("time", "Input should be a date and time with its time zone")
    return value


def _classes(value: dict[str, int]) -> dict[str, int]:
    if value.keys() - set(LABELS):
        raise PydanticCustomError("classes", "Input should count the classes Normal and ALL")
    return value


T = TypeVar("T")
# A list in the file, which nobody alters here.
Several = Annotated[tuple[T, ...], Field(strict=False)]
Number = Annotated[float, PlainValidator(_number), PlainSerializer(lambda value: value)]
# None where a number was not defined, such as a loss that diverged.
MaybeNumber = Annotated[float | None, PlainValidator(_maybe_number), PlainSerializer(lambda value: value)]
Share = Annotated[Number, AfterValidator(_from(0, 1))]
# A bound on a share: one of 0 cannot be kept.
Bound = Annotated[Number, AfterValidator(_from(1e-6, 1))]
Positive = Annotated[Number, AfterValidator(_from(0, above=True))]
NotNegative = Annotated[Number, AfterValidator(_from(0))]
Difference = Annotated[Number, AfterValidator(_from(-1, 1))]
# The logarithm of a colour's channel, and its standard deviation: no picture has any beyond.
Colour = Annotated[Number, AfterValidator(_from(-10, 10))]
ColourSpread = Annotated[Number, AfterValidator(_from(0, 10))]
Count = Annotated[int, Field(ge=0, le=MOST)]
ByClass = Annotated[dict[str, Count], AfterValidator(_classes)]
Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_text)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Time = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_time)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Estimates = dict[Name, Annotated[Estimate, PlainValidator(_to_estimate), PlainSerializer(_from_estimate)]]


class Fields(BaseModel):
    """A part of a record: not altered once read; a field that is not known here is kept."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow", validate_by_name=True)


def refuse(condition: bool, message: str) -> None:
    """Refuse a part whose fields do not go together: ``message`` is a clause of what they should do."""
    if condition:
        raise PydanticCustomError("together", "Input {message}", {"message": message})
