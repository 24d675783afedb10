"""Which settings a sweep varies, and between which ends: light to import."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leukemia.errors import RecipeError
from leukemia.recipes import definitions
from leukemia.recipes.definitions import Field

BOTH = "both"
# Trials that a sweep may have.
FEWEST, MOST = 2, 200
# Digits of a setting that is drawn: as many as a reader can type in again.
DIGITS = 4


@dataclass(frozen=True)
class Axis:
    """A setting that is varied.

    Attributes
    ----------
    field : Field
    low, high : float
        Both are allowed; 0 and 1 where the setting is on or off.
    """

    field: Field
    low: float
    high: float

    @property
    def name(self) -> str:
        """The setting's attribute of :class:`definitions.Training`."""
        return self.field.name

    @property
    def log(self) -> bool:
        """Whether its steps are factors."""
        return self.field.kind == "log"

    @property
    def choices(self) -> list[Any] | None:
        """All values, where they can be counted."""
        if self.field.kind == "bool":
            return [False, True]
        return list(range(int(self.low), int(self.high) + 1)) if self.field.kind == "int" else None

    def holds(self, value: float) -> bool:
        """Whether a value lies between the ends."""
        return self.low <= value <= self.high

    def tidy(self, value: Any) -> Any:
        """The value with so many digits that it can be typed in again, and is the same."""
        if self.field.kind in ("bool", "int"):
            return value
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def __str__(self) -> str:
        """As the command line takes it: ``learning_rate=0.0001:0.01``."""
        ends = BOTH if self.field.kind == "bool" else f"{self.low!r}:{self.high!r}"
        return f"{self.name}={ends}"


@dataclass(frozen=True)
class Vary:
    """What a sweep does beside an ordinary training.

    Attributes
    ----------
    axes : tuple of Axis
    trials : int
    """

    axes: tuple[Axis, ...]
    trials: int

    def arguments(self) -> list[str]:
        """For the command line of ``python -m leukemia sweep``, behind recipe and settings."""
        varied = [word for axis in self.axes for word in ("--vary", str(axis))]
        return [*varied, "--trials", str(self.trials)]


def axis(recipe: str, text: str) -> Axis:
    """Read ``NAME=LOW:HIGH`` or, for what is on or off, ``NAME=both``.

    Raises
    ------
    RecipeError
        Where no setting has this name, the recipe does not heed it, or an end is out of its bounds.
    """
    name, equals, ends = (part.strip() for part in text.partition("="))
    if not equals:
        raise RecipeError(f"{text!r} says no range: write NAME=LOW:HIGH, or NAME={BOTH} for on and off.")
    field = definitions.field(name)
    if not definitions.outline(recipe).heeds(name):
        raise RecipeError(f"{field.title} changes nothing in the recipe {recipe}: it cannot be varied.")
    if field.kind == "bool":
        if ends != BOTH:
            raise RecipeError(f"{field.title} is on or off: write {name}={BOTH}.")
        return Axis(field, 0, 1)
    low, colon, high = ends.partition(":")
    if not colon:
        raise RecipeError(f"{ends!r} is no range of {field.title}: write {name}=LOW:HIGH.")
    found = Axis(field, field.parse(low), field.parse(high))
    if not found.low < found.high:
        raise RecipeError(f"{field.title}: the range must rise, not go from {low} to {high}.")
    return found


def axes(recipe: str, texts: Sequence[str], fixed: Sequence[str] = ()) -> tuple[Axis, ...]:
    """Read what is varied; ``fixed`` names the settings that have been given a value.

    Raises
    ------
    RecipeError
        As :func:`axis` does; where a setting is named twice, or nothing is varied.
    """
    found = tuple(axis(recipe, text) for text in texts)
    names = [one.name for one in found]
    for one in found:
        if one.name in fixed:
            raise RecipeError(f"{one.field.title} is given a value and varied: one of the two.")
        if names.count(one.name) > 1:
            raise RecipeError(f"{one.field.title} is varied twice.")
    if not found:
        raise RecipeError("A sweep varies at least one setting.")
    return found


def combinations(axes: Sequence[Axis]) -> float:
    """How many different settings there are; infinite where a setting is a number with decimals."""
    return math.prod(len(one.choices) if one.choices is not None else math.inf for one in axes)
