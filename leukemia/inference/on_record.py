"""Answers of a quick look on record: who asked, when, which model by which limits, each image by its hash.

Names of files are not recorded. Answers do not depend on the record: where it cannot be written, they are
given all the same, and whoever asked is told.
"""

from collections.abc import Iterable
from itertools import count, islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from leukemia.audit import answers as audit
from leukemia.audit.answers import Given
from leukemia.audit.trail import Entry, Recorded
from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.errors import LeukemiaError
from leukemia.inference import decisions
from leukemia.inference.answer import Answer
from leukemia.operating_point import OperatingPoint
from leukemia.storage import database, files

if TYPE_CHECKING:
    from leukemia.inference.on_ray import Run

PER_ENTRY = 500
LONGEST_ERROR = 1_000
NO_NAME = "no name given"
NOT_RECORDED = "These answers are not on record."


def record(
    data: Path,
    answers: Iterable[Answer],
    bundle: Bundle,
    point: OperatingPoint,
    *,
    who: str,
    door: str,
    version: int | None = None,
    key: str | None = None,
) -> Recorded:
    """Put answers on record as one entry.

    Parameters
    ----------
    data : Path
        The data folder.
    answers : iterable of Answer
    bundle : Bundle
        The model that gave them.
    point : OperatingPoint
        By which they were called.
    who : str
        Who asked; empty where nobody gave a name.
    door : str
        Where it was asked: a page or a command.
    version : int, optional
        The model's number in the registry.
    key : str, optional
        Where these answers may be on record already: what tells their entry, which is then left as it is.

    Raises
    ------
    LeukemiaError
        Where nothing could be written.
    """
    given, called = [], []
    for answer in answers:
        called.append(answer)
        decision = decisions.state(answer, point)
        error = files.shown(answer.error)[:LONGEST_ERROR]
        given.append(Given(answer.image_id, answer.probability, decision, error))
    entry = Entry(
        "",
        who or NO_NAME,
        version=f"version {version}" if version else bundle.name,
        record_sha256=bundles.checksum(bundle.folder / bundles.RECORD),
        threshold=point.threshold,
        low=point.low,
        high=point.high,
        new=decisions.counted(decisions.count(called, point)),
        reason=door,
        key=key,
    )
    return audit.record(data, entry, given)


def trouble(error: LeukemiaError | OSError) -> str:
    """Why answers are not on record, in a sentence or two."""
    return f"{NOT_RECORDED} {str(error).removeprefix(database.NOTHING_SAVED).strip()}"


class Recorder:
    """Puts answers on record as they are given, some hundred at a time; to be used as a context.

    Parameters
    ----------
    data, bundle, point, who, door, version
        As for :func:`record`.

    Attributes
    ----------
    trouble : str
        Why answers are not on record; empty where all are.
    """

    def __init__(
        self,
        data: Path,
        bundle: Bundle,
        point: OperatingPoint,
        *,
        who: str,
        door: str,
        version: int | None = None,
    ) -> None:
        self.trouble = ""
        self._data, self._bundle, self._point = data, bundle, point
        self._said = {"who": who, "door": door, "version": version}
        self._waiting: list[Answer] = []

    def add(self, answer: Answer) -> None:
        """Take an answer that was given."""
        if self.trouble:
            return
        self._waiting.append(answer)
        if len(self._waiting) >= PER_ENTRY:
            self._write()

    def add_once(self, run: "Run") -> None:
        """Put all answers of a run on record: each once, however often this is ended and begun anew."""
        try:
            key, answers = run.key(), run.answers()
            for number in count(1):
                if not (some := list(islice(answers, PER_ENTRY))):
                    return
                record(
                    self._data, some, self._bundle, self._point, **self._said, key=f"classify {key} {number}"
                )
        except (LeukemiaError, OSError) as error:
            self.trouble = trouble(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._write()

    def _write(self) -> None:
        if not self._waiting or self.trouble:
            return
        try:
            record(self._data, self._waiting, self._bundle, self._point, **self._said)
        except (LeukemiaError, OSError) as error:
            self.trouble = trouble(error)
        self._waiting = []
