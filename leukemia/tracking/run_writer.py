"""Runs of training, recorded in MLflow.

A training must not be lost because the record of it cannot be written: what MLflow refuses is
logged as a warning and the training continues. A finished run becomes a model version by
:mod:`leukemia.registry.publish`.
"""

import logging
import os
import shutil
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from leukemia.errors import LeukemiaError
from leukemia.jobs import process, progress, signals
from leukemia.tracking import mlflow_client, records, registry_writer
from leukemia.tracking.records import RunKind, RunStatus

_log = logging.getLogger(__name__)


class RunWriter:
    """Writes one run's record; made by :func:`start`.

    As a context it ends the run as stopped or failed where an error leaves it.

    Attributes
    ----------
    run_id : str
        Empty where nothing is recorded.
    version : int or None
        The model version that it became.
    trouble : str
        What MLflow could not record last, and why.
    """

    def __init__(
        self, client: mlflow.MlflowClient | None = None, run_id: str = "", *, trouble: str = ""
    ) -> None:
        self.run_id = run_id
        self.trouble = trouble
        self.version: int | None = None
        self._client = client

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self.end_with(error)

    def epoch(self, index: int, metrics: Mapping[str, float]) -> None:
        """Record the metrics of one epoch, counted from 0."""
        self.attempt(lambda client: client.log_batch(self.run_id, metrics=_metrics(metrics, index)))

    def catch_up(self, epochs: Sequence[Mapping[str, float]]) -> None:
        """Record epochs that a killed training had finished and not yet recorded."""

        def record(client: mlflow.MlflowClient) -> None:
            known = {value.step for value in client.get_metric_history(self.run_id, "loss")}
            for index, metrics in enumerate(epochs):
                if index not in known:
                    client.log_batch(self.run_id, metrics=_metrics(metrics, index))

        if epochs:
            self.attempt(record)

    def register(
        self,
        estimates: Mapping[str, Mapping[str, float | None]],
        bundle: Path,
        tags: Callable[[], Mapping[str, str]],
        unique: str,
    ) -> None:
        """Record the estimates on held-out patients and the bundle, make a model version of it, and end.

        Parameters
        ----------
        estimates : dict
            Name to value, low and high.
        bundle : Path
            Its folder.
        tags : callable
            Makes the tags of the version; a fault in it is no fault of the run.
        unique : str
            The tag that tells this bundle from any other.
        """

        def record(client: mlflow.MlflowClient) -> None:
            client.log_batch(self.run_id, metrics=_metrics(records.held_out_metrics(estimates)))
            client.log_artifacts(self.run_id, str(bundle), registry_writer.ARTIFACT)

        def create(client: mlflow.MlflowClient) -> None:
            self.version = registry_writer.create_version(client, self.run_id, tags(), unique)

        if self.attempt(record):
            self.attempt(create)
        self.end(RunStatus.FINISHED)

    def close(self, metrics: Mapping[str, float]) -> None:
        """Record the last metrics of a run that becomes no version, and end it as finished."""
        self.attempt(lambda client: client.log_batch(self.run_id, metrics=_metrics(metrics)))
        self.end(RunStatus.FINISHED)

    def warn(self, sentence: str) -> None:
        """Record what a reader of the run must know."""
        self.tag({records.WARNING: sentence})

    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags of the run."""
        self.attempt(lambda client: client.log_batch(self.run_id, tags=_tags(tags)))

    def end_with(self, error: BaseException) -> None:
        """End the run as stopped where the user asked for that, else as failed."""
        self.end(RunStatus.STOPPED if isinstance(error, KeyboardInterrupt) else RunStatus.FAILED)

    def drop(self) -> None:
        """Delete the run with its files; ``trouble`` stays as it is."""
        trouble = self.trouble

        def delete(client: mlflow.MlflowClient) -> None:
            place = urlsplit(client.get_run(self.run_id).info.artifact_uri)
            client.delete_run(self.run_id)
            if place.scheme in ("", "file"):
                shutil.rmtree(unquote(place.path), ignore_errors=True)

        self.attempt(delete)
        self.trouble = trouble

    def end(self, status: RunStatus) -> None:
        """Mark the run as finished, failed or stopped."""
        self.attempt(lambda client: client.set_terminated(self.run_id, records.MLFLOW_STATUS[status]))

    def attempt(self, record: Callable[[mlflow.MlflowClient], None]) -> bool:
        """Record something; where that fails, log why, keep it in ``trouble`` and return False."""
        if self._client is None:
            return False
        try:
            record(self._client)
        except (*mlflow_client.faults(), LeukemiaError) as error:
            self.trouble = mlflow_client.first_line(error)
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
    kind: RunKind = RunKind.TRAIN,
    parent: str = "",
) -> RunWriter:
    """Start the record of a run, or resume the one that was broken off.

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
        Identifier of the run to resume; it must have the same parent.
    kind : RunKind, optional
    parent : str, optional
        The run that this one is a child of.
    """
    try:
        # A request to end must not break into the database.
        with signals.undisturbed():
            return _started(data, name, parameters, {**tags, records.KIND: kind.value}, resume, parent)
    except mlflow_client.faults() as error:
        _log.warning("This run is not recorded in MLflow: %s", mlflow_client.first_line(error))
        return RunWriter(trouble=mlflow_client.first_line(error))


def _started(
    data: Path,
    name: str,
    parameters: Mapping[str, object],
    tags: Mapping[str, str],
    resume: str,
    parent: str,
) -> RunWriter:
    client = mlflow_client.client(data)
    run_id = _reopen(client, resume, parent, tags)
    if not run_id:
        tags = {records.USER: progress.who(), **tags} | ({records.PARENT: parent} if parent else {})
        run_id = _create(client, mlflow_client.artifacts(data), name, tags)
        client.log_batch(run_id, params=[Param(key, str(value)) for key, value in parameters.items()])
    # The process tells whether a run is still at work: MLflow never learns of a kill.
    client.log_batch(run_id, tags=_tags(_process()))
    return RunWriter(client, run_id)


def _metrics(metrics: Mapping[str, float], step: int = 0) -> list[Metric]:
    now = int(time.time() * 1000)
    return [Metric(name, value, now, step) for name, value in metrics.items()]


def _tags(tags: Mapping[str, str]) -> list[RunTag]:
    return [RunTag(key, value) for key, value in tags.items()]


def _process() -> dict[str, str]:
    me = process.identify(os.getpid())
    return {
        records.HOST: socket.gethostname(),
        records.PID: str(me.pid),
        records.BORN: repr(me.born),
        records.START: me.start,
    }


def _reopen(client: mlflow.MlflowClient, run_id: str, parent: str, tags: Mapping[str, str]) -> str:
    if not run_id:
        return ""
    try:
        known = client.get_run(run_id).data.tags
        if known.get(records.PARENT, "") != parent:
            return ""
        client.update_run(run_id, status="RUNNING")
        # Tags stay as they were; the best training of a sweep may resume a run that was begun without one.
        client.log_batch(run_id, tags=_tags({key: tags[key] for key in tags.keys() - known.keys()}))
    except MlflowException:
        return ""  # the record is gone; a new one is started
    return run_id


def _create(client: mlflow.MlflowClient, artifacts: str | None, name: str, tags: Mapping[str, str]) -> str:
    experiment = _experiment(client, artifacts)
    tags = {**tags, records.ORDER: _next(client, experiment)}
    return client.create_run(experiment, run_name=name, tags=tags).info.run_id


def _next(client: mlflow.MlflowClient, experiment: str) -> str:
    """The place of a new run among all, as digits that sort as text; a clock may be set back."""
    order = [f"tags.`{records.ORDER}` DESC"]
    latest = client.search_runs([experiment], max_results=1, order_by=order)
    known = latest[0].data.tags.get(records.ORDER, "") if latest else ""
    return f"{int(known) + 1 if known.isdecimal() else 1:0{records.DIGITS}d}"


def _experiment(client: mlflow.MlflowClient, artifacts: str | None) -> str:
    if known := client.get_experiment_by_name(records.EXPERIMENT):
        return known.experiment_id
    try:
        return client.create_experiment(records.EXPERIMENT, artifact_location=artifacts)
    except MlflowException as error:
        # Another process made it meanwhile.
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return client.get_experiment_by_name(records.EXPERIMENT).experiment_id
