"""Parts of a training that do not wait for each other, learned on Ray: the folds of a cross-validation.

A worker learns a fold by the very function that learns it one by one, into the same folder, and with as many
threads: the order in which a network adds up its sums hangs on them. What comes after finds each fold done,
so its result is the same to the last digit on machines of the same kind. All see the data folder at the same
place, and the same registry of runs.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia.errors import ClusterError
from leukemia.scale import cluster, team, threads
from leukemia.settings import JOB_FOLDER

if TYPE_CHECKING:
    from leukemia.training.cross_validation import CrossValidation
    from leukemia.training.plan import Plan

LOST = "The program that learned {} ended again and again. Check the memory of its machine."


@dataclass(frozen=True)
class Spread:
    """Where parts are learned: ``HOST:PORT`` of a cluster, or empty for one of our own; cores for each."""

    address: str
    cores: int


class FoldWorker:
    """Learns folds in a process of its own.

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
        self._data, self._views, self._run_id = data, views, run_id
        threads.limit(cores)
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        # The job is reported by the process that it started.
        os.environ.pop(JOB_FOLDER, None)

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

    def give_up(item: "tuple[str, Plan]") -> str:
        raise ClusterError(LOST.format(item[0]))

    arguments = shared.data.resolve(), shared.views, shared.run_id, spread.cores
    with cluster.opened(spread.address, os.cpu_count() or 1) as cores:
        workers = min(len(plans), max(1, cores // spread.cores))
        batches = enumerate([item] for item in plans.items())
        done = team.work(FoldWorker, arguments, batches, workers, give_up, cores=spread.cores)
        for count, _ in enumerate(done, 1):
            shared.job.step(f"Learning folds on Ray: {count} of {len(plans)} done")
