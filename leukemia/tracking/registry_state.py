"""What MLflow's registry says of the model in service, asked quickly and with little patience.

A page asks every few seconds, the first one while its reader waits: MLflow itself takes seconds to
start and minutes to give up. So its SQLite file is read as such and its server asked over its REST
interface; what is neither, or speaks otherwise than expected, is asked through MLflow. A test holds
that all ways say the same.
"""

import contextlib
import http.client
import json
import os
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leukemia.errors import RegistryError
from leukemia.tracking import mlflow_client, sqlite
from leukemia.tracking.deadline import within

MODEL = "leukemia"
CHAMPION, CHALLENGER = "champion", "challenger"
# Seconds for one look. The first one through MLflow itself makes its connection, too.
PATIENCE, ONE_ANSWER, FIRST = 1.5, 1.0, 10.0
PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
CREDENTIALS = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_AUTH")

SLOW = "it does not answer"
_warm: set[str] = set()


@dataclass(frozen=True)
class Standing:
    """The registered model's aliases and tags; both empty where nothing was ever registered."""

    aliases: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def champion(self) -> int | None:
        """The version that shall answer."""
        return self.aliases.get(CHAMPION)


class _AskMlflow(Exception):
    """Here this way ends; MLflow knows more ways."""


def read(data: Path) -> Standing:
    """Ask the registry of a data folder; takes two seconds at most where it does not answer.

    Raises
    ------
    RegistryError
        Where it is locked, damaged or does not answer; the message is a clause ("it does not answer").
    """
    uri = mlflow_client.uri(data)
    file = mlflow_client.database(data)
    try:
        if file is not None:
            return _from_file(file)
        if _plain_server(uri):
            return _patiently(PATIENCE, ("rest", uri), lambda: _from_server(uri))
    except _AskMlflow:
        pass
    return _through_mlflow(data, uri)


def _from_file(file: Path) -> Standing:
    if not file.exists():
        return Standing()
    try:
        with sqlite.reading(file) as database:
            aliases = database.execute(
                "SELECT alias, version FROM registered_model_aliases WHERE name = ?", (MODEL,)
            ).fetchall()
            tags = database.execute(
                "SELECT key, value FROM registered_model_tags WHERE name = ?", (MODEL,)
            ).fetchall()
    except sqlite.Unexpected as error:
        raise _AskMlflow from error
    return Standing({alias: int(version) for alias, version in aliases}, dict(tags))


def _plain_server(uri: str) -> bool:
    parts = urllib.parse.urlsplit(uri)
    signed_in = parts.username or any(os.environ.get(name) for name in CREDENTIALS)
    return parts.scheme in ("http", "https") and not signed_in


def _from_server(uri: str) -> Standing:
    address = f"{uri.rstrip('/')}/api/2.0/mlflow/registered-models/get?name={MODEL}"
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 (http or https)
            told = json.load(answer)["registered_model"]
    except urllib.error.HTTPError as error:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if json.load(error).get("error_code") == "RESOURCE_DOES_NOT_EXIST":
                return Standing()
        if error.code < 500:
            raise _AskMlflow from error
        raise RegistryError(f"its server has a fault of its own ({error.code})") from error
    except (OSError, http.client.HTTPException) as error:
        raise RegistryError(SLOW) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryError("what answers there is not MLflow") from error
    return Standing(
        {one["alias"]: int(one["version"]) for one in told.get("aliases", [])},
        {one["key"]: one.get("value", "") for one in told.get("tags", [])},
    )


def _through_mlflow(data: Path, uri: str) -> Standing:
    knock(uri)
    seconds = PATIENCE if uri in _warm else FIRST
    return _patiently(seconds, ("mlflow", uri), lambda: _asked(data, uri))


def knock(uri: str) -> None:
    """See that a host is there at all before much is waited for; raises as :func:`read` does."""
    try:
        parts = urllib.parse.urlsplit(uri)
        port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
        if parts.hostname and port:
            socket.create_connection((parts.hostname, port), ONE_ANSWER).close()
    except (OSError, ValueError) as error:
        raise RegistryError(SLOW) from error


def _asked(data: Path, uri: str) -> Standing:
    with mlflow_client.asked("MLflow says"):
        client = mlflow_client.client(data)
        found = [model for model in client.search_registered_models() if model.name == MODEL]
        _warm.add(uri)
    if not found:
        return Standing()
    return Standing({alias: int(version) for alias, version in found[0].aliases.items()}, dict(found[0].tags))


def _patiently(seconds: float, key: tuple[str, str], work: Any) -> Standing:
    try:
        return within(seconds, key, work)
    except TimeoutError as error:
        raise RegistryError(SLOW) from error
