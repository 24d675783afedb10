"""One recipe trained with several settings; the best ones, by validation patients, become a version.

Optuna's tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011) proposes the settings. A trial
is ranked by the AUROC of its best epoch on **validation patients**: it weighs every pair of cells,
where recall at one specificity hangs on the few normal cells about one threshold, and the threshold
is chosen only afterwards. A trial that is worse than the median of those before it at the same epoch
is broken off. The test patients are not used until the best settings are known: these are then an
ordinary training, tested once.

The study is kept in ``data/sweeps/``, named by all that decides it but the number of trials: a sweep
that was killed resumes with the trial that was running, a finished one does nothing twice, and one
with more trials adds to those that are there.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from leukemia.bundles import bundle as bundles
from leukemia.errors import LeukemiaError
from leukemia.jobs import progress as jobs
from leukemia.jobs import signals
from leukemia.storage.workspace import Workspace
from leukemia.tracking import run_writer
from leukemia.tracking.records import BEST_OF, RunKind, RunStatus
from leukemia.training import on_ray, sweep_study, trainer, training_data
from leukemia.training import run as training
from leukemia.training.callbacks import RecordEpochs, ReportToJob
from leukemia.training.checkpoint import Checkpoint
from leukemia.training.on_ray import Spread
from leukemia.training.plan import Plan, provenance
from leukemia.training.sweep_study import RANKED_BY, PruneTrial, Sweep
from leukemia.training.training_data import Progress, TrainingData

__all__ = ["Sweep", "sweep"]

# What the metric of the best epoch is called in MLflow.
OBJECTIVE = "objective"
OUTCOME, NUMBER = "outcome", "trial"
RUN, MADE = "run_id", "made"
CHANGED = (
    "The set was changed while this sweep was running. Its trials used the earlier set; the best settings "
    "are trained on the current one."
)
STALE = "The set was changed after a sweep was interrupted. The results of its trials cannot be used."
NONE_ENDED = "No trial of this sweep finished. Narrow the ranges or lower the learning rate."
DIVERGED = "The loss is no longer a number: the learning rate was too high."


@dataclass(frozen=True)
class _SweepRun:
    """What the trials of a sweep share."""

    asked: Sweep
    data: Path
    dataset: TrainingData
    study: optuna.Study
    folder: Path
    run: run_writer.RunWriter
    job: ReportToJob
    callbacks: tuple[keras.callbacks.Callback, ...]
    # Folders of the checkpoints of trials that were learned on Ray and are not recorded yet.
    ahead: set[Path]

    def report_trials(self) -> None:
        """Report to the job how the trials stand."""
        jobs.current().facts(sweep_study.facts(self.asked, self.study))


def sweep(
    asked: Sweep,
    data: Path,
    output: Path | None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    progress: Progress | None = None,
    spread: Spread | None = None,
) -> bundles.Bundle:
    """Try settings, train the best ones as an ordinary training, write its bundle, record all.

    Parameters
    ----------
    asked : Sweep
    data : Path
        A prepared folder.
    output : Path or None
        Where the bundle shall lie; None: in MLflow's registry alone.
    callbacks : sequence of keras.callbacks.Callback, optional
        What else happens while a trial learns; ``params["part"]`` is the trial's name.
    progress : callable, optional
        Called while cells are cropped; see :func:`training_data.load_crops`.
    spread : Spread, optional
        Where on Ray the first trials are learned, those that hang on no result; the others follow here, one
        by one, since each is proposed by the results before it.

    Raises
    ------
    LeukemiaError
        For what a user can put right: no data, too few patients, no trial that came to its end.
    """
    dataset = training_data.load(data, asked.plan, progress)
    name = study_name(asked, dataset)
    with sweep_study.alone(data, name):
        study = sweep_study.study(data, name)
        ended = sum(trial.state.is_finished() for trial in study.trials)
        if ended >= asked.count and (bundle := _bundle_of_best(study, output)):
            jobs.current().facts(sweep_study.facts(asked, study))
            return bundle
        run = _start(asked, data, dataset, study)
        job = ReportToJob(asked.plan.recipe.name, asked.epochs, asked.count)
        job.record_run(run.run_id, STALE if sweep_study.drop_stale(data, dataset.fingerprint) else "")
        folder = Workspace(data).sweeps / name
        running = _SweepRun(asked, data, dataset, study, folder, run, job, tuple(callbacks), set())
        with run:
            if spread:
                _learn_ahead(running, spread)
            while trial := sweep_study.upcoming(asked, study):
                running.report_trials()
                _try(running, trial)
                _keep_best(running)
                running.report_trials()
            best = sweep_study.best(study)
            if best is None:
                raise LeukemiaError(NONE_ENDED)
            bundle = _bundle_of_best(study, output)
            if bundle is None:
                bundle = _train_best(running, best, output, progress)
            shutil.rmtree(folder, ignore_errors=True)
            run.close({OBJECTIVE: best.value, "best_trial": best.number + 1})
    return bundle


def study_name(asked: Sweep, dataset: TrainingData) -> str:
    """What a sweep's study is called: by all that decides it but the number of trials."""
    decided_by = asked.plan.parameters() | {"vary": asked.ranges(), "data": dataset.fingerprint}
    text = json.dumps(decided_by, sort_keys=True, default=str)
    return f"{asked.plan.recipe.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _start(asked: Sweep, data: Path, dataset: TrainingData, study: optuna.Study) -> run_writer.RunWriter:
    varied = {f"vary_{axis.name}": str(axis).partition("=")[2] for axis in asked.axes}
    run = run_writer.start(
        data,
        f"{asked.plan.recipe.name} (sweep of {', '.join(axis.field.title.lower() for axis in asked.axes)})",
        asked.plan.parameters() | varied | {"trials": asked.count},
        provenance(dataset.fingerprint),
        resume=study.user_attrs.get(RUN, ""),
        kind=RunKind.SWEEP,
    )
    study.set_user_attr(RUN, run.run_id)
    return run


def _learn_ahead(running: _SweepRun, spread: Spread) -> None:
    """Learn the first trials side by side; each is recorded when its turn comes."""
    plans = sweep_study.at_random(running.asked, running.study)
    running.ahead.update(_checkpoint(plan, running).folder for plan in plans)
    on_ray.learn_trials(plans, running.data, running.folder, running.job, spread)


def _try(running: _SweepRun, trial: Trial) -> None:
    """Train one trial as long as it is promising, and record its outcome."""
    if like := sweep_study.same(running.asked, trial):
        trial.set_user_attr("like", like.number)
        # A trial that was broken off has its last epoch's metric for a value: that is no objective.
        running.study.tell(
            trial.number, like.value if like.state == TrialState.COMPLETE else None, like.state
        )
        return
    plan = running.asked.planned(trial.params)
    checkpoint = _checkpoint(plan, running)
    running.ahead.discard(checkpoint.folder)
    history = checkpoint.read().history
    name = f"trial {trial.number + 1}/{running.asked.count}"
    run = run_writer.start(
        running.data,
        f"{plan.recipe.name}, {name}",
        plan.parameters(),
        {"data_fingerprint": running.dataset.fingerprint, NUMBER: str(trial.number + 1)},
        resume=trial.user_attrs.get(RUN, ""),
        kind=RunKind.TRIAL,
        parent=running.run.run_id,
    )
    trial.set_user_attr(RUN, run.run_id)
    running.job.begin_part(name, history)
    prune = PruneTrial(trial, plan.recipe.training.epochs)
    diverged = keras.callbacks.TerminateOnNaN(raise_error=True)
    callbacks = (RecordEpochs(run), running.job, *running.callbacks, diverged, prune)
    keras.utils.clear_session()
    try:
        _report(history, prune, run)
        _, state = trainer.learn(
            plan, running.data, running.dataset, checkpoint, callbacks, run_id=run.run_id, part=name
        )
    except optuna.TrialPruned:
        _end(running, trial, run, TrialState.PRUNED)
    except BaseException as error:
        if not sweep_study.is_divergence(error):
            run.end_with(error)
            raise
        logging.warning("%s: %s", name.capitalize(), DIVERGED)
        run.warn(DIVERGED)
        _end(running, trial, run, TrialState.FAIL)
    else:
        _end(running, trial, run, TrialState.COMPLETE, state.history[state.best_epoch][RANKED_BY])


def _report(history: list[dict[str, float]], prune: PruneTrial, run: run_writer.RunWriter) -> None:
    """Report epochs that are saved and perhaps not reported: of a process that was killed, or of Ray."""
    reached = 0
    try:
        for reached, metrics in enumerate(history, 1):
            prune.on_epoch_end(reached - 1, metrics)
    finally:
        run.catch_up(history[:reached])


def _end(
    running: _SweepRun,
    trial: Trial,
    run: run_writer.RunWriter,
    state: TrialState,
    objective: float | None = None,
) -> None:
    # Recorded in both or in none: a request to end waits.
    with signals.undisturbed():
        running.study.tell(trial.number, objective, state)
        outcome = {OUTCOME: sweep_study.WORDS[state]}
        if objective is not None:
            outcome[OBJECTIVE] = f"{objective:.6f}"
        run.tag(outcome)
        if state == TrialState.FAIL:
            run.end(RunStatus.FAILED)
        else:
            run.close({} if objective is None else {OBJECTIVE: objective})


def _checkpoint(plan: Plan, running: _SweepRun, parent: Path | None = None) -> Checkpoint:
    return Checkpoint(parent or running.folder, plan.parameters(), running.dataset.fingerprint)


def _keep_best(running: _SweepRun) -> None:
    """Remove what ended trials keep on disk, but for the best one's."""
    best = sweep_study.best(running.study)
    needed = _checkpoint(running.asked.planned(best.params), running).folder if best else None
    for path in running.folder.glob("*"):
        if path != needed and path not in running.ahead:
            shutil.rmtree(path, ignore_errors=True)


def _bundle_of_best(study: optuna.Study, output: Path | None) -> bundles.Bundle | None:
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
    running: _SweepRun, best: FrozenTrial, output: Path | None, progress: Progress | None
) -> bundles.Bundle:
    """Finish the best trial as an ordinary training: its epochs are there, if its checkpoint is."""
    plan = running.asked.planned(best.params)
    of_trial = _checkpoint(plan, running).folder
    if of_trial.is_dir():
        place = _checkpoint(plan, running, Workspace(running.data).checkpoints).folder
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(place, ignore_errors=True)
        of_trial.rename(place)
    if training_data.changed(running.data, running.dataset):
        running.job.warn(CHANGED)
        running.run.warn(CHANGED)
    # The job's facts become those of this training, but for the run: that stays the sweep's.
    job = ReportToJob(plan.recipe.name, plan.recipe.training.epochs)
    bundle = training.train(
        plan,
        running.data,
        output,
        running.callbacks,
        progress=progress,
        tags={BEST_OF: running.run.run_id} if running.run.run_id else None,
        part="best settings",
        job=job,
    )
    job.record_run(running.run.run_id)
    running.study.set_user_attr(MADE, {"trial": best.number, "folder": str(bundle.folder.resolve())})
    return bundle
