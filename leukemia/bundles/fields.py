"""Kinds of fields of a record: numbers as they stand in the file, estimates, lists."""

import math
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from leukemia.evaluation.estimate import Estimate


def _number(value: Any) -> float:
    """Take a number as it is, so that 1 stays 1 and is not written back as 1.0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number", "Input should be a number")
    if not math.isfinite(value):
        raise PydanticCustomError("number", "Input should be a finite number")
    return value


def _to_estimate(value: Any) -> Estimate:
    if isinstance(value, Estimate):
        return value
    if not isinstance(value, dict) or value.keys() != {"value", "low", "high"}:
        raise PydanticCustomError("estimate", "Input should hold value, low and high")
    return Estimate(**{name: math.nan if end is None else _number(end) for name, end in value.items()})


def _from_estimate(estimate: Estimate) -> dict[str, float | None]:
    ends = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return {name: None if math.isnan(end) else end for name, end in ends.items()}


T = TypeVar("T")
# A list in the file, which nobody alters here.
Several = Annotated[tuple[T, ...], Field(strict=False)]
Number = Annotated[float, PlainValidator(_number), PlainSerializer(lambda value: value)]
Estimates = dict[str, Annotated[Estimate, PlainValidator(_to_estimate), PlainSerializer(_from_estimate)]]


class Fields(BaseModel):
    """A part of a record: not altered once read; a field that is not known here is kept."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow", validate_by_name=True)
