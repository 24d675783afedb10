"""Runs of training, recorded in MLflow.

A training must not be lost because the record of it cannot be written: what MLflow refuses is
logged as a warning and the training goes on. A run that is finished becomes a model version in
MLflow's registry; see :mod:`leukemia.registry.versions`.
"""

import getpass
import logging
import os
import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mlflow
import psutil
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from leukemia.errors import LeukemiaError
from leukemia.jobs import progress
from leukemia.registry import bundle_cache, versions
from leukemia.tracking import mlflow_client
from leukemia.tracking.mlflow_client import EXPERIMENT

# What a run is: one training, one over patient folds and each of these, one over settings and each
# trial of these, a bundle that was made elsewhere, or a version with another threshold.
TRAIN, CROSSVALIDATE, FOLD, SWEEP, TRIAL, BROUGHT, THRESHOLD = (
    "train",
    "crossvalidate",
    "fold",
    "sweep",
    "trial",
    "bundle",
    "threshold",
)
KIND, WARNING, HOST, PID, BORN = "kind", "warning", "host", "pid", "born"
PARENT, USER = "mlflow.parentRunId", "mlflow.user"
# Of the training of a sweep's best settings: the sweep's run. It is a run of its own and no part of it,
# as it becomes a model version.
BEST_OF = "best_of_sweep"

_log = logging.getLogger(__name__)


class Run:
    """One training's record. Made by :func:`start`; ``run_id`` is empty where nothing is recorded.

    ``version`` is the model version that it became, or None; ``trouble`` what MLflow could not record last.
    """

    def __init__(
        self, client: mlflow.MlflowClient | None = None, run_id: str = "", *, trouble: str = ""
    ) -> None:
        self.run_id = run_id
        self.trouble = trouble
        self.version: int | None = None
        self._client = client

    def epoch(self, index: int, found: dict[str, float]) -> None:
        """Record the figures of one epoch."""
        self._try(lambda client: client.log_batch(self.run_id, metrics=_metrics(found, index)))

    def catch_up(self, epochs: Sequence[Mapping[str, float]]) -> None:
        """Record epochs that a killed training had finished and not yet recorded."""

        def record(client: mlflow.MlflowClient) -> None:
            known = {one.step for one in client.get_metric_history(self.run_id, "loss")}
            for index, found in enumerate(epochs):
                if index not in known:
                    client.log_batch(self.run_id, metrics=_metrics(found, index))

        if epochs:
            self._try(record)

    def finish(self, figures: dict[str, dict[str, float | None]], bundle: Path) -> None:
        """Record the final figures with their intervals, and the bundle as an artifact and a version."""
        found = {
            f"test_{name}{'' if key == 'value' else f'_{key}'}": value
            for name, figure in figures.items()
            for key, value in figure.items()
            if value is not None
        }

        def record(client: mlflow.MlflowClient) -> None:
            client.log_batch(self.run_id, metrics=_metrics(found))
            client.log_artifacts(self.run_id, str(bundle), bundle_cache.ARTIFACT)

        def register(client: mlflow.MlflowClient) -> None:
            self.version = versions.register(client, self.run_id, bundle)

        if self._try(record):
            self._try(register)
        self.end("FINISHED")

    def close(self, found: Mapping[str, float]) -> None:
        """Record what a fold or a trial came to, and end it well; it makes no version."""
        self._try(lambda client: client.log_batch(self.run_id, metrics=_metrics(found)))
        self.end("FINISHED")

    def warn(self, sentence: str) -> None:
        """Record what a reader of the run must know."""
        self._try(lambda client: client.set_tag(self.run_id, WARNING, sentence))

    def broke(self, error: BaseException) -> None:
        """Mark the run by what broke it off: a request to end, or a fault."""
        self.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")

    def drop(self) -> None:
        """Take the run back with what it kept; its trouble stays what it was."""
        trouble = self.trouble

        def take_back(client: mlflow.MlflowClient) -> None:
            place = urlsplit(client.get_run(self.run_id).info.artifact_uri)
            client.delete_run(self.run_id)
            if place.scheme in ("", "file"):
                shutil.rmtree(unquote(place.path), ignore_errors=True)

        self._try(take_back)
        self.trouble = trouble

    def end(self, status: str) -> None:
        """Mark the run as ``"FINISHED"``, ``"FAILED"`` or ``"KILLED"``."""
        self._try(lambda client: client.set_terminated(self.run_id, status))

    def _try(self, record: Callable[[mlflow.MlflowClient], None]) -> bool:
        if self._client is None:
            return False
        try:
            record(self._client)
        except (*mlflow_client.faults(), LeukemiaError) as error:
            self.trouble = mlflow_client.said(error)
            _log.warning("MLflow could not record this: %s", self.trouble)
            return False
        return True


def start(
    data: Path,
    name: str,
    parameters: Mapping[str, object],
    tags: Mapping[str, str],
    resume: str = "",
    *,
    kind: str = TRAIN,
    parent: str = "",
) -> Run:
    """Start the record of a training, or go on with the one that was broken off.

    Parameters
    ----------
    data : Path
        The data folder: runs are kept there, in SQLite, unless ``MLFLOW_TRACKING_URI`` says where.
    name : str
        What the run is called in MLflow.
    parameters : dict
        Settings; logged once.
    tags : dict
        Such as the data fingerprint and the git revision.
    resume : str, optional
        Identifier of the run to go on with; it must have the same parent.
    kind : str, optional
        What the run is; see :data:`TRAIN` and what stands beside it.
    parent : str, optional
        The run that this one is a part of.
    """
    try:
        # A request to end must not break into the database.
        with progress.undisturbed():
            return _started(data, name, parameters, {**tags, KIND: kind}, resume, parent)
    except mlflow_client.faults() as error:
        _log.warning("This training is not recorded in MLflow: %s", mlflow_client.said(error))
        return Run(trouble=mlflow_client.said(error))


def _started(
    data: Path,
    name: str,
    parameters: Mapping[str, object],
    tags: Mapping[str, str],
    resume: str,
    parent: str,
) -> Run:
    client = mlflow_client.client(data)
    run_id = _reopen(client, resume, parent, tags)
    if not run_id:
        told = {USER: _user(), **tags} | ({PARENT: parent} if parent else {})
        run_id = _create(client, mlflow_client.artifacts(data), name, told)
        given = [Param(key, str(value)) for key, value in parameters.items()]
        client.log_batch(run_id, params=given)
    # Whether a run still goes on is told by its process: MLflow never learns of a kill.
    client.log_batch(run_id, tags=[RunTag(key, value) for key, value in _process().items()])
    return Run(client, run_id)


def _metrics(found: Mapping[str, float], step: int = 0) -> list[Metric]:
    now = int(time.time() * 1000)
    return [Metric(name, value, now, step) for name, value in found.items()]


def _process() -> dict[str, str]:
    born = psutil.Process().create_time()
    return {HOST: socket.gethostname(), PID: str(os.getpid()), BORN: repr(born)}


def _user() -> str:
    if said := progress.asked_by():
        return said
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _reopen(client: mlflow.MlflowClient, run_id: str, parent: str, tags: Mapping[str, str]) -> str:
    if not run_id:
        return ""
    try:
        known = client.get_run(run_id).data.tags
        if known.get(PARENT, "") != parent:
            return ""
        client.update_run(run_id, status="RUNNING")
        # What it was begun with stays; a sweep may go on with a run that was begun without it.
        lacking = [RunTag(key, value) for key, value in tags.items() if key not in known]
        client.log_batch(run_id, tags=lacking)
    except MlflowException:
        return ""  # the record is gone; a new one is started
    return run_id


def _create(client: mlflow.MlflowClient, artifacts: str | None, name: str, tags: Mapping[str, str]) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        experiment = client.create_experiment(EXPERIMENT, artifact_location=artifacts)
    else:
        experiment = found.experiment_id
    return client.create_run(experiment, run_name=name, tags=dict(tags)).info.run_id
