"""The record asked through MLflow, or its server's REST interface, with limits on how long that may take.

A page asks every few seconds which version is in service, the first time while its reader waits: MLflow
takes seconds to start and minutes to give up. So a plain server is asked for that over REST.
"""

import contextlib
import http.client
import json
import os
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from leukemia.errors import RegistryError
from leukemia.tracking import mlflow_client
from leukemia.tracking.deadline import run_with_timeout
from leukemia.tracking.records import (
    EXPERIMENT,
    MODEL,
    ORDER,
    PARENT,
    MetricValue,
    RegistryState,
    Run,
    make_run,
)

T = TypeVar("T")

# Seconds. The first question through MLflow makes its connection, too; a list sends all metrics of all runs.
STATE_TIMEOUT, CONNECT_TIMEOUT, FIRST_TIMEOUT, LIST_TIMEOUT = 1.5, 1.0, 10.0, 15.0
PAGE = 1_000
PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
CREDENTIALS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_AUTH")
NO_ANSWER = "it does not answer"

_connected: set[str] = set()


class _AskMlflow(Exception):
    """REST does not tell; MLflow itself may know more."""


class MlflowStore:
    """The record of a data folder, through MLflow.

    Its methods are those of :class:`leukemia.tracking.store.RunStore`.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._uri = mlflow_client.uri(data)

    def top_level_runs(self, limit: int) -> list[Run]:
        """Runs that are not children of another one, the newest first."""
        return self._runs(f"tags.`{PARENT}` IS NULL", limit=limit)

    def run(self, run_id: str) -> Run | None:
        """The run of this identifier, or None."""
        return next(iter(self._runs(f"attributes.run_id = '{run_id}'", limit=1)), None)

    def children(self, run_id: str) -> list[Run]:
        """Folds or trials of a run, the first one first."""
        return self._runs(f"tags.`{PARENT}` = '{run_id}'", order="ASC")

    def runs_with_tag(self, key: str, value: str) -> list[Run]:
        """Runs with this tag, the newest first."""
        return self._runs(f"tags.`{key}` = '{value}'")

    def metric_history(self, run_id: str) -> list[MetricValue]:
        """All values of a run's metrics, by the time on record."""

        def ask() -> list[MetricValue]:
            client = mlflow_client.client(self._data)
            names = client.get_run(run_id).data.metrics
            values = (value for name in names for value in client.get_metric_history(run_id, name))
            known = [MetricValue(value.key, value.step, value.timestamp, value.value) for value in values]
            return sorted(known, key=lambda value: value.at)

        return self._ask(LIST_TIMEOUT, ("metrics", run_id), ask)

    def registry_state(self) -> RegistryState:
        """Aliases and tags of the registered model."""
        if _is_plain_server(self._uri):
            with contextlib.suppress(_AskMlflow):
                return _with_timeout(STATE_TIMEOUT, ("rest", self._uri), lambda: _state_by_rest(self._uri))
        return self.registry_state_through_client()

    def registry_state_through_client(self) -> RegistryState:
        """The same without REST."""

        def ask() -> RegistryState:
            models = mlflow_client.client(self._data).search_registered_models()
            _connected.add(self._uri)
            for model in models:
                if model.name == MODEL:
                    aliases = {alias: int(version) for alias, version in model.aliases.items()}
                    return RegistryState(aliases, dict(model.tags))
            return RegistryState()

        return self._ask(STATE_TIMEOUT if self._uri in _connected else FIRST_TIMEOUT, ("state",), ask)

    def model_versions(self) -> list[tuple[int, str, int, dict[str, str]]]:
        """Number, run, time and tags of each model version."""

        def ask() -> list[tuple[int, str, int, dict[str, str]]]:
            return [
                (int(one.version), one.run_id or "", one.creation_timestamp, dict(one.tags))
                for one in _all_versions(mlflow_client.client(self._data))
            ]

        return self._ask(LIST_TIMEOUT, ("versions",), ask)

    def _runs(self, wanted: str, order: str = "DESC", limit: int | None = None) -> list[Run]:
        def ask() -> list[Run]:
            client = mlflow_client.client(self._data)
            experiment = client.get_experiment_by_name(EXPERIMENT)
            if experiment is None:
                return []
            runs, token = [], None
            while token is None or (token and len(runs) != limit):
                page = client.search_runs(
                    [experiment.experiment_id],
                    wanted,
                    max_results=PAGE if limit is None else min(PAGE, limit - len(runs)),
                    order_by=[f"tags.`{ORDER}` {order}", f"attributes.start_time {order}"],
                    page_token=token,
                )
                runs += page
                token = page.token or ""
            version_of: dict[str, int] = {}
            for one in _all_versions(client) if runs else ():
                version_of[one.run_id] = max(int(one.version), version_of.get(one.run_id, 0))
            return [_run(run, version_of.get(run.info.run_id)) for run in runs]

        return self._ask(LIST_TIMEOUT, ("runs", wanted, order, limit), ask)

    def _ask(self, seconds: float, key: tuple, work: Callable[[], T]) -> T:
        def translated() -> T:
            with mlflow_client.translated("MLflow says"):
                return work()

        _require_host(self._uri)
        return _with_timeout(seconds, (self._uri, *key), translated)


def _run(run: Any, version: int | None) -> Run:
    one, data = run.info, run.data
    info = (one.run_id, one.run_name, one.status, one.start_time, one.end_time, one.user_id)
    return make_run(info, dict(data.tags), dict(data.params), data.metrics, version)


def _all_versions(client: Any) -> Iterator[Any]:
    token = None
    while token is None or token:
        page = client.search_model_versions(f"name = '{MODEL}'", max_results=PAGE, page_token=token)
        yield from page
        token = page.token or ""


def _is_plain_server(uri: str) -> bool:
    address = urllib.parse.urlsplit(uri)
    signed_in = address.username or any(os.environ.get(name) for name in CREDENTIALS)
    return address.scheme in ("http", "https") and not signed_in


def _state_by_rest(uri: str) -> RegistryState:
    address = f"{uri.rstrip('/')}/api/2.0/mlflow/registered-models/get?name={MODEL}"
    try:
        with urllib.request.urlopen(address, timeout=STATE_TIMEOUT) as answer:  # noqa: S310 (http or https)
            model = json.load(answer)["registered_model"]
    except urllib.error.HTTPError as error:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if json.load(error).get("error_code") == "RESOURCE_DOES_NOT_EXIST":
                return RegistryState()
        if error.code < 500:
            raise _AskMlflow from error
        raise RegistryError(f"its server reports an error ({error.code})") from error
    except (OSError, http.client.HTTPException) as error:
        raise RegistryError(NO_ANSWER) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError("the server at that address is not MLflow") from error
    return RegistryState(
        {alias["alias"]: int(alias["version"]) for alias in model.get("aliases", [])},
        {tag["key"]: tag.get("value", "") for tag in model.get("tags", [])},
    )


def _require_host(uri: str) -> None:
    """See that a host is there at all before waiting for long."""
    try:
        address = urllib.parse.urlsplit(uri)
        port = address.port or PORTS.get(address.scheme.partition("+")[0])
        if address.hostname and port:
            socket.create_connection((address.hostname, port), CONNECT_TIMEOUT).close()
    except (OSError, ValueError) as error:
        raise RegistryError(NO_ANSWER) from error


def _with_timeout(seconds: float, key: tuple, work: Callable[[], T]) -> T:
    try:
        return run_with_timeout(seconds, key, work)
    except TimeoutError as error:
        raise RegistryError(NO_ANSWER) from error
