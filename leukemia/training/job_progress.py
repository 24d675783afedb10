"""What a training tells while it runs as a job: epochs, the epoch under way, memory, time left.

The page Training reads it from :attr:`leukemia.jobs.job.State.facts`; started by hand, a training
tells nobody.
"""

import time
from collections.abc import Sequence
from typing import Any

import keras
import psutil

from leukemia.jobs import progress

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
        self._reporter = progress.current()
        self._process = psutil.Process()
        self._epochs, self._count = epochs, parts
        self._parts: list[dict[str, Any]] = []
        self._seconds: list[float] = []
        self._began = time.monotonic()
        self._warnings: list[str] = []
        self._reporter.facts(recipe=recipe, epochs=epochs, run_id="", parts=[], warnings=[], left=None)
        self._reporter.progress(0, 0, "Starting TensorFlow and the record of the run")

    def run(self, run_id: str) -> None:
        """Tell which MLflow run it is."""
        self._reporter.facts(run_id=run_id)

    def warn(self, sentence: str) -> None:
        """Tell what a reader must know."""
        self._warnings.append(sentence)
        self._reporter.facts(warnings=self._warnings)

    def begin(self, name: str = "", history: Sequence[dict[str, float]] = ()) -> None:
        """Begin a part, or go on with it after the epochs that it has behind it."""
        self._parts.append({"name": name, "history": [dict(epoch) for epoch in history]})
        self._reporter.facts(parts=self._parts)

    def epoch(self, found: dict[str, float]) -> None:
        """Tell the figures of a finished epoch, validation and all."""
        seconds = time.monotonic() - self._began
        self._seconds.append(seconds)
        self._parts[-1]["history"].append(found | {"seconds": seconds})
        self._reporter.facts(parts=self._parts, step={}, left=self._left(0.0))

    def end(self, version: int | None, bundle: str) -> None:
        """Tell what came of it."""
        self._reporter.facts(version=version, bundle=bundle, left=0.0)

    def steps(self) -> keras.callbacks.Callback:
        """Make the callback that tells of the epoch under way."""
        return _Steps(self)

    def opened(self) -> None:
        """Note that an epoch begins."""
        self._began = time.monotonic()

    def step(self, done: int, total: int, logs: dict[str, float]) -> None:
        """Tell how far the epoch is."""
        part = self._parts[-1] if self._parts else {"name": "", "history": []}
        epoch = f"epoch {len(part['history']) + 1} of {self._epochs}"
        what = f"{part['name']}, {epoch}" if part["name"] else epoch
        self._reporter.facts(
            now=False,
            step={name: float(logs[name]) for name in RUNNING if name in logs},
            memory=self._process.memory_info().rss,
            left=self._left(done / total),
        )
        self._reporter.progress(done, total, what[0].upper() + what[1:])

    def _left(self, share: float) -> float | None:
        """Seconds until the end, by the epochs so far, or by the part of the first one."""
        passed = time.monotonic() - self._began
        if self._seconds:
            one = sum(self._seconds) / len(self._seconds)
        elif share > 0.05:
            one = passed / share
        else:
            return None
        behind = len(self._parts[-1]["history"])
        epochs = (self._count - len(self._parts) + 1) * self._epochs - behind
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
