"""What a training tells while it runs as a job: epochs, the epoch under way, memory, time left.

The page Training reads it from :attr:`leukemia.jobs.JobState.training`; started by hand, a training
tells nobody.
"""

import time
from collections.abc import Sequence

import keras
import psutil

from leukemia.jobs import progress
from leukemia.jobs.facts import Part, TrainingFacts

RUNNING = ("loss", "recall", "specificity")


class Telling:
    """One training's word to its job; parts are folds or trials.

    Parameters
    ----------
    recipe : str
    epochs : int
        At most, in each part.
    parts : int, optional
        How many trainings it takes.
    """

    def __init__(self, recipe: str, epochs: int, parts: int = 1) -> None:
        self._job = progress.current()
        self._process = psutil.Process()
        self._facts = TrainingFacts(recipe, epochs)
        self._count = parts
        self._seconds: list[float] = []
        self._began = time.monotonic()
        self._job.facts(self._facts)
        self._job.progress(0, 0, "Starting TensorFlow and the record of the run")

    def run(self, run_id: str) -> None:
        """Tell which MLflow run it is."""
        self._facts.run_id = run_id
        self._job.facts(self._facts)

    def warn(self, sentence: str) -> None:
        """Tell what a reader must know."""
        self._facts.warnings.append(sentence)
        self._job.facts(self._facts)

    def begin(self, name: str = "", history: Sequence[dict[str, float]] = ()) -> None:
        """Begin a part, or go on with it after the epochs that it has behind it."""
        self._facts.parts.append(Part(name, [dict(epoch) for epoch in history]))
        self._job.facts(self._facts)

    def epoch(self, found: dict[str, float]) -> None:
        """Tell the figures of a finished epoch, validation and all."""
        seconds = time.monotonic() - self._began
        self._seconds.append(seconds)
        self._facts.parts[-1].history.append(found | {"seconds": seconds})
        self._facts.step, self._facts.left = {}, self._left(0.0)
        self._job.facts(self._facts)

    def end(self, version: int | None, bundle: str) -> None:
        """Tell what came of it."""
        self._facts.version, self._facts.bundle, self._facts.left = version, bundle, 0.0
        self._job.facts(self._facts)

    def steps(self) -> keras.callbacks.Callback:
        """Make the callback that tells of the epoch under way."""
        return _Steps(self)

    def opened(self) -> None:
        """Note that an epoch begins."""
        self._began = time.monotonic()

    def step(self, done: int, total: int, logs: dict[str, float]) -> None:
        """Tell how far the epoch is."""
        part = self._facts.parts[-1] if self._facts.parts else Part()
        epoch = f"epoch {len(part.history) + 1} of {self._facts.epochs}"
        what = f"{part.name}, {epoch}" if part.name else epoch
        self._facts.step = {name: float(logs[name]) for name in RUNNING if name in logs}
        self._facts.memory = self._process.memory_info().rss
        self._facts.left = self._left(done / total)
        self._job.facts(self._facts, now=False)
        self._job.progress(done, total, what[0].upper() + what[1:])

    def _left(self, share: float) -> float | None:
        """Seconds until the end, by the epochs so far, or by the part of the first one."""
        passed = time.monotonic() - self._began
        if self._seconds:
            one = sum(self._seconds) / len(self._seconds)
        elif share > 0.05:
            one = passed / share
        else:
            return None
        parts = self._facts.parts
        epochs = (self._count - len(parts) + 1) * self._facts.epochs - len(parts[-1].history)
        return max(0.0, epochs * one - (passed if share else 0.0))


class _Steps(keras.callbacks.Callback):
    def __init__(self, told: Telling) -> None:
        super().__init__()
        self._told = told

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._told.opened()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        found = with_specificity({name: float(value) for name, value in (logs or {}).items()})
        self._told.step(batch + 1, self.params["steps"], found)


def with_specificity(logs: dict[str, float]) -> dict[str, float]:
    """Turn counts of true negatives and false positives, as Keras gives them, into specificity."""
    found = dict(logs)
    true, false = found.pop("true_negatives", None), found.pop("false_positives", None)
    if true is not None and false is not None and true + false:
        found["specificity"] = true / (true + false)
    return found
