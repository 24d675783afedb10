"""A field searched again at the scale of a scale bar that a person marks on it; that can be taken back."""

from dataclasses import dataclass, field, replace

from leukemia.errors import ImageError
from leukemia.imaging.scale import Scale
from leukemia.imaging.stain import Stain
from leukemia.inference.batch import THUMBNAIL, Batch, Result, result_of
from leukemia.inference.classifier import Classifier
from leukemia.inference.corrections import NO_FIELD, Corrections
from leukemia.segmentation import kept
from leukemia.segmentation.place import FieldPicture

# Pixels that a bar has at the least: a shorter one cannot be marked exactly.
LEAST = 10.0
TOO_SHORT = f"A scale bar of fewer than {LEAST:.0f} pixels cannot be measured. Mark it from end to end."
NO_LENGTH = "Say how long the scale bar is: pixels and micrometres, both above 0."
BY_HAND = (
    "This field was corrected by hand. At another scale it is searched anew and that would be lost: take the "
    "corrections back with Undo first."
)
NOTHING = "No scale bar is marked on this field."


@dataclass(frozen=True)
class Before:
    """A field as it was before its bar was marked.

    Attributes
    ----------
    results : tuple of Result
        The answers to its cells as they are.
    shown : FieldPicture
        What was kept of it.
    stain : Stain or None
        By which its cells were matched; None where they were not.
    """

    results: tuple[Result, ...]
    shown: FieldPicture
    stain: Stain | None


@dataclass
class ScaleBars:
    """The fields of a batch whose scale is that of a bar.

    Attributes
    ----------
    before : dict of str to Before
        By the key of each: how it was before, where its scale was known then.
    """

    before: dict[str, Before] = field(default_factory=dict)

    def can_take_back(self, key: str) -> bool:
        """Whether a field can have the scale again that it had before."""
        return key in self.before

    def apply(
        self,
        batch: Batch,
        classifier: Classifier,
        corrections: Corrections,
        key: str,
        pixels: float,
        micrometres: float,
    ) -> None:
        """Search a field again at the scale of a bar.

        Parameters
        ----------
        batch : Batch
        classifier : Classifier
            Answers its cells.
        corrections : Corrections
            Those of the batch.
        key : str
            Of the field.
        pixels, micrometres : float
            Length of the bar in pixels of the field, and what it stands for.

        Raises
        ------
        ImageError
            Where there is no such field, its pixels are gone, it was corrected by hand, or no microscope has
            such a scale; all is then as it was.
        BundleError
            Where the network that finds cells is missing.
        """
        shown = self._field(batch, corrections, key)
        scale = by_bar(pixels, micrometres)
        # Only who marks a bar waits for what finds cells to be loaded.
        from leukemia.inference import search

        whole = kept.load(shown.file, shown.image_id)
        sides = {"thumbnail": THUMBNAIL, "picture": batch.picture}
        found = search.search_field(classifier, shown.name, whole, scale, **sides)
        rest = shown.note.removeprefix(shown.scale.note if shown.scale else "")
        note = found.field.scale.note + rest
        answers = [replace(one, note=note, lossy=shown.lossy) for one in found.answers]
        if not batch.needs_scale(key):
            self.before.setdefault(key, Before(batch.results_of(key), shown, batch.stain_of(key)))
        batch.settle_scale(key)
        stain = batch.stain_of(key)
        batch.put(key, tuple(result_of(key, one) for one in answers))
        batch.put_field(key, replace(shown, note=note, scale=found.field.scale))
        if stain:
            # Of the cells that are found now; where none is, the field's stain is still what it was.
            batch.match_stain(key, classifier)
            if not batch.is_matched(key):
                batch.match_stain(key, classifier, stain)

    def take_back(self, batch: Batch, classifier: Classifier, corrections: Corrections, key: str) -> None:
        """Have the scale and the very answers again that a field had before its bar was marked.

        Raises
        ------
        ImageError
            Where there is nothing to take back, or the field was corrected by hand meanwhile.
        """
        self._field(batch, corrections, key)
        if not self.can_take_back(key):
            raise ImageError(NOTHING)
        before, stain = self.before.pop(key), batch.stain_of(key)
        batch.put(key, before.results)
        batch.put_field(key, before.shown)
        if stain:
            batch.match_stain(key, classifier, before.stain)

    def _field(self, batch: Batch, corrections: Corrections, key: str) -> FieldPicture:
        """A field as it is, without what is said of its stain."""
        if corrections.can_undo(key):
            raise ImageError(BY_HAND)
        shown = batch.plain_field(key)
        if shown is None:
            raise ImageError(NO_FIELD)
        return shown


def by_bar(pixels: float, micrometres: float) -> Scale:
    """The scale by a bar; raises ImageError where it has no length, or is too short to be measured."""
    # What is not a number fails every comparison.
    if not (0 < pixels < float("inf") and 0 < micrometres < float("inf")):
        raise ImageError(NO_LENGTH)
    if pixels < LEAST:
        raise ImageError(TOO_SHORT)
    return Scale(micrometres / pixels, f"by a scale bar: {micrometres:g} µm are {pixels:.4g} pixels")
