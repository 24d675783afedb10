"""What happens while a network learns, each as a callback of Keras; :func:`trainer.learn` puts them in order.

``params["part"]`` names the fold or the trial that is trained; it is empty where a training has no parts.
"""

import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import psutil
from tqdm import tqdm
from tqdm.keras import TqdmCallback

from leukemia.jobs import progress, signals
from leukemia.jobs.facts import Part, TrainingFacts
from leukemia.recipes import throughput
from leukemia.recipes.settings import Training
from leukemia.tracking import run_writer
from leukemia.training import model_selection
from leukemia.training.checkpoint import Checkpoint, State
from leukemia.training.epoch import EpochBatches
from leukemia.training.training_data import TrainingData

Logs = dict[str, float] | None

# What is shown of the epoch that is running.
RUNNING = ("loss", "recall", "specificity")


class BeginEpoch(keras.callbacks.Callback):
    """Draw the epoch's cells, and seed dropout by (seed, epoch).

    Keras does not save the state of its random layers; seeded anew each epoch, a resumed training drops
    the units that an unbroken one drops.
    """

    def __init__(self, batches: EpochBatches, seed: int) -> None:
        super().__init__()
        self._batches, self._seed = batches, seed

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Draw and seed."""
        self._batches.draw(epoch)
        states = [variable for variable in self.model.variables if variable.name == "seed_generator_state"]
        for number, state in enumerate(states):
            state.assign([self._seed + 1_000 * epoch, number])


class Validate(keras.callbacks.Callback):
    """Add the metrics on validation patients to the epoch's logs, and the training's specificity."""

    def __init__(self, dataset: TrainingData) -> None:
        super().__init__()
        self._dataset = dataset
        self._rows = dataset.rows("validation")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Predict the validation patients."""
        measured = with_specificity(logs)
        if len(self._rows):
            predicted = self._dataset.predict(self.model, self._rows, "Predicting validation patients")
            measured |= model_selection.validate(predicted)
        logs.clear()
        logs.update(measured)


class SaveCheckpoint(keras.callbacks.Callback):
    """Keep the network after each epoch, and end the training when no better epoch is to be expected."""

    def __init__(self, checkpoint: Checkpoint, state: State, training: Training) -> None:
        super().__init__()
        self._checkpoint, self._state, self._training = checkpoint, state, training

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save the network and the history, all or nothing."""
        state = self._state
        state.history.append(dict(logs))
        is_best = model_selection.is_better(state.history, state.best_epoch)
        if is_best:
            state.best_epoch = epoch
        self._checkpoint.write(state, self.model, is_best=is_best)
        if model_selection.is_over(state, self._training):
            self.model.stop_training = True


class NoteThroughput(keras.callbacks.Callback):
    """Note in ``cache`` how long a cell takes on this machine, learned from and predicted."""

    def __init__(self, cache: Path, recipe: str, cells_per_epoch: int, validated: int) -> None:
        super().__init__()
        self._cache, self._recipe = cache, recipe
        self._cells, self._validated = cells_per_epoch, validated
        self._began = self._learned = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start the clock."""
        self._began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Take the time of the last batch so far."""
        self._learned = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Note both; stands behind :class:`Validate`."""
        predicting = (time.monotonic() - self._learned) / self._validated if self._validated else None
        learning = (self._learned - self._began) / self._cells
        throughput.record(self._cache, self._recipe, learning, predicting)


class RecordEpochs(keras.callbacks.Callback):
    """Record each epoch's metrics in the MLflow run."""

    def __init__(self, run: run_writer.RunWriter) -> None:
        super().__init__()
        self._run = run

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Record the epoch."""
        self._run.epoch(epoch, logs)


class StopOnRequest(keras.callbacks.Callback):
    """End between two batches where the job was asked to end: within one it would break into TensorFlow.

    For a ``fit`` within :func:`signals.undisturbed`.
    """

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Raise KeyboardInterrupt where the job was asked to end."""
        signals.stop_if_asked()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """The same behind the checkpoint."""
        signals.stop_if_asked()


class EpochBars(TqdmCallback):
    """tqdm's bars on a terminal, made anew by each training: one callback shows all folds."""

    def __init__(self) -> None:
        keras.callbacks.Callback.__init__(self)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the bars."""
        super().__init__(leave=False, file=sys.stderr)
        super().on_train_begin(logs)


def on_error_stream() -> list[keras.callbacks.Callback]:
    """What shows a training there: a line for each epoch, and bars on a terminal."""
    return [EpochBars(), PrintEpochs()] if sys.stderr.isatty() else [PrintEpochs()]


class PrintEpochs(keras.callbacks.Callback):
    """Write a line on the error stream for each epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the epoch's line; stands behind :class:`Validate`."""
        part = f"{self.params['part']}, " if self.params["part"] else ""
        numbers = ", ".join(f"{name} {value:.3f}" for name, value in logs.items())
        tqdm.write(f"{part}epoch {epoch + 1}/{self.params['epochs']}: {numbers}", file=sys.stderr)


class ReportToJob(keras.callbacks.Callback):
    """Report a training to its job: epochs, the epoch that is running, memory, time left.

    The page Training reads it from :attr:`leukemia.jobs.JobState.training`; a training that was started by
    hand reports to nobody. Parts are folds or trials.

    Parameters
    ----------
    recipe : str
    epochs : int
        At most, in each part.
    parts : int, optional
        How many trainings it takes.
    """

    def __init__(self, recipe: str, epochs: int, parts: int = 1) -> None:
        super().__init__()
        self._job = progress.current()
        self._process = psutil.Process()
        self._facts = TrainingFacts(recipe, epochs)
        self._count = parts
        self._seconds: list[float] = []
        self._began = time.monotonic()
        self._job.facts(self._facts)
        self._job.step("Opening the record of runs")

    def record_run(self, run_id: str, warning: str = "") -> None:
        """Report which MLflow run it is, and log and report what a reader must know of its beginning."""
        self._facts.run_id = run_id
        self._job.facts(self._facts)
        if warning:
            self.warn(warning)

    def warn(self, sentence: str) -> None:
        """Log and report what a reader must know."""
        logging.warning(sentence)
        self._facts.warnings.append(sentence)
        self._job.facts(self._facts)

    def begin_part(self, name: str = "", history: Sequence[Mapping[str, float]] = ()) -> None:
        """Begin a part, or resume it after the epochs that it has behind it."""
        self._facts.parts.append(Part(name, [dict(epoch) for epoch in history]))
        self._job.facts(self._facts)
        self._job.step("Preparing the network: the first batch takes longest")

    def step(self, what: str) -> None:
        """Report what is done behind the epochs."""
        self._job.step(what)

    def end(self, version: int | None, bundle: str) -> None:
        """Report what came of it."""
        self._facts.version, self._facts.bundle, self._facts.left = version, bundle, 0.0
        self._job.facts(self._facts)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Start the epoch's clock."""
        self._began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Report how far the epoch is."""
        done, total = batch + 1, self.params["steps"]
        metrics = with_specificity(logs or {})
        part = self._facts.parts[-1]
        what = f"epoch {len(part.history) + 1} of {self._facts.epochs}"
        what = f"{part.name}, {what}" if part.name else what
        self._facts.step = {name: metrics[name] for name in RUNNING if name in metrics}
        self._facts.memory = self._process.memory_info().rss
        self._facts.left = self._seconds_left(done / total)
        self._job.facts(self._facts, now=False)
        self._job.progress(done, total, what[0].upper() + what[1:])

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Report the metrics of a finished epoch; stands behind :class:`Validate`."""
        seconds = time.monotonic() - self._began
        self._seconds.append(seconds)
        self._facts.parts[-1].history.append(dict(logs or {}) | {"seconds": seconds})
        self._facts.step, self._facts.left = {}, self._seconds_left(0.0)
        self._job.facts(self._facts)

    def _seconds_left(self, share: float) -> float | None:
        """Seconds until the end, by the epochs so far, or by a share of the first one."""
        passed = time.monotonic() - self._began
        if self._seconds:
            epoch = sum(self._seconds) / len(self._seconds)
        elif share > 0.05:
            epoch = passed / share
        else:
            return None
        parts = self._facts.parts
        epochs = (self._count - len(parts) + 1) * self._facts.epochs - len(parts[-1].history)
        return max(0.0, epochs * epoch - (passed if share else 0.0))


def with_specificity(logs: Mapping[str, float]) -> dict[str, float]:
    """Turn counts of true negatives and false positives, as Keras gives them, into specificity."""
    metrics = {name: float(value) for name, value in logs.items()}
    true, false = metrics.pop("true_negatives", None), metrics.pop("false_positives", None)
    if true is not None and false is not None and true + false:
        metrics["specificity"] = true / (true + false)
    return metrics
