"""A metric with its interval, and how it is put on record; light to import."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Estimate:
    """A metric and its 95 % interval over patients; NaN where it is not defined."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def rounded(estimates: Mapping[str, Estimate], digits: int = 6) -> dict[str, Estimate]:
    """Estimates as they are put on record: with more digits than are shown, so that all show the same."""
    return {
        name: Estimate(*(round(end, digits) for end in (one.value, one.low, one.high)))
        for name, one in estimates.items()
    }


def as_record(estimates: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    """Estimates as plain numbers for JSON, rounded: None where not defined."""
    return {
        name: {key: None if math.isnan(end) else end for key, end in asdict(one).items()}
        for name, one in rounded(estimates).items()
    }


def from_text(text: str) -> dict[str, dict[str, float | None]]:
    """Read what :func:`as_record` made from JSON; what is no share with its interval is left out."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    named = content.items() if isinstance(content, dict) else ()
    return {str(name): one for name, one in named if isinstance(one, dict) and _is_share(one)}


def _is_share(one: dict[str, object]) -> bool:
    ends = [one.get(name) for name in ("value", "low", "high")]
    return all(
        end is None or (isinstance(end, int | float) and not isinstance(end, bool) and 0 <= end <= 1)
        for end in ends
    )
