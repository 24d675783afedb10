"""Answers in the words that a clinic uses, and the table that leaves the house."""

import csv
import io
from collections.abc import Iterable

from leukemia.bundles.bundle import Bundle
from leukemia.inference.answer import Answer
from leukemia.inference.learned import Learned
from leukemia.operating_point import INDETERMINATE, UNCLASSIFIED, WORDS, OperatingPoint
from leukemia.segmentation.place import Place
from leukemia.settings import RESEARCH_USE
from leukemia.storage.spreadsheet import inert

# Closer to a limit than this (in probability), a decision is marked as close to it.
NEAR = 0.05
# A cell of a field that is unlike the cells that the model was trained on.
NOT_COMPARABLE = "Not comparable"

PLACE = ("x", "y", "width", "height", "confidence", "edge")
STAIN = ("stain_matched", "distance", "distance_unmatched", "distance_limit")
COLUMNS = (
    "file",
    "probability",
    "decision",
    "error",
    "normal_like_below",
    "all_like_from",
    "learned_from",
    "held_out_probability",
    "held_out_decision",
    "image_id",
    "cell_area_px",
    "model",
    "model_sha256",
    "classified_at",
    # Where a cell of a field lies, in pixels from its upper left corner; empty for a picture of its own.
    "field",
    *PLACE,
    # Whether its stain was matched; how far it lies from the training cells, as answered and as it is; and up
    # to where one is answered.
    *STAIN,
    "note",
    "notice",
)

# What tells such a table from others, in each version of it.
OWN = {"model_sha256", "notice"}


def is_table(beginning: str) -> bool:
    """Whether a file that begins like this holds a table of answers, also of an earlier version."""
    named = beginning.partition("\n")[0].strip().split(",")
    return named[:2] == list(COLUMNS[:2]) and set(named) >= OWN


def decision(probability: float | None, point: OperatingPoint) -> str:
    """Decision in the clinic's words.

    Parameters
    ----------
    probability : float or None
        Of ALL; None where the image could not be read.
    point : OperatingPoint
        From which probabilities cells are called.

    Returns
    -------
    str
        :data:`operating_point.WORDS` or :data:`UNCLASSIFIED`.
    """
    return UNCLASSIFIED if probability is None else WORDS[point.call([probability])[0]]


def is_not_comparable(probability: float | None, distance: float | None, place: Place | None) -> bool:
    """Whether a cell has no answer because it is unlike the training cells; it is one of a field then."""
    return probability is None and distance is not None and place is not None and not place.edge


def state(answer: Answer, point: OperatingPoint) -> str:
    """Decision as a reader is told it: as :func:`decision`, or :data:`NOT_COMPARABLE`."""
    if is_not_comparable(answer.probability, answer.distance, answer.place):
        return NOT_COMPARABLE
    return decision(answer.probability, point)


def is_near(probability: float | None, point: OperatingPoint) -> bool:
    """Whether a probability lies within :data:`NEAR` of a limit."""
    return probability is not None and abs(point.distance(probability)) < NEAR


def count(answers: Iterable[Answer], point: OperatingPoint) -> dict[str, int]:
    """How many answers there are of each decision.

    Indeterminate only where the model can abstain, Not comparable only where a cell is.
    """
    counts = dict.fromkeys((*WORDS.values(), NOT_COMPARABLE, UNCLASSIFIED), 0)
    for answer in answers:
        counts[state(answer, point)] += 1
    named = {INDETERMINATE: point.abstains, NOT_COMPARABLE: counts[NOT_COMPARABLE]}
    return {word: number for word, number in counts.items() if named.get(word, True)}


def counted(counts: dict[str, int]) -> str:
    """Counts of decisions in a line: ``2 ALL-like · 1 indeterminate · 3 Normal-like``."""
    lower = (INDETERMINATE, UNCLASSIFIED, NOT_COMPARABLE)
    return " · ".join(
        f"{number:,} {word.lower() if word in lower else word}" for word, number in counts.items()
    )


def learned_from(image_ids: Iterable[str], point: OperatingPoint, learned: Learned) -> tuple[int, str]:
    """How many of some cells a model learned from, and what it says of that; empty where it is none.

    Parameters
    ----------
    image_ids : iterable of str
    point : OperatingPoint
        From which probabilities the held-out answers are called.
    learned : Learned
    """
    seen = [image_id for image_id in image_ids if image_id in learned.images]
    if not seen:
        return 0, ""
    said = "Its answers on them say nothing about new cells."
    held_out = [Answer("", learned.held_out[one]) for one in seen if one in learned.held_out]
    if held_out:
        counts = count(held_out, point)
        del counts[UNCLASSIFIED]
        said += f" By networks that had not seen their patients: {counted(counts)}."
    return len(seen), said


def notice(bundle: Bundle) -> str:
    """What an answer must not be used for."""
    return RESEARCH_USE + (" Model trained on synthetic cells." if bundle.synthetic else "")


def row(answer: Answer, point: OperatingPoint, bundle: Bundle, learned: Learned) -> dict[str, object]:
    """One answer as a row of the export; columns :data:`COLUMNS`."""
    held_out = learned.held_out.get(answer.image_id)
    return {
        "file": inert(answer.name),
        "probability": "" if answer.probability is None else answer.probability,
        "decision": state(answer, point),
        "error": answer.error,
        "normal_like_below": point.low,
        "all_like_from": point.high,
        "learned_from": learned.tells(answer.image_id, answer.lossy),
        "held_out_probability": "" if held_out is None else held_out,
        "held_out_decision": "" if held_out is None else decision(held_out, point),
        "image_id": answer.image_id,
        "cell_area_px": answer.area or "",
        "model": inert(bundle.name),
        "model_sha256": bundle.digest,
        "classified_at": answer.at,
        **_place(answer),
        **stain(answer.stain is not None, answer.distance, unmatched_distance(answer), bundle.novelty_limit),
        "note": answer.note,
        "notice": notice(bundle),
    }


def _place(answer: Answer) -> dict[str, object]:
    place = answer.place
    if place is None:
        return dict.fromkeys(("field", *PLACE), "")
    named = {"field": inert(place.field)} | {name: getattr(place, name) for name in PLACE}
    return named | {"edge": "yes" if place.edge else "no"}


def unmatched_distance(answer: Answer) -> float | None:
    """How far a cell as it is lies from the training cells; None where that was not measured."""
    return answer.stain.distance_before if answer.stain else answer.distance


def stain(
    matched: bool, distance: float | None, unmatched: float | None, limit: float | None
) -> dict[str, object]:
    """What a table says of stain and distance; columns :data:`STAIN`, all empty where no limit is known."""
    if distance is None or limit is None:
        return dict.fromkeys(STAIN, "")
    return dict(zip(STAIN, ("yes" if matched else "no", distance, unmatched, limit), strict=True))


def to_csv(answers: Iterable[Answer], point: OperatingPoint, bundle: Bundle, learned: Learned) -> str:
    """All answers as CSV text with a header line."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row(answer, point, bundle, learned) for answer in answers)
    return out.getvalue()
