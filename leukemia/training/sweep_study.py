"""What Optuna keeps of a sweep: the study, the next settings to try, the best ones so far."""

import contextlib
import itertools
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from leukemia.errors import BusyError, LeukemiaError
from leukemia.jobs.facts import SweepFacts, SweepTrial
from leukemia.recipes import search_space
from leukemia.recipes.search_space import Axis
from leukemia.storage import databases
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace
from leukemia.training.checkpoint import Checkpoint
from leukemia.training.plan import Plan

# Trials before the estimator and the pruner take part, and epochs before which no trial is pruned.
AT_RANDOM, WARMUP_EPOCHS = 5, 2
WORDS = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


# The version that :func:`resume_trial` was checked with.
OPTUNA = "5.0.0"
# What ranks an epoch, and so a trial by its best one.
RANKED_BY = "val_auroc"


class PruneTrial(keras.callbacks.Callback):
    """Report each epoch to Optuna, and break the trial off where it is worse than most.

    Parameters
    ----------
    trial : Trial
    epochs : int
        At most; the last one is never cut.
    """

    def __init__(self, trial: Trial, epochs: int) -> None:
        super().__init__()
        self._trial, self._epochs = trial, epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Report the epoch once; raise TrialPruned where the trial is to end."""
        trial = self._trial
        if epoch not in trial.study.trials[trial.number].intermediate_values:
            trial.report(logs[RANKED_BY], epoch)
        if epoch + 1 < self._epochs and trial.should_prune():
            raise optuna.TrialPruned


@dataclass(frozen=True)
class Sweep:
    """A plan, and what of its settings is varied.

    Attributes
    ----------
    plan : Plan
        With the settings that all trials share; always split by patient.
    axes : tuple of Axis
    trials : int
        At most as many as there are different settings.
    """

    plan: Plan
    axes: tuple[Axis, ...]
    trials: int

    def __post_init__(self) -> None:
        if self.plan.split != "patient":
            raise LeukemiaError("A sweep is ranked on validation patients, so its split must be by patient.")
        if not self.axes or self.trials < 1:
            raise LeukemiaError("A sweep needs at least one setting to vary and at least one trial.")

    @property
    def count(self) -> int:
        """Trials to make."""
        return int(min(self.trials, search_space.combinations(self.axes)))

    @property
    def epochs(self) -> int:
        """Epochs of a trial, at most."""
        varied = [int(axis.high) for axis in self.axes if axis.name == "epochs"]
        return varied[0] if varied else self.plan.recipe.training.epochs

    def ranges(self) -> dict[str, list[float]]:
        """Name of each setting that is varied, to its ends."""
        return {axis.name: [axis.low, axis.high] for axis in self.axes}

    def tidy(self, drawn: dict[str, Any]) -> dict[str, Any]:
        """A trial's settings, as they are trained with."""
        return {axis.name: axis.rounded(drawn[axis.name]) for axis in self.axes if axis.name in drawn}

    def planned(self, drawn: dict[str, Any]) -> Plan:
        """The plan with the settings of a trial."""
        return replace(self.plan, recipe=self.plan.recipe.with_training(**self.tidy(drawn)))


def study(data: Path, name: str) -> optuna.Study:
    """Open the study called ``name``, or make it; it is kept in SQLite below ``sweeps/``."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    place = Workspace(data).sweep_studies.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    return optuna.create_study(
        storage=databases.url(place),
        study_name=name,
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=AT_RANDOM, n_warmup_steps=WARMUP_EPOCHS - 1),
        load_if_exists=True,
    )


def alone(data: Path, name: str) -> AbstractContextManager[None]:
    """Have the study called ``name`` for one process; raises BusyError where another has it."""
    return exclusive(
        Workspace(data).sweeps / f"{name}.lock", 0, BusyError("Busy: this sweep is already running.")
    )


def drop_stale(data: Path, fingerprint: str) -> bool:
    """Remove what sweeps that were broken off had reached on other data; whether there was any.

    A study is named by its data, too: none goes on with what was learned from others. A sweep that is at
    work while its data are changed keeps what it has.
    """
    dropped = False
    for folder in Workspace(data).sweeps.iterdir():
        trials = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        if not any(Checkpoint.is_of_other(name, fingerprint) for name in trials):
            continue
        with contextlib.suppress(BusyError), alone(data, folder.name):
            shutil.rmtree(folder, ignore_errors=True)
            dropped = True
    return dropped


def upcoming(asked: Sweep, study: optuna.Study) -> Trial | None:
    """The trial that was broken off, or a new one with its settings drawn; None where all are made."""
    trials = study.trials
    ended = sum(trial.state.is_finished() for trial in trials)
    # Drawn by (seed, number): a sweep that was broken off draws what the unbroken one would have.
    seed = int(np.random.SeedSequence((asked.plan.seed, ended)).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=AT_RANDOM)
    broken = next((trial for trial in trials if trial.state == TrialState.RUNNING), None)
    if broken is not None:
        trial = resume_trial(study, broken)
    elif ended >= asked.count:
        return None
    else:
        given = _given(asked, trials)
        if given and not any(trial.state == TrialState.WAITING for trial in trials):
            study.enqueue_trial(given)
        trial = study.ask()
    for axis in asked.axes:
        _draw(trial, axis)
    return trial


def at_random(asked: Sweep, study: optuna.Study) -> list[Plan]:
    """Plans of the trials to come that are drawn at random: what they are hangs on no other's result."""
    scratch = optuna.create_study(direction="maximize")
    for trial in study.trials:
        if trial.state.is_finished():
            scratch.add_trial(trial)
    plans = []
    while len(scratch.trials) < min(AT_RANDOM, asked.count):
        trial = upcoming(asked, scratch)
        if not same(asked, trial):
            plans.append(asked.planned(trial.params))
        scratch.tell(trial, 0.0)
    return plans


def resume_trial(study: optuna.Study, broken: FrozenTrial) -> Trial:
    """Open a trial that was broken off, under its own number.

    Optuna has no public way to do that: checked with :data:`OPTUNA`.
    """
    return Trial(study, broken._trial_id)


def best(study: optuna.Study) -> FrozenTrial | None:
    """The trial with the highest objective, of equal ones the first; None where none came to its end."""
    ended = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    return max(ended, key=lambda trial: (trial.value, -trial.number), default=None)


def same(asked: Sweep, trial: Trial) -> FrozenTrial | None:
    """An ended trial with the very settings of this one."""
    settings = asked.tidy(trial.params)
    return next(
        (
            other
            for other in trial.study.trials
            if other.state.is_finished() and asked.tidy(other.params) == settings
        ),
        None,
    )


def facts(asked: Sweep, study: optuna.Study) -> SweepFacts:
    """What a page shows of a sweep that is running; trials are numbered from 1."""
    leader = best(study)
    return SweepFacts(
        asked.ranges(),
        leader.number + 1 if leader else None,
        [
            SweepTrial(
                trial.number + 1,
                asked.tidy(trial.params),
                trial.value if trial.state == TrialState.COMPLETE else None,
                WORDS[trial.state],
            )
            for trial in study.trials
        ],
    )


def is_divergence(error: BaseException) -> bool:
    """Whether it comes from Keras's TerminateOnNaN, whose error has no type of its own."""
    return isinstance(error, RuntimeError) and str(error).startswith("NaN or Inf loss")


def _given(asked: Sweep, trials: Sequence[FrozenTrial]) -> dict[str, Any]:
    """Settings that need not be drawn: the recipe's own come first; few different ones go one by one."""
    own = {axis.name: getattr(asked.plan.recipe.training, axis.name) for axis in asked.axes}
    if not trials and all(axis.contains(own[axis.name]) for axis in asked.axes):
        return own
    if search_space.combinations(asked.axes) > asked.trials:
        return {}
    tried = [trial.params for trial in trials]
    names = [axis.name for axis in asked.axes]
    every = itertools.product(*(axis.choices or () for axis in asked.axes))
    left = (dict(zip(names, one, strict=True)) for one in every)
    return next((settings for settings in left if settings not in tried), {})


def _draw(trial: Trial, axis: Axis) -> None:
    if axis.field.kind == "bool":
        trial.suggest_categorical(axis.name, axis.choices)
    elif axis.field.kind == "int":
        trial.suggest_int(axis.name, int(axis.low), int(axis.high))
    else:
        trial.suggest_float(axis.name, axis.low, axis.high, log=axis.log)
