"""Runs of training, recorded in MLflow.

A training must not be lost because the record of it cannot be written: what MLflow refuses is
logged as a warning and the training goes on. A run that is finished becomes a model version in
MLflow's registry; see :mod:`leukemia.learning.registry`.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException

from leukemia.errors import LeukemiaError
from leukemia.learning import registry, shelf, tracking
from leukemia.learning.tracking import EXPERIMENT

_log = logging.getLogger(__name__)


class Run:
    """One training's record. Made by :func:`start`; ``run_id`` is empty where nothing is recorded.

    ``version`` is the model version that it became, or None.
    """

    def __init__(self, client: mlflow.MlflowClient | None = None, run_id: str = "") -> None:
        self.run_id = run_id
        self.version: int | None = None
        self._client = client

    def epoch(self, index: int, found: dict[str, float]) -> None:
        """Record the figures of one epoch."""

        def record(client: mlflow.MlflowClient) -> None:
            for name, value in found.items():
                client.log_metric(self.run_id, name, value, step=index)

        self._try(record)

    def finish(self, figures: dict[str, dict[str, float | None]], bundle: Path) -> None:
        """Record the final figures with their intervals, and the bundle as an artifact and a version."""

        def record(client: mlflow.MlflowClient) -> None:
            for name, figure in figures.items():
                for key, value in figure.items():
                    if value is not None:
                        suffix = "" if key == "value" else f"_{key}"
                        client.log_metric(self.run_id, f"test_{name}{suffix}", value)
            client.log_artifacts(self.run_id, str(bundle), shelf.ARTIFACT)

        def register(client: mlflow.MlflowClient) -> None:
            self.version = registry.register(client, self.run_id, bundle)

        if self._try(record):
            self._try(register)
        self.end("FINISHED")

    def end(self, status: str) -> None:
        """Mark the run as ``"FINISHED"``, ``"FAILED"`` or ``"KILLED"``."""
        self._try(lambda client: client.set_terminated(self.run_id, status))

    def _try(self, record: Callable[[mlflow.MlflowClient], None]) -> bool:
        if self._client is None:
            return False
        try:
            record(self._client)
        except (*tracking.faults(), LeukemiaError) as error:
            _log.warning("MLflow could not record this: %s", tracking.said(error))
            return False
        return True


def start(
    data: Path, name: str, parameters: dict[str, object], tags: dict[str, str], resume: str = ""
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
        Identifier of the run to go on with.
    """
    try:
        client = tracking.client(data)
        run_id = _reopen(client, resume) or _create(client, tracking.artifacts(data), name, tags)
        if run_id != resume:
            for key, value in parameters.items():
                client.log_param(run_id, key, value)
        return Run(client, run_id)
    except tracking.faults() as error:
        _log.warning("This training is not recorded in MLflow: %s", tracking.said(error))
        return Run()


def _reopen(client: mlflow.MlflowClient, run_id: str) -> str:
    if not run_id:
        return ""
    try:
        client.update_run(run_id, status="RUNNING")
    except MlflowException:
        return ""  # the record is gone; a new one is started
    return run_id


def _create(client: mlflow.MlflowClient, artifacts: str | None, name: str, tags: dict[str, str]) -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is None:
        experiment = client.create_experiment(EXPERIMENT, artifact_location=artifacts)
    else:
        experiment = found.experiment_id
    return client.create_run(experiment, run_name=name, tags=tags).info.run_id
