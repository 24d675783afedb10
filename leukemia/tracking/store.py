"""What MLflow has on record of runs, asked in one of two ways that say the same.

Its SQLite file is read as such (:mod:`leukemia.tracking.sqlite`): MLflow takes seconds to be imported
and seconds to list two hundred runs. A server, and a file that is not as expected, is asked through
MLflow.
"""

import json
import math
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leukemia.errors import RegistryError
from leukemia.registry import bundle_cache
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client, registry_state, sqlite
from leukemia.tracking.deadline import within
from leukemia.tracking.registry_state import MODEL

PARENT = "mlflow.parentRunId"
# Seconds for a server's answer: it sends all metrics of all runs.
PATIENCE = 15.0
PAGE = 1_000
GONE = "the database is gone, though files of runs are still there"
RUN_ID = re.compile(r"[0-9a-f]{32}")

ALL = -1
RUNS = """
SELECT run_uuid, name, status, start_time, end_time, user_id FROM runs
WHERE lifecycle_stage = 'active'
  AND experiment_id IN
    (SELECT experiment_id FROM experiments WHERE name = :experiment AND lifecycle_stage = 'active')
  AND (run_uuid = :only OR (:only = '' AND :parent = COALESCE(
    (SELECT value FROM tags WHERE key = :part AND tags.run_uuid = runs.run_uuid), '')))
ORDER BY :order * start_time, run_uuid LIMIT :limit
"""
TAGS = "SELECT run_uuid, key, value FROM tags WHERE run_uuid IN (SELECT value FROM json_each(?))"
PARAMETERS = "SELECT run_uuid, key, value FROM params WHERE run_uuid IN (SELECT value FROM json_each(?))"
METRICS = """
SELECT run_uuid, key, value FROM latest_metrics
WHERE is_nan = 0 AND run_uuid IN (SELECT value FROM json_each(?))
"""
VERSIONS = """
SELECT run_id, MAX(version) FROM model_versions
WHERE name = ? AND run_id IS NOT NULL AND current_stage IS NOT ? GROUP BY run_id
"""


@dataclass(frozen=True)
class _Wanted:
    """Which runs: in MLflow's language of filters, and in values for :data:`RUNS`.

    ``parent`` is what the tag ``part`` says; both ways must mean the same.
    """

    filter: str
    parent: str = ""
    part: str = PARENT
    only: str = ""
    newest: bool = True
    limit: int = ALL


@dataclass(frozen=True)
class Recorded:
    """One run as it is on record; times in milliseconds since 1970, ``metrics`` the last of each name."""

    run_id: str
    name: str
    status: str
    started: int | None
    ended: int | None
    user: str
    tags: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    version: int | None = None


@dataclass(frozen=True)
class Measured:
    """One value of a metric: of which epoch, and when it was written (milliseconds since 1970)."""

    name: str
    step: int
    at: int
    value: float


def whole(data: Path, limit: int) -> list[Recorded]:
    """Runs that are no part of another one, the newest first; raises RegistryError."""
    return _runs(data, _Wanted(f"tags.`{PARENT}` IS NULL", limit=limit))


def parts(data: Path, run_id: str) -> list[Recorded]:
    """Parts of a run, the first one first; raises RegistryError."""
    if not RUN_ID.fullmatch(run_id):
        return []
    return _runs(data, _Wanted(f"tags.`{PARENT}` = '{run_id}'", parent=run_id, newest=False))


def bearing(data: Path, tag: str, run_id: str) -> list[Recorded]:
    """Runs that a tag of theirs ties to a run, the newest first; raises RegistryError."""
    if not RUN_ID.fullmatch(run_id):
        return []
    return _runs(data, _Wanted(f"tags.`{tag}` = '{run_id}'", parent=run_id, part=tag))


def one(data: Path, run_id: str) -> list[Recorded]:
    """The run of this identifier, or none; raises RegistryError."""
    if not RUN_ID.fullmatch(run_id):
        return []
    return _runs(data, _Wanted(f"attributes.run_id = '{run_id}'", only=run_id, limit=1))


def measured(data: Path, run_id: str) -> list[Measured]:
    """All values of a run's metrics in order of time, but for what is no number; raises RegistryError."""
    if not RUN_ID.fullmatch(run_id):
        return []

    def read(database: sqlite3.Connection) -> list[Measured]:
        rows = database.execute(
            "SELECT key, step, timestamp, value FROM metrics WHERE run_uuid = ? AND is_nan = 0", (run_id,)
        )
        return [Measured(*row) for row in rows]

    def ask() -> list[Measured]:
        client = mlflow_client.client(data)
        names = client.get_run(run_id).data.metrics
        found = [value for name in names for value in client.get_metric_history(run_id, name)]
        return [Measured(value.key, value.step, value.timestamp, value.value) for value in found]

    found = _either(data, ("measured", run_id), read, ask)
    return sorted((value for value in found if math.isfinite(value.value)), key=lambda value: value.at)


def _runs(data: Path, wanted: _Wanted) -> list[Recorded]:
    return _either(
        data,
        ("runs", wanted),
        lambda database: _from_tables(database, wanted),
        lambda: _through_mlflow(data, wanted),
    )


def _either(
    data: Path, key: tuple[Any, ...], read: Callable[[sqlite3.Connection], list], ask: Callable[[], list]
) -> list:
    """Read the file where there is one and it is as expected; else ask MLflow, but not for ever."""
    file, uri = mlflow_client.database(data), mlflow_client.uri(data)
    try:
        if file is not None and not file.exists():
            if bundle_cache.recall(data) or Workspace(data).mlruns.is_dir():
                raise RegistryError(GONE)
            return []
        if file is not None:
            try:
                with sqlite.reading(file) as database:
                    return read(database)
            except sqlite.Unexpected:
                pass
        registry_state.knock(uri)
        with mlflow_client.asked("MLflow says"):
            return within(PATIENCE, (uri, *key), ask)
    except TimeoutError as error:
        raise RegistryError(f"The runs cannot be listed: {registry_state.SLOW}.") from error
    except RegistryError as error:
        raise RegistryError(f"The runs cannot be listed: {str(error).rstrip('.')}.") from error


def _from_tables(database: sqlite3.Connection, wanted: _Wanted) -> list[Recorded]:
    found = database.execute(
        RUNS,
        {
            "experiment": mlflow_client.EXPERIMENT,
            "part": wanted.part,
            "parent": wanted.parent,
            "only": wanted.only,
            "order": -1 if wanted.newest else 1,
            "limit": wanted.limit,
        },
    ).fetchall()
    runs = {row[0]: Recorded(row[0], row[1] or "", *row[2:5], row[5] or "") for row in found}
    these = (json.dumps(list(runs)),)
    for run_id, key, value in database.execute(TAGS, these):
        runs[run_id].tags[key] = value or ""
    for run_id, key, value in database.execute(PARAMETERS, these):
        runs[run_id].parameters[key] = value
    for run_id, key, value in database.execute(METRICS, these):
        runs[run_id].metrics[key] = value
    versions = database.execute(VERSIONS, (MODEL, sqlite.DELETED))
    return _with_versions(list(runs.values()), {row[0]: int(row[1]) for row in versions})


def _through_mlflow(data: Path, wanted: _Wanted) -> list[Recorded]:
    client = mlflow_client.client(data)
    experiment = client.get_experiment_by_name(mlflow_client.EXPERIMENT)
    if experiment is None:
        return []
    found, token = [], None
    while token is None or (token and len(found) != wanted.limit):
        size = PAGE if wanted.limit == ALL else min(PAGE, wanted.limit - len(found))
        page = client.search_runs(
            [experiment.experiment_id],
            wanted.filter,
            max_results=size,
            order_by=[f"attributes.start_time {'DESC' if wanted.newest else 'ASC'}"],
            page_token=token,
        )
        found += page
        token = page.token or ""
    versions: dict[str, int] = {}
    token = None
    while found and (token is None or token):
        known = client.search_model_versions(f"name = '{MODEL}'", max_results=PAGE, page_token=token)
        for version in known:
            versions[version.run_id] = max(int(version.version), versions.get(version.run_id, 0))
        token = known.token or ""
    return _with_versions([_recorded(run) for run in found], versions)


def _recorded(run: Any) -> Recorded:
    return Recorded(
        run.info.run_id,
        run.info.run_name or "",
        run.info.status,
        run.info.start_time,
        run.info.end_time,
        run.info.user_id or "",
        dict(run.data.tags),
        dict(run.data.params),
        {name: value for name, value in run.data.metrics.items() if not math.isnan(value)},
    )


def _with_versions(runs: list[Recorded], versions: dict[str, int]) -> list[Recorded]:
    return [Recorded(**(vars(run) | {"version": versions.get(run.run_id)})) for run in runs]
