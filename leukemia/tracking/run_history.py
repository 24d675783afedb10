"""Runs as they stand: those on record, whoever started them and from where, and whether they still run.

MLflow never learns that a training was killed: a run that it has as running, but that no process works on
any more, is :attr:`RunStatus.BROKEN_OFF` here.
"""

import math
import re
import socket
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path

from leukemia.errors import RegistryError
from leukemia.jobs import job as job_folders
from leukemia.jobs import process
from leukemia.jobs.process import ProcessId
from leukemia.tracking import mlflow_client
from leukemia.tracking.records import BEST_OF, BORN, HELD_OUT, HOST, PID, START, Run, RunKind, RunStatus
from leukemia.tracking.store import RunStore, open_store

JOBS = (RunKind.TRAIN, RunKind.CROSSVALIDATE, RunKind.SWEEP)
TROUBLE = "The runs cannot be listed"
GONE = "the database is missing, but files of runs are still there"
RUN_ID = re.compile(r"[0-9a-f]{32}")


def runs(data: Path, limit: int = 200) -> list[Run]:
    """Runs that are not children of another one, the newest first.

    Parameters
    ----------
    data : Path
        The data folder.
    limit : int, optional
        At most so many.

    Raises
    ------
    RegistryError
        Where MLflow cannot be asked. Where nothing was ever recorded, there are none.
    """
    with _store(data) as store:
        return _resolve(data, store.top_level_runs(limit))


def run(data: Path, run_id: str) -> Run | None:
    """One run, or None where there is none of this identifier; raises as :func:`runs` does."""
    if not RUN_ID.fullmatch(run_id):
        return None
    with _store(data) as store:
        one = store.run(run_id)
    return _resolve(data, [one])[0] if one else None


def children(data: Path, run_id: str) -> list[Run]:
    """Folds or trials of a run, the first one first; raises as :func:`runs` does."""
    if not RUN_ID.fullmatch(run_id):
        return []
    with _store(data) as store:
        return _resolve(data, store.children(run_id))


def best_of(data: Path, run_id: str) -> list[Run]:
    """Trainings of a sweep's best settings, the newest first; raises as :func:`runs` does."""
    if not RUN_ID.fullmatch(run_id):
        return []
    with _store(data) as store:
        return _resolve(data, store.runs_with_tag(BEST_OF, run_id))


def histories(data: Path, run_id: str) -> list[dict[str, float]]:
    """Metrics of a run's epochs, the first epoch first; raises as :func:`runs` does.

    Of an epoch that was repeated after a training was broken off, the last values count.
    """
    if not RUN_ID.fullmatch(run_id):
        return []
    epochs: dict[int, dict[str, float]] = {}
    with _store(data) as store:
        values = store.metric_history(run_id)
    for value in values:
        if math.isfinite(value.value) and not value.name.startswith(HELD_OUT):
            epochs.setdefault(value.step, {})[value.name] = value.value
    return [epochs[step] for step in sorted(epochs)]


def _store(data: Path) -> AbstractContextManager[RunStore]:
    if mlflow_client.is_gone(data):
        raise RegistryError(f"{TROUBLE}: {GONE}.")
    return open_store(data, TROUBLE)


def _resolve(data: Path, runs: Iterable[Run]) -> list[Run]:
    """Tell runs that are broken off from those that are running."""
    runs = list(runs)
    if all(one.status != RunStatus.RUNNING for one in runs):
        return runs
    jobs = _active_by_run(data)
    broken_off = {one.run_id for one in runs if one.status == RunStatus.RUNNING and not _alive(one, jobs)}
    return [replace(one, status=RunStatus.BROKEN_OFF) if one.run_id in broken_off else one for one in runs]


def _active_by_run(data: Path) -> dict[str, bool]:
    """Runs that jobs of this data folder have, and whether these jobs are at work."""
    out: dict[str, bool] = {}
    for job in job_folders.history(data, JOBS):
        state = job_folders.state(job)
        if run_id := state.training.run_id:
            out[run_id] = out.get(run_id, False) or state.active
    return out


def _alive(run: Run, jobs: dict[str, bool]) -> bool:
    """Whether some process has the run; on another machine, which cannot be seen from here, one may."""
    if jobs.get(run.run_id):
        return True
    host = run.tags.get(HOST, "")
    if host and host != socket.gethostname():
        return run.run_id not in jobs
    with suppress(ValueError):
        pid, born = int(run.tags.get(PID, "")), float(run.tags.get(BORN, ""))
        return process.find(ProcessId(pid, born, run.tags.get(START, ""))) is not None
    return False
