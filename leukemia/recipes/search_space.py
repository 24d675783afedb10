"""Which settings a sweep varies, and within which ranges: light to import."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leukemia.errors import RecipeError
from leukemia.recipes import definitions, settings
from leukemia.recipes.settings import Field

BOTH = "both"
MIN_TRIALS, MAX_TRIALS = 2, 200
# Significant digits of a setting that is drawn: few enough to be typed in again.
DIGITS = 4


@dataclass(frozen=True)
class Axis:
    """A setting that is varied, with its range.

    Attributes
    ----------
    field : Field
    low, high : float
        Its ends, both included; 0 and 1 where the setting is on or off.
    """

    field: Field
    low: float
    high: float

    @property
    def name(self) -> str:
        """The setting's attribute of :class:`~leukemia.recipes.settings.Training`."""
        return self.field.name

    @property
    def log(self) -> bool:
        """Whether it is drawn on a logarithmic scale."""
        return self.field.kind == "log"

    @property
    def choices(self) -> list[Any] | None:
        """All values, where they can be counted; else None."""
        if self.field.kind == "bool":
            return [False, True]
        return list(range(int(self.low), int(self.high) + 1)) if self.field.kind == "int" else None

    def contains(self, value: float) -> bool:
        """Whether a value lies in the range."""
        return self.low <= value <= self.high

    def rounded(self, value: Any) -> Any:
        """A drawn value with :data:`DIGITS` digits, still within the range."""
        if self.field.kind in ("bool", "int"):
            return value
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    def __str__(self) -> str:
        """As the command line takes it: ``learning_rate=0.0001:0.01``."""
        ends = BOTH if self.field.kind == "bool" else f"{self.low!r}:{self.high!r}"
        return f"{self.name}={ends}"


@dataclass(frozen=True)
class SearchSpace:
    """What a sweep tries: the settings that it varies, and how often.

    Attributes
    ----------
    axes : tuple of Axis
    trials : int
    """

    axes: tuple[Axis, ...]
    trials: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the settings that are varied."""
        return tuple(axis.name for axis in self.axes)

    def arguments(self) -> list[str]:
        """The arguments of ``python -m leukemia sweep`` that follow recipe and settings."""
        vary = [word for axis in self.axes for word in ("--vary", str(axis))]
        return [*vary, "--trials", str(self.trials)]


def axis(recipe: str, text: str) -> Axis:
    """Read ``NAME=LOW:HIGH`` or, for what is on or off, ``NAME=both``.

    Raises
    ------
    RecipeError
        Where no setting has this name, the recipe does not use it, or an end is out of bounds.
    """
    name, equals, ends = (part.strip() for part in text.partition("="))
    if not equals:
        raise RecipeError(f"{text!r} has no range: write NAME=LOW:HIGH, or NAME={BOTH} for on and off.")
    field = settings.field(name)
    if not definitions.get(recipe).uses(name):
        raise RecipeError(f"The recipe {recipe} does not use {field.title}: it cannot be varied.")
    if field.kind == "bool":
        if ends != BOTH:
            raise RecipeError(f"{field.title} is on or off: write {name}={BOTH}.")
        return Axis(field, 0, 1)
    low, colon, high = ends.partition(":")
    if not colon:
        raise RecipeError(f"{ends!r} is not a range of {field.title}: write {name}=LOW:HIGH.")
    made = Axis(field, field.parse(low), field.parse(high))
    if not made.low < made.high:
        raise RecipeError(f"{field.title}: the range must go from low to high, not from {low} to {high}.")
    return made


def axes(recipe: str, texts: Sequence[str], fixed: Sequence[str] = ()) -> tuple[Axis, ...]:
    """Read the settings to vary; ``fixed`` names those that were given a value.

    Raises
    ------
    RecipeError
        As :func:`axis` does; where a setting is named twice, or nothing is varied.
    """
    varied = tuple(axis(recipe, text) for text in texts)
    names = [one.name for one in varied]
    for one in varied:
        if one.name in fixed:
            raise RecipeError(f"{one.field.title} is both set and varied: choose one of the two.")
        if names.count(one.name) > 1:
            raise RecipeError(f"{one.field.title} is varied twice.")
    if not varied:
        raise RecipeError("Choose at least one setting to vary.")
    return varied


def combinations(axes: Sequence[Axis]) -> float:
    """How many combinations of values there are; infinite where an axis is continuous."""
    return math.prod(len(one.choices) if one.choices is not None else math.inf for one in axes)
