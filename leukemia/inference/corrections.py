"""What a person changes by hand on the fields of a batch, with the answers that follow; it can be undone."""

from dataclasses import dataclass, field, replace

from leukemia.errors import ImageError
from leukemia.imaging.stain import Stain
from leukemia.inference.answer import Answer
from leukemia.inference.batch import THUMBNAIL, Batch, Result
from leukemia.inference.classifier import Classifier
from leukemia.segmentation.change import DRAW, REMOVE, UNDO, Change
from leukemia.segmentation.place import FieldPicture

NO_FIELD = "This field is not here any more."
NO_CELL = "This cell is not here any more."
NOTHING = "There is nothing to take back."
ALREADY = "This cell is outlined just so already."
STATE_SCALE = "The scale of this field is unknown. State it above first."
BY_HAND = "; cells by hand: "
NONE_LEFT = "All white cells that were found were removed by hand."


@dataclass(frozen=True)
class Before:
    """A field as it was before a change.

    Attributes
    ----------
    results : tuple of Result
        The answers to its cells as they are.
    stain : Stain or None
        By which they were matched; None where they were not.
    """

    results: tuple[Result, ...]
    stain: Stain | None


@dataclass
class Corrections:
    """The fields of a batch that were changed by hand.

    Attributes
    ----------
    before : dict of str to list of Before
        By the key of each field: how it was before each change that stands, the first ones first.
    last : dict of str to int
        The highest number that a cell of it had.
    """

    before: dict[str, list[Before]] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    serial: int = 0

    def can_undo(self, key: str) -> bool:
        """Whether there is a change of a field to take back."""
        return bool(self.before.get(key))

    def apply(self, batch: Batch, classifier: Classifier, key: str, change: Change) -> str:
        """Change a field of a batch by hand.

        Parameters
        ----------
        batch : Batch
        classifier : Classifier
            Answers the cell that is cut out.
        key : str
            Of the field.
        change : Change

        Returns
        -------
        str
            The key of the cell that was drawn or changed; empty where there is none.

        Raises
        ------
        ImageError
            Where there is no such field or cell, or what was drawn encloses none; all is then as it was.
        """
        if key not in batch.fields:
            raise ImageError(NO_FIELD)
        if batch.needs_scale(key):
            raise ImageError(STATE_SCALE)
        # A cell that is drawn, or comes back, has the field's stain, however many others are left.
        stain = batch.stain_of(key)
        back = stain
        if change.kind == UNDO and self.can_undo(key):
            back = self.before[key][-1].stain or stain
        # What is changed, and taken back, are the cells as they are.
        batch.unmatch_stain(key)
        try:
            return self._apply(batch, classifier, key, change, stain)
        finally:
            if stain:
                batch.match_stain(key, classifier, back)

    def _apply(
        self, batch: Batch, classifier: Classifier, key: str, change: Change, stain: Stain | None
    ) -> str:
        """Change a field whose cells are answered as they are; ``stain`` as in :class:`Before`."""
        results = batch.results_of(key)
        if change.kind == UNDO:
            if not self.can_undo(key):
                raise ImageError(NOTHING)
            batch.put(key, self.before[key].pop().results)
            self._note(batch, key)
            return ""
        cells = [one for one in results if one.field]
        at = next((place for place, one in enumerate(cells) if one.key == change.cell), None)
        if at is None and change.kind != DRAW:
            raise ImageError(NO_CELL)
        made = ""
        if change.kind == REMOVE:
            del cells[at]
        else:
            made = self._answered(batch, classifier, key, change, cells, at)
        self.before.setdefault(key, []).append(Before(results, stain))
        batch.put(key, tuple(cells) or (_none_left(batch.fields[key], key),))
        self._note(batch, key)
        return made

    def _answered(
        self,
        batch: Batch,
        classifier: Classifier,
        key: str,
        change: Change,
        cells: list[Result],
        at: int | None,
    ) -> str:
        # Only who corrects a field waits for what outlines cells to be loaded.
        from leukemia.inference import by_hand

        highest = max((one.answer.place.number for one in cells), default=0)
        last = max(self.last.get(key, 0), highest)
        number = last + 1 if at is None else cells[at].answer.place.number
        shown = replace(batch.fields[key], note=_plain(batch.fields[key]))
        answer = by_hand.answer(classifier, shown, change, number, thumbnail=THUMBNAIL, picture=batch.picture)
        if any(one.answer.image_id == answer.image_id for one in cells if answer.image_id):
            raise ImageError(ALREADY)
        self.last[key] = max(last, number)
        self.serial += 1
        made = Result(f"{key} {number} by hand {self.serial}", answer, field=key)
        if at is None:
            cells.append(made)
        else:
            cells[at] = made
        return made.key

    def _note(self, batch: Batch, key: str) -> None:
        """Say in the field's note what of its cells is by hand."""
        shown = batch.fields[key]
        first = self.before[key][0].results if self.before.get(key) else batch.results_of(key)
        was = {one.answer.place.number: one.key for one in first if one.field}
        now = {one.answer.place.number: one.key for one in batch.results_of(key) if one.field}
        counts = {
            "removed": len(was.keys() - now.keys()),
            "drawn": len(now.keys() - was.keys()),
            "outlined anew": sum(was[one] != now[one] for one in was.keys() & now.keys()),
        }
        said = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
        note = _plain(shown) + (f"{BY_HAND}{said}" if said else "")
        batch.put_field(key, replace(shown, note=note))


def _plain(shown: FieldPicture) -> str:
    return shown.note.partition(BY_HAND)[0]


def _none_left(shown: FieldPicture, key: str) -> Result:
    return Result(key, Answer(shown.name, error=NONE_LEFT, note=_plain(shown)))
