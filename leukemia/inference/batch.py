"""What one person gave, and what was answered: order, filter, stop and pace. No screen in it."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from itertools import chain, islice

from leukemia.imaging.scale import Scale
from leukemia.imaging.stain import Stain
from leukemia.inference import stain_match
from leukemia.inference.answer import Answer, Source
from leukemia.inference.classifier import Classifier
from leukemia.inference.waiting import WaitingFields
from leukemia.segmentation.place import FieldPicture
from leukemia.settings import MAX_CELLS, MAX_FILES

# Few enough that a Stop takes effect within a moment, also where many sessions take turns; and how many to
# begin with, so that the first answers are there at once.
CHUNK, FIRST = 8, 3
# The same where the images before were fields, each of which takes as long as many cells.
FEW = 2
# How often the search of a field may be ended: whoever presses something each second is answered even so.
TRIES = 2
# Side in pixels of the picture that is kept; the frame itself is dropped.
THUMBNAIL = 176
# Bytes of images that are kept until their scale is stated.
KEPT = 256 * 1024**2
TOO_MANY_CELLS = (
    "At most {:,} cells are kept at once: this field was not searched. Press Clear, then drop it in again."
)
DROP_AGAIN = " Then drop the image in again."


def _go_on() -> None:
    """Between two steps of a search, nothing."""


@dataclass(frozen=True)
class Item:
    """One image to answer: a key that tells it from all others, and whether it is a drawing."""

    key: str
    source: Source
    drawn: bool = False


@dataclass(frozen=True)
class Result:
    """One answered image, or one cell of a field.

    Attributes
    ----------
    key : str
        Tells it from all others.
    answer : Answer
    drawn : bool
        Whether it is a drawing.
    field : str
        Key of the field that it is a cell of; empty for an image of its own.
    """

    key: str
    answer: Answer
    drawn: bool = False
    field: str = ""

    @property
    def item(self) -> str:
        """Key of the image that it came with."""
        return self.field or self.key


class Batch:
    """The images of one session. Each is answered once; only the answer and a small picture stay.

    A picture that is not a cell cut out on black is searched for cells, each with an answer of its own.
    Those that cannot be answered because their scale is unknown are kept until it is stated.

    Parameters
    ----------
    limit : int, optional
        How many images are taken in; those beyond are counted in ``refused``.
    clock : callable, optional
        Seconds that only ever grow.
    scale : Scale, optional
        What the person said of the scale of their images.
    picture : int, optional
        Side in pixels of the lossless picture that is kept of each; 0 for none.
    most_cells : int, optional
        How many cells are kept until no further field is searched.
    waiting_fields : WaitingFields, optional
        Where all pixels of its fields wait; without it, none of their cells can be outlined by hand.

    Attributes
    ----------
    stopped : bool
        Whether the person asked to stop; the images not yet answered wait.
    refused : int
        How many images of the last :meth:`add` were over the limit.
    picture : int
    """

    def __init__(
        self,
        limit: int = MAX_FILES,
        clock: Callable[[], float] = time.monotonic,
        scale: Scale | None = None,
        picture: int = 0,
        most_cells: int = MAX_CELLS,
        waiting_fields: WaitingFields | None = None,
    ) -> None:
        self._most_cells = most_cells
        self._waiting_fields = waiting_fields
        self.scale = scale
        self.picture = picture
        self.stopped = False
        self.refused = 0
        self._limit = limit
        self._clock = clock
        self._waiting: dict[str, Item] = {}
        # By the key of each image: one result, or one for each cell of a field.
        self._results: dict[str, tuple[Result, ...]] = {}
        # Of the fields whose stain is matched, the same with what was answered then.
        self._matched: dict[str, tuple[Result, ...]] = {}
        # The stain of each of these, which stays where it has no cell for the moment.
        self._stains: dict[str, Stain] = {}
        self._fields: dict[str, FieldPicture] = {}
        self._unscaled: dict[str, tuple[Item, int]] = {}  # with the bytes of each
        self._since: tuple[float, int] | None = None
        self._had_field = False
        self._done: list[str] = []  # answered, and not returned by work() yet
        self._ended: Counter[str] = Counter()  # how often the search of each field was

    def __len__(self) -> int:
        return len(self._waiting) + len(self._results)

    @property
    def waiting(self) -> int:
        """How many images are not answered yet."""
        return len(self._waiting)

    @property
    def unscaled(self) -> int:
        """How many images are kept until their scale is stated; each has an answer that says so."""
        return len(self._unscaled)

    @property
    def results(self) -> list[Result]:
        """What was answered so far, in the order of the answers."""
        return list(chain.from_iterable(map(self.shown, self._results)))

    @property
    def fields(self) -> dict[str, FieldPicture]:
        """The fields among the answered images, by the key of each."""
        return {key: self._with_note(key, field) for key, field in self._fields.items()}

    @property
    def final(self) -> list[Result]:
        """Results that stay: those kept until their scale is stated are left out."""
        return [one for one in self.results if one.item not in self._unscaled]

    @property
    def remaining(self) -> float | None:
        """Seconds until all is answered, at the pace since work began; None where unknown."""
        if self._since is None:
            return None
        began, before = self._since
        done = len(self._results) - before
        return (self._clock() - began) / done * self.waiting if done > 0 else None

    def add(self, items: Iterable[Item]) -> None:
        """Take in images that are not here yet, up to the limit, and start again if stopped."""
        self.refused = 0
        for item in items:
            if item.key in self._waiting or item.key in self._results:
                continue
            if len(self) >= self._limit:
                self.refused += 1
                continue
            self._waiting[item.key] = item
            self.resume()

    def remove(self, keys: Collection[str]) -> None:
        """Forget images, answered or not."""
        for key in keys:
            gone = self._fields.get(key)
            self.unmatch_stain(key)
            for images in (self._waiting, self._results, self._fields, self._unscaled):
                images.pop(key, None)
            if gone:
                self._drop_pixels(gone)
        self._since = None

    def results_of(self, key: str) -> tuple[Result, ...]:
        """What an image was answered with as it is; empty where it is not here."""
        return self._results.get(key, ())

    def shown(self, key: str) -> tuple[Result, ...]:
        """What an image is answered with: of a field whose stain is matched, what was answered then."""
        return self._matched.get(key) or self.results_of(key)

    def match_stain(self, key: str, classifier: Classifier, own: Stain | None = None) -> None:
        """Answer the cells of a field with their stain matched; :meth:`unmatch_stain` takes it back.

        A field stays as it is where its stain is not known and none of its cells can be measured, or where
        it is not answered.

        Parameters
        ----------
        key : str
            Of the field.
        classifier : Classifier
            The one that gave the answers.
        own : Stain, optional
            The field's stain where it was measured before; else it is measured of its cells.

        Raises
        ------
        ImageError
            Where the model does not allow it; see :func:`leukemia.inference.stain_match.why_not`.
        """
        results = self.results_of(key)
        if not results:
            return
        answers = stain_match.match(classifier, [one.answer for one in results], own)
        own = next((one.stain.own for one in answers if one.stain), own)
        if own:
            self._stains[key] = own
            self._matched[key] = tuple(
                replace(one, answer=answer) for one, answer in zip(results, answers, strict=True)
            )

    def unmatch_stain(self, key: str) -> None:
        """Have the very answers to a field's cells again that there were before :meth:`match_stain`."""
        self._matched.pop(key, None)
        self._stains.pop(key, None)

    def is_matched(self, key: str) -> bool:
        """Whether the cells of a field are answered with their stain matched, also such as come to it."""
        return key in self._stains

    def stain_of(self, key: str) -> Stain | None:
        """The stain by which a field's cells are matched; None where they are answered as they are."""
        return self._stains.get(key)

    def needs_scale(self, key: str) -> bool:
        """Whether an image is kept until its scale is stated."""
        return key in self._unscaled

    def settle_scale(self, key: str) -> None:
        """Keep an image no longer until its scale is stated: it was, for this one alone."""
        self._unscaled.pop(key, None)

    def put(self, key: str, results: tuple[Result, ...]) -> None:
        """Have other results for an answered image; see :mod:`leukemia.inference.corrections`."""
        self.unmatch_stain(key)
        self._results[key] = results

    def plain_field(self, key: str) -> FieldPicture | None:
        """What is kept of a field, without what is said of its stain; None where it is not here."""
        return self._fields.get(key)

    def put_field(self, key: str, field: FieldPicture) -> None:
        """Say something else of a field."""
        self._fields[key] = field

    def state_scale(self, scale: Scale | None) -> None:
        """Take what the person says of the scale of all images that are answered from now on.

        Those that were kept for want of it wait again; None takes it back.
        """
        self.scale = scale
        if scale:
            again = {key: item for key, (item, _) in self._unscaled.items()}
            self.remove(again)  # as fields, too: they are searched anew
            self._waiting |= again
            self.resume()

    def stop(self) -> None:
        """Leave the images that are not answered yet waiting."""
        self.stopped, self._since = True, None

    def resume(self) -> None:
        """Answer what waits after a :meth:`stop`."""
        self.stopped = False

    def work(
        self, classifier: Classifier, most: int = CHUNK, between: Callable[[], object] = _go_on
    ) -> list[str]:
        """Answer the next ``most`` images that wait; return the keys of those whose bytes are done with.

        ``between`` is called while a field is searched, and no more once it has ended the search of that
        field twice. What it raises ends the work: the field waits on, and what was answered before it is
        returned the next time.
        """
        if self._since is None:
            self._since = self._clock(), len(self._results)
        items = list(islice(self._waiting.values(), min(most, FEW) if self._had_field else most))
        sources = [self._source(item) for item in items]
        answers = classifier.classify(sources, thumbnail=THUMBNAIL, picture=self.picture)
        self._had_field = False
        for item, source, answer in zip(items, sources, answers, strict=True):
            self._had_field |= answer.not_cut_out
            found = (
                self._search(classifier, item, source, answer, between) if answer.not_cut_out else (answer,)
            )
            if found[0].scale_unknown and not self._keep(item):
                found = tuple(replace(one, error=one.error + DROP_AGAIN) for one in found)
            self._results[item.key] = tuple(result_of(item.key, one, drawn=item.drawn) for one in found)
            self._waiting.pop(item.key, None)
            self._done.append(item.key)
        if not self._waiting:
            self._since = None
        done, self._done = self._done, []
        return [key for key in done if key not in self._unscaled and key not in self._waiting]

    def _search(
        self,
        classifier: Classifier,
        item: Item,
        source: Source,
        refused: Answer,
        between: Callable[[], object],
    ) -> tuple[Answer, ...]:
        """The answers to a picture's cells, or one that says why there are none.

        ``refused`` is the answer to the picture as a cell cut out on black, and stays where it is no field.
        """
        # Only who brings a field waits for what finds cells to be loaded.
        from leukemia.inference import search

        if len(self.results) >= self._most_cells:
            return (Answer(source.name, error=TOO_MANY_CELLS.format(self._most_cells)),)
        keep = self._waiting_fields.keep if self._waiting_fields else None
        if self._ended[item.key] >= TRIES:
            between = _go_on
        self._ended[item.key] += 1
        found = search.search(
            classifier, source, thumbnail=THUMBNAIL, picture=self.picture, keep=keep, between=between
        )
        del self._ended[item.key]
        if search.is_no_field(found, refused):
            if found.field:
                self._drop_pixels(found.field)
            return (refused,)
        if found.field:
            self._fields[item.key] = found.field
        return found.answers

    def _drop_pixels(self, gone: FieldPicture) -> None:
        """Remove all pixels of a field that is not here, unless another one needs them."""
        needed = {field.file for field in self._fields.values()}
        if gone.file and self._waiting_fields and gone.file not in needed:
            self._waiting_fields.drop(gone.file)

    def _source(self, item: Item) -> Source:
        return replace(item.source, scale=item.source.scale or self.scale)

    def _with_note(self, key: str, field: FieldPicture) -> FieldPicture:
        matched = any(one.answer.stain for one in self.shown(key))
        return replace(field, note=stain_match.noted(field.note)) if matched else field

    def _keep(self, item: Item) -> bool:
        """Keep an image until its scale is stated, if there is room."""
        size = len(item.source.load())
        if size + sum(kept for _, kept in self._unscaled.values()) > KEPT:
            return False
        self._unscaled[item.key] = item, size
        return True


def result_of(key: str, answer: Answer, *, drawn: bool = False) -> Result:
    """An answer as the result of an image, or of one of its cells; ``key`` is the image's."""
    if answer.place is None:
        return Result(key, answer, drawn)
    return Result(f"{key} {answer.place.number}", answer, drawn, key)
