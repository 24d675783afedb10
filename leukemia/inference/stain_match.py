"""The cells of a field answered again, their stain matched to that of the training cells: when asked for.

Only what the network reads is recoloured. Pictures, image_ids and the first answers stay as they are, so that
whoever takes the matching back has these again. A matched cell that is still unlike the training cells has no
answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from leukemia.bundles.bundle import Bundle
from leukemia.counting import counted
from leukemia.errors import ImageError
from leukemia.imaging import reader, scale, stain
from leukemia.imaging.cell import WHOLE, center_crop
from leukemia.imaging.stain import Recoloured, Stain, StainMatch
from leukemia.inference.answer import Answer, Source
from leukemia.inference.classifier import Classifier

NOT_RECORDED = (
    "This model does not record the colours of its training cells: the stain cannot be matched to them."
)
NO_DISTANCE = (
    "This model does not measure how unlike a cell is: what matching the stain does cannot be checked."
)
MATCHED = "stain matched to the training cells"


@dataclass(frozen=True)
class Distances:
    """How far the cells of a field lie from the training cells.

    Attributes
    ----------
    before : float
        Median of the cells as they are.
    after : float or None
        Median of the same cells matched; None where they were not.
    within_before, within_after : int
        How many of them lie within the limit; ``within_after`` is 0 where they were not matched.
    cells : int
        How many were measured.
    """

    before: float
    after: float | None
    within_before: int
    within_after: int
    cells: int

    def __str__(self) -> str:
        cells = counted(self.cells, "whole cell")
        if self.after is None:
            return f"distance {self.before:.2f} (median of {cells}); comparable: {self.within_before:,}"
        return (
            f"distance {self.before:.2f} → {self.after:.2f} (median of {cells}); comparable: "
            f"{self.within_before:,} → {self.within_after:,}"
        )


def why_not(bundle: Bundle) -> str:
    """Why stain cannot be matched to a model's training cells; empty where it can."""
    if bundle.stain is None:
        return NOT_RECORDED
    return NO_DISTANCE if bundle.novelty_limit is None else ""


def match(classifier: Classifier, answers: Sequence[Answer], own: Stain | None = None) -> tuple[Answer, ...]:
    """Answer the cells of one field again, their stain matched to the training cells.

    Parameters
    ----------
    classifier : Classifier
        The one that gave the answers.
    answers : sequence of Answer
        To the cells of one field as they are, each with its ``picture``.
    own : Stain, optional
        The field's stain where it was measured before; else it is measured of these cells.

    Returns
    -------
    tuple of Answer
        As many, in the same order. Those without a measured distance, and those that the field's edge cuts,
        are the same as before.

    Raises
    ------
    ImageError
        Where the model does not allow it; see :func:`why_not`.
    """
    if problem := why_not(classifier.bundle):
        raise ImageError(problem)
    if own is None:
        own = stain.measure(reader.decode(one.picture) for one in answers if _is_whole(one) and one.picture)
    if own is None:
        return tuple(answers)
    target = classifier.bundle.stain
    return tuple(
        _again(classifier, one, own, target) if _is_whole(one) and one.picture else one for one in answers
    )


def match_one(classifier: Classifier, answer: Answer, own: Stain) -> Answer:
    """Answer one more cell of a field whose stain was matched, by the stain that its cells had together.

    Raises
    ------
    ImageError
        As :func:`match` does.
    """
    if problem := why_not(classifier.bundle):
        raise ImageError(problem)
    whole = _is_whole(answer) and answer.picture
    return _again(classifier, answer, own, classifier.bundle.stain) if whole else answer


def recolour_files(classifier: Classifier, files: Sequence[Path]) -> list[Recoloured | None]:
    """Recolour the cells of one field that were cut out to files, at the model's scale.

    Parameters
    ----------
    classifier : Classifier
    files : sequence of Path
        As :func:`leukemia.segmentation.result.write` makes them.

    Returns
    -------
    list of Recoloured or None
        As many; None for a cell that the model cannot read.

    Raises
    ------
    ImageError
        As :func:`match` does.
    """
    whole = max(WHOLE, classifier.bundle.input_size)
    sources = [Source.file(file, scale=scale.NATIVE) for file in files]
    answers = match(classifier, list(classifier.classify(sources, picture=whole)))
    return [_recoloured(file, answer) for file, answer in zip(files, answers, strict=True)]


def _recoloured(file: Path, answer: Answer) -> Recoloured | None:
    if answer.stain is None or answer.distance is None:
        return None
    pixels = answer.stain.apply(reader.decode(reader.read(file)))
    return Recoloured(pixels, answer.distance, answer.stain.distance_before, answer.stain.limit)


def distances(answers: Sequence[Answer], limit: float) -> Distances | None:
    """Before and after matching, of the whole cells of a field; None where none was measured.

    Parameters
    ----------
    answers : sequence of Answer
    limit : float
        The model's; see :attr:`leukemia.bundles.bundle.Bundle.novelty_limit`.
    """
    measured = [one for one in answers if _is_whole(one)]
    if not measured:
        return None
    before = np.array([one.stain.distance_before if one.stain else one.distance for one in measured])
    after = np.array([one.distance for one in measured if one.stain])
    return Distances(
        float(np.median(before)),
        float(np.median(after)) if len(after) else None,
        int((before <= limit).sum()),
        int((after <= limit).sum()),
        len(measured),
    )


def noted(note: str) -> str:
    """A note on a picture, with the words that its stain was matched."""
    return "; ".join(filter(None, (note, MATCHED)))


def unnoted(note: str) -> str:
    """The same without the words that its stain was matched."""
    return "; ".join(part for part in note.split("; ") if part != MATCHED)


def _is_whole(answer: Answer) -> bool:
    """Whether it is a cell that was measured; one that the field's edge cuts is not answered anyhow."""
    return answer.distance is not None and not (answer.place and answer.place.edge)


def _again(classifier: Classifier, answer: Answer, own: Stain, target: Stain) -> Answer:
    matched = StainMatch(own, target, answer.distance, classifier.bundle.novelty_limit)
    crop = center_crop(reader.decode(answer.picture)[None], classifier.bundle.input_size)[0]
    again = classifier.answer_crop(answer, matched.apply(crop))
    return replace(again, stain=matched, note=noted(answer.note))
