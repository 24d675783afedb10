"""Runs of training that were: what each was set to, how it ended and what it came to.

All runs that MLflow knows are here, whoever started them and from where. MLflow never learns that a
training was killed: a run that is under way there, but that no process has any more, is
:data:`BROKEN_OFF` here.
"""

import math
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from leukemia.jobs import job as job_folders
from leukemia.jobs import process
from leukemia.tracking import store
from leukemia.tracking.store import PARENT, Recorded

TRAIN, CROSSVALIDATE, SWEEP, FOLD, TRIAL, BROUGHT, THRESHOLD = (
    "train",
    "crossvalidate",
    "sweep",
    "fold",
    "trial",
    "bundle",
    "threshold",
)
JOBS = (TRAIN, CROSSVALIDATE, SWEEP)
FINISHED, FAILED, STOPPED, RUNNING, BROKEN_OFF = "finished", "failed", "stopped", "running", "broken off"
STATUS = {"FINISHED": FINISHED, "FAILED": FAILED, "KILLED": STOPPED}
# Figures of held-out patients bear this before their name; those of an epoch do not.
FINAL = "test_"
ENDS = ("low", "high")
# What a run was set to and is no setting of its training.
RECIPE, FOLDS = "recipe", "folds"
# A tag of the training of a sweep's best settings: the sweep's run.
BEST_OF = "best_of_sweep"
NOBODY = "unknown"  # MLflow's word for a user whom nobody named


@dataclass(frozen=True)
class Past:
    """One run.

    Attributes
    ----------
    run_id, name : str
        MLflow's identifier, and what the run is called.
    kind : str
        :data:`TRAIN`, :data:`CROSSVALIDATE`, :data:`SWEEP`, :data:`BROUGHT` (a bundle that was made
        elsewhere) or :data:`THRESHOLD` (a version with another threshold); of a part, :data:`FOLD` or
        :data:`TRIAL`.
    recipe : str
        Empty where it is not told.
    status : str
        :data:`FINISHED`, :data:`FAILED`, :data:`STOPPED`, :data:`RUNNING` or :data:`BROKEN_OFF`.
    started, ended : datetime or None
        UTC.
    by : str
        Who started it: untrusted text, empty where nobody said.
    settings : dict of str to str
    figures : dict
        Of held-out patients, in the end: name to value, low and high (95 % interval over patients);
        what is not known of these is left out.
    parent : str
        The run that it is a part of; else empty.
    version : int or None
        The model version that it became.
    fingerprint, revision : str
        Of the data and of the program.
    tags : dict of str to str
    """

    run_id: str
    name: str
    kind: str
    recipe: str
    status: str
    started: datetime | None
    ended: datetime | None
    by: str
    settings: dict[str, str]
    figures: dict[str, dict[str, float]]
    parent: str = ""
    version: int | None = None
    fingerprint: str = ""
    revision: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float | None:
        """From start to end; None where either is not known."""
        return (self.ended - self.started).total_seconds() if self.started and self.ended else None

    @property
    def warning(self) -> str:
        """What a reader must know, in a sentence; empty for nothing."""
        return self.tags.get("warning", "")


def runs(data: Path, limit: int = 200) -> list[Past]:
    """Runs that are no part of another one, the newest first.

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
    return _pasts(data, store.whole(data, limit))


def run(data: Path, run_id: str) -> Past | None:
    """One run, or None where there is none of this identifier; raises as :func:`runs` does."""
    return next(iter(_pasts(data, store.one(data, run_id))), None)


def children(data: Path, run_id: str) -> list[Past]:
    """Folds or trials of a run, the first one first; raises as :func:`runs` does."""
    return _pasts(data, store.parts(data, run_id))


def best_of(data: Path, run_id: str) -> list[Past]:
    """Trainings of a sweep's best settings, the newest first; raises as :func:`runs` does."""
    return _pasts(data, store.bearing(data, BEST_OF, run_id))


def histories(data: Path, run_id: str) -> list[dict[str, float]]:
    """Figures of a run's epochs, the first epoch first; raises as :func:`runs` does.

    An epoch that was begun again after a training was broken off is told as it went the last time.
    """
    epochs: dict[int, dict[str, float]] = {}
    for value in store.measured(data, run_id):
        if not value.name.startswith(FINAL):
            epochs.setdefault(value.step, {})[value.name] = value.value
    return [epochs[step] for step in sorted(epochs)]


def _pasts(data: Path, found: Iterable[Recorded]) -> list[Past]:
    found = list(found)
    working = any(one.status not in STATUS for one in found)
    return [_past(one, _at_work(data) if working else {}) for one in found]


def _past(one: Recorded, jobs: dict[str, bool]) -> Past:
    kind = one.tags.get("kind") or (CROSSVALIDATE if FOLDS in one.parameters else TRAIN)
    by = one.tags.get("mlflow.user") or one.user
    return Past(
        run_id=one.run_id,
        name=one.name,
        kind=kind,
        recipe=one.parameters.get(RECIPE, ""),
        status=STATUS.get(one.status) or (RUNNING if _alive(one, jobs) else BROKEN_OFF),
        started=_time(one.started),
        ended=_time(one.ended) if one.status in STATUS else None,
        by="" if by == NOBODY else by,
        settings=dict(one.parameters),
        figures=_figures(one.metrics),
        parent=one.tags.get(PARENT, ""),
        version=one.version,
        fingerprint=one.tags.get("data_fingerprint", ""),
        revision=one.tags.get("git_revision", ""),
        tags=one.tags,
    )


def _figures(metrics: dict[str, float]) -> dict[str, dict[str, float]]:
    out: dict[str, dict[str, float]] = {}
    for name, value in metrics.items():
        if name.startswith(FINAL) and math.isfinite(value):
            title, _, end = name.removeprefix(FINAL).rpartition("_")
            if end in ENDS:
                out.setdefault(title, {})[end] = value
            else:
                out.setdefault(name.removeprefix(FINAL), {})["value"] = value
    return {name: figure for name, figure in out.items() if "value" in figure}


def _at_work(data: Path) -> dict[str, bool]:
    """Runs that jobs of this data folder have, and whether these jobs are at work."""
    out: dict[str, bool] = {}
    for job in job_folders.history(data, JOBS):
        state = job_folders.state(job)
        if run_id := state.facts.get("run_id"):
            out[run_id] = out.get(run_id, False) or state.active
    return out


def _alive(one: Recorded, jobs: dict[str, bool]) -> bool:
    """Whether some process has the run; one of another machine, of which nothing is known, may have it."""
    if jobs.get(one.run_id):
        return True
    host = one.tags.get("host", "")
    if host and host != socket.gethostname():
        return one.run_id not in jobs
    with suppress(ValueError):
        return process.find(int(one.tags.get("pid", "")), float(one.tags.get("born", ""))) is not None
    return False


def _time(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
