"""One recipe trained with several settings; the best ones, by validation patients, become a version.

Optuna's tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011) proposes the settings. A trial
is judged by the AUROC of its best epoch on **validation patients**: it weighs every pair of cells,
where recall at one specificity hangs on the few normal cells about one threshold, and the threshold
is chosen only afterwards. A trial that is worse than the median of those before it at the same epoch
is broken off. Nobody looks at the test patients until the best settings are known: these are then an
ordinary training, judged once.

The study is kept in ``data/sweeps/``, named by all that decides it but the number of trials: a sweep
that was killed goes on with the trial that was at work, a finished one does nothing twice, and one
with more trials adds to those that are there.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.errors import LeukemiaError
from leukemia.jobs import progress, signals
from leukemia.storage.workspace import Workspace
from leukemia.tracking import run_writer
from leukemia.tracking.records import BEST_OF, RunKind, RunStatus
from leukemia.training import batches, sweep_study, trainer
from leukemia.training import run as training
from leukemia.training.checkpoint import Checkpoint
from leukemia.training.divergence import Diverged, WatchLoss
from leukemia.training.job_progress import Telling
from leukemia.training.sweep_study import Sweep

__all__ = ["Sweep", "sweep"]

# What judges an epoch, and what that of the best epoch is called in MLflow.
JUDGED_BY, OBJECTIVE = "val_auroc", "objective"
OUTCOME, NUMBER = "outcome", "trial"
RUN, MADE = "run_id", "made"
CHANGED = (
    "The set was changed while this sweep was at work: its trials learned from the set as it was before, and "
    "the best settings are trained on the set as it is now."
)
STALE = "The set was changed since a sweep was broken off: what its trials had reached is of no use any more."
NONE_ENDED = "No trial of this sweep came to its end: narrow the ranges, or lower the learning rate."

OnEpoch = Callable[[str, int, dict[str, float]], None]


@dataclass(frozen=True)
class _Work:
    """What the trials of a sweep share."""

    asked: Sweep
    data: Path
    dataset: trainer.Dataset
    study: optuna.Study
    folder: Path
    run: run_writer.RunWriter
    told: Telling
    callbacks: list[keras.callbacks.Callback]
    on_epoch: OnEpoch

    def tell(self) -> None:
        """Tell the job how the trials stand."""
        progress.current().facts(sweep_study.facts(self.asked, self.study))


def sweep(
    asked: Sweep,
    data: Path,
    output: Path | None,
    *,
    progress: batches.Progress | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    on_epoch: OnEpoch = lambda part, index, found: None,
) -> bundles.Bundle:
    """Try settings, train the best ones as an ordinary training, write its bundle, record all.

    Parameters
    ----------
    asked : Sweep
    data : Path
        A prepared folder.
    output : Path or None
        Where the bundle shall lie; None: in MLflow's registry alone.
    progress, callbacks, on_epoch : optional
        To show how far it is; ``on_epoch`` is called with the trial's name, the epoch, its figures.

    Raises
    ------
    LeukemiaError
        For what a user can put right: no data, too few patients, no trial that came to its end.
    """
    dataset = trainer.load_dataset(data, asked.plan, workers=settings.load().workers, progress=progress)
    name = study_name(asked, dataset)
    with sweep_study.alone(data, name):
        study = sweep_study.study(data, name)
        ended = sum(trial.state.is_finished() for trial in study.trials)
        if ended >= asked.count and (made := _made(study, output)):
            progress.current().facts(sweep_study.facts(asked, study))
            return made
        run = _start(asked, data, dataset, study)
        told = Telling(asked.plan.recipe.name, asked.epochs, asked.count)
        told.run(run.run_id)
        if sweep_study.drop_stale(data, dataset.fingerprint):
            training.warn(STALE, told)
        folder = Workspace(data).sweeps / name
        work = _Work(asked, data, dataset, study, folder, run, told, list(callbacks), on_epoch)
        try:
            while trial := sweep_study.upcoming(asked, study):
                work.tell()
                _try(work, trial)
                _keep_best(work)
                work.tell()
            best = sweep_study.best(study)
            if best is None:
                raise LeukemiaError(NONE_ENDED)
            bundle = _made(study, output)
            if bundle is None:
                bundle = _train_best(work, best, output, progress)
            shutil.rmtree(folder, ignore_errors=True)
            run.close({OBJECTIVE: best.value, "best_trial": best.number + 1})
        except BaseException as error:
            run.broke(error)
            raise
    told.run(run.run_id)
    return bundle


def study_name(asked: Sweep, dataset: trainer.Dataset) -> str:
    """What a sweep's study is called: by all that decides it but the number of trials."""
    decided_by = training.describe(asked.plan) | {"vary": asked.ranges(), "data": dataset.fingerprint}
    text = json.dumps(decided_by, sort_keys=True, default=str)
    return f"{asked.plan.recipe.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _start(asked: Sweep, data: Path, dataset: trainer.Dataset, study: optuna.Study) -> run_writer.RunWriter:
    varied = {f"vary_{axis.name}": str(axis).partition("=")[2] for axis in asked.axes}
    run = run_writer.start(
        data,
        f"{asked.plan.recipe.name} (sweep of {', '.join(axis.field.title.lower() for axis in asked.axes)})",
        training.describe(asked.plan) | varied | {"trials": asked.count},
        {"data_fingerprint": dataset.fingerprint, "git_revision": training.revision()},
        resume=study.user_attrs.get(RUN, ""),
        kind=RunKind.SWEEP,
    )
    study.set_user_attr(RUN, run.run_id)
    return run


def _try(work: _Work, trial: Trial) -> None:
    """Train one trial as far as it is worth it, and tell the study what it came to."""
    if like := sweep_study.same(work.asked, trial):
        trial.set_user_attr("like", like.number)
        # A trial that was broken off has its last epoch's figure for a value: that is no objective.
        work.study.tell(trial.number, like.value if like.state == TrialState.COMPLETE else None, like.state)
        return
    plan = work.asked.planned(trial.params)
    checkpoint = _checkpoint(plan, work)
    history = checkpoint.read().history
    name = f"trial {trial.number + 1}/{work.asked.count}"
    run = run_writer.start(
        work.data,
        f"{plan.recipe.name}, {name}",
        training.describe(plan),
        {"data_fingerprint": work.dataset.fingerprint, NUMBER: str(trial.number + 1)},
        resume=trial.user_attrs.get(RUN, ""),
        kind=RunKind.TRIAL,
        parent=work.run.run_id,
    )
    trial.set_user_attr(RUN, run.run_id)
    work.told.begin(name, history)

    def after_epoch(index: int, found: dict[str, float]) -> None:
        run.epoch(index, found)
        work.told.epoch(found)
        work.on_epoch(name, index, found)
        _judge(trial, plan, index, found)

    keras.utils.clear_session()
    try:
        if history:
            # Kept, and perhaps not yet told when the process was killed.
            _judge(trial, plan, len(history) - 1, history[-1])
        _, state = trainer.learn(
            plan,
            work.dataset,
            checkpoint,
            run_id=run.run_id,
            cache=Workspace(work.data).cache,
            callbacks=[*work.callbacks, work.told.steps(), WatchLoss()],
            on_epoch=after_epoch,
        )
    except optuna.TrialPruned:
        _end(work, trial, run, TrialState.PRUNED)
    except Diverged as error:
        logging.warning("%s: %s", name.capitalize(), error)
        run.warn(str(error))
        _end(work, trial, run, TrialState.FAIL)
    except BaseException as error:
        run.broke(error)
        raise
    else:
        _end(work, trial, run, TrialState.COMPLETE, state.history[state.best_epoch][JUDGED_BY])


def _judge(trial: Trial, plan: trainer.Plan, index: int, found: dict[str, float]) -> None:
    """Tell an epoch's figure; break the trial off where it is not worth going on."""
    if index not in trial.study.trials[trial.number].intermediate_values:
        trial.report(found[JUDGED_BY], index)
    if index + 1 < plan.recipe.training.epochs and trial.should_prune():
        raise optuna.TrialPruned


def _end(
    work: _Work, trial: Trial, run: run_writer.RunWriter, state: TrialState, objective: float | None = None
) -> None:
    # Told to both or to none: a request to end waits.
    with signals.undisturbed():
        work.study.tell(trial.number, objective, state)
        said = {OUTCOME: sweep_study.WORDS[state]}
        if objective is not None:
            said[OBJECTIVE] = f"{objective:.6f}"
        run.tag(said)
        if state == TrialState.FAIL:
            run.end(RunStatus.FAILED)
        else:
            run.close({} if objective is None else {OBJECTIVE: objective})


def _checkpoint(plan: trainer.Plan, work: _Work, parent: Path | None = None) -> Checkpoint:
    return Checkpoint(parent or work.folder, training.describe(plan), work.dataset.fingerprint)


def _keep_best(work: _Work) -> None:
    """Remove what ended trials keep on disk, but for the best one's."""
    best = sweep_study.best(work.study)
    kept = _checkpoint(work.asked.planned(best.params), work).folder if best else None
    for path in work.folder.glob("*"):
        if path != kept:
            shutil.rmtree(path, ignore_errors=True)


def _made(study: optuna.Study, output: Path | None) -> bundles.Bundle | None:
    """The bundle of the best settings, where it was made in an earlier run of the same sweep."""
    made, best = study.user_attrs.get(MADE), sweep_study.best(study)
    if not made or best is None or made["trial"] != best.number:
        return None
    if output is not None and str(output.resolve()) != made["folder"]:
        return None
    try:
        return bundles.read(Path(made["folder"]))
    except (LeukemiaError, OSError):
        return None


def _train_best(
    work: _Work, best: FrozenTrial, output: Path | None, progress: batches.Progress | None
) -> bundles.Bundle:
    """Finish the best trial as an ordinary training: its epochs are there, if its checkpoint is."""
    plan = work.asked.planned(best.params)
    kept = _checkpoint(plan, work).folder
    if kept.is_dir():
        place = _checkpoint(plan, work, Workspace(work.data).checkpoints).folder
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        kept.rename(place)
    if trainer.changed(work.data, work.dataset):
        training.warn(CHANGED, work.told, work.run)
    bundle = training.train(
        plan,
        work.data,
        output,
        progress=progress,
        callbacks=work.callbacks,
        on_epoch=lambda index, found: work.on_epoch("best settings", index, found),
        tags={BEST_OF: work.run.run_id} if work.run.run_id else None,
    )
    work.study.set_user_attr(MADE, {"trial": best.number, "folder": str(bundle.folder.resolve())})
    return bundle
