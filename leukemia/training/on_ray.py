"""Parts of a training that do not wait for each other, learned on Ray: folds, the first trials of a sweep.

A worker learns a fold by the very function that learns it one by one, into the same folder, and with as many
threads: the order in which a network adds up its sums hangs on them. What comes after finds each fold done,
so its result is the same to the last digit on machines of the same kind. All see the data folder at the same
place, and the same registry of runs.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia.errors import ClusterError
from leukemia.scale import cluster, team, threads
from leukemia.settings import JOB_FOLDER

if TYPE_CHECKING:
    from leukemia.training.callbacks import ReportToJob
    from leukemia.training.cross_validation import CrossValidation
    from leukemia.training.plan import Plan

LOST = "The program that learned {} ended again and again. Check the memory of its machine."


@dataclass(frozen=True)
class Spread:
    """Where parts are learned: ``HOST:PORT`` of a cluster, or empty for one of our own; cores for each."""

    address: str
    cores: int


class _Learner:
    """A process of its own, that computes with some threads."""

    def __init__(self, cores: int) -> None:
        threads.limit(cores)
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        # The job is reported by the process that it started.
        os.environ.pop(JOB_FOLDER, None)


class FoldWorker(_Learner):
    """Learns folds.

    Parameters
    ----------
    data : Path
        The prepared folder.
    views : int
    run_id : str
        The MLflow run of the cross-validation.
    cores : int
        How many threads it learns with.
    """

    def __init__(self, data: Path, views: int, run_id: str, cores: int) -> None:
        super().__init__(cores)
        self._data, self._views, self._run_id = data, views, run_id

    def prepare(self) -> None:
        """Import what learns."""
        from leukemia.training import cross_validation

        self._folds = cross_validation

    def answer(self, items: "list[tuple[str, Plan]]") -> list[str]:
        """Learn folds and predict the cells held out; both are kept in the data folder."""
        from leukemia.training.callbacks import ReportToJob

        for name, plan in items:
            job = ReportToJob(plan.recipe.name, plan.recipe.training.epochs)
            shared = self._folds.CrossValidation(self._data, self._views, self._run_id, job)
            self._folds.train_fold(name, plan, shared)
        return [name for name, _ in items]


class TrialWorker(_Learner):
    """Learns trials of a sweep.

    Parameters
    ----------
    data : Path
        The prepared folder.
    folder : Path
        Where the checkpoints of the sweep lie.
    cores : int
        How many threads it learns with.
    """

    def __init__(self, data: Path, folder: Path, cores: int) -> None:
        super().__init__(cores)
        self._data, self._folder = data, folder

    def prepare(self) -> None:
        """Import what learns."""
        from leukemia.training import trainer

        self._trainer = trainer

    def answer(self, items: "list[tuple[str, Plan]]") -> list[str]:
        """Learn trials into their checkpoints; one that diverges is left at its last epoch before that."""
        for name, plan in items:
            self._learn(name, plan)
        return [name for name, _ in items]

    def _learn(self, name: str, plan: "Plan") -> None:
        import keras

        from leukemia.training import sweep_study, training_data
        from leukemia.training.checkpoint import Checkpoint

        dataset = training_data.load(self._data, plan)
        checkpoint = Checkpoint(self._folder, plan.parameters(), dataset.fingerprint)
        diverged = keras.callbacks.TerminateOnNaN(raise_error=True)
        keras.utils.clear_session()
        try:
            self._trainer.learn(plan, self._data, dataset, checkpoint, (diverged,), part=name)
        except RuntimeError as error:
            if not sweep_study.is_divergence(error):
                raise


def learn_folds(plans: "Mapping[str, Plan]", shared: "CrossValidation", spread: Spread) -> None:
    """Learn folds on Ray, those that are not done.

    Parameters
    ----------
    plans : mapping of str to Plan
        By the name of each fold.
    shared : CrossValidation
    spread : Spread

    Raises
    ------
    LeukemiaError
        Where Ray or the cluster is not there, or a fold cannot be learned.
    """
    arguments = shared.data.resolve(), shared.views, shared.run_id, spread.cores
    _learn(FoldWorker, arguments, list(plans.items()), shared.job, spread)


def learn_trials(
    plans: "Sequence[Plan]", data: Path, folder: Path, job: "ReportToJob", spread: Spread
) -> None:
    """Learn trials of a sweep on Ray, those that are not done.

    Parameters
    ----------
    plans : sequence of Plan
    data : Path
        The prepared folder.
    folder : Path
        Where the checkpoints of the sweep lie.
    job : ReportToJob
    spread : Spread

    Raises
    ------
    LeukemiaError
        Where Ray or the cluster is not there, or a trial cannot be learned.
    """
    named = [(f"trial {number}", plan) for number, plan in enumerate(plans, 1)]
    _learn(TrialWorker, (data.resolve(), folder.resolve(), spread.cores), named, job, spread)


def _learn(
    kind: type[_Learner],
    arguments: tuple[object, ...],
    parts: "list[tuple[str, Plan]]",
    job: "ReportToJob",
    spread: Spread,
) -> None:
    def give_up(item: "tuple[str, Plan]") -> str:
        raise ClusterError(LOST.format(item[0]))

    if not parts:
        return
    with cluster.opened(spread.address, os.cpu_count() or 1) as cores:
        workers = min(len(parts), max(1, cores // spread.cores))
        batches = enumerate([item] for item in parts)
        # A batch is a whole fold or trial.
        done = team.work(kind, arguments, batches, workers, give_up, cores=spread.cores, long=True)
        for count, _ in enumerate(done, 1):
            job.step(f"Learning on Ray: {count} of {len(parts)} done")
