"""Which cells are asked for, in the words of an address: ``class=ALL&split=test&size=20000-40000``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

RIGHT, WRONG = "right", "wrong"
UNKNOWN = "unknown"
# What the model leaves to a haematologist, and what can be neither right nor wrong for that.
INDETERMINATE, UNDECIDED = "indeterminate", "undecided"
UNLABELLED = "unlabelled"
CORRECTED, DOUBTED = "corrected", "doubted"

# Field of Filters to its word in an address.
WORDS = {
    "labels": "class",
    "patients": "patient",
    "sources": "source",
    "subsets": "split",
    "decisions": "decision",
    "outcomes": "outcome",
    "probability": "probability",
    "area": "size",
    "reviews": "review",
    "images": "image",
}
RANGES = ("probability", "area")


@dataclass(frozen=True)
class Filters:
    """Conditions that all hold at once; an empty one lets everything through.

    Attributes
    ----------
    labels : tuple of str
        Normal, ALL, :data:`UNLABELLED`.
    patients, sources : tuple of str
        As in the manifest.
    subsets : tuple of str
        training, validation, test or fold 1, fold 2, ..., or :data:`UNKNOWN`.
    decisions : tuple of str
        The model's answer: Normal, ALL, :data:`INDETERMINATE` or :data:`UNKNOWN`.
    outcomes : tuple of str
        :data:`RIGHT`, :data:`WRONG` or :data:`UNDECIDED`: whether the answer agrees with the label.
    probability : tuple of float, optional
        Lowest and highest probability of ALL, both within.
    area : tuple of float, optional
        Smallest and largest cell area in frame pixels, both within.
    reviews : tuple of str
        :data:`CORRECTED`, :data:`DOUBTED`: what a reviewer said of the label.
    images : tuple of str, optional
        image_ids; None for any, and an empty tuple for no cell at all.
    """

    labels: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    subsets: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    probability: tuple[float, float] | None = None
    area: tuple[float, float] | None = None
    reviews: tuple[str, ...] = ()
    images: tuple[str, ...] | None = None

    def without_model(self) -> "Filters":
        """The same conditions, save those that need a model's answers."""
        return replace(self, subsets=(), decisions=(), outcomes=(), probability=None)

    def to_query(self) -> dict[str, list[str]]:
        """The conditions as an address's words and values; what lets everything through is left out."""
        query = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in RANGES:
                if value is not None:
                    query[WORDS[field.name]] = [f"{value[0]:.10g}-{value[1]:.10g}"]
            elif value:
                query[WORDS[field.name]] = list(value)
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> "Filters":
        """Read conditions from an address; what cannot be understood lets everything through."""
        conditions = {}
        for name, word in WORDS.items():
            values = tuple(dict.fromkeys(query.get(word, ())))
            if name in RANGES:
                conditions[name] = _range(values[-1]) if values else None
            elif values:
                conditions[name] = values
        return cls(**conditions)


def _range(text: str) -> tuple[float, float] | None:
    low, _, high = text.partition("-")
    try:
        bounds = float(low), float(high)
    except ValueError:
        return None
    return bounds if all(map(math.isfinite, bounds)) and bounds[0] <= bounds[1] else None
