"""MLflow's own tables, where they lie in an SQLite file: read as such, in milliseconds."""

import contextlib
import json
import sqlite3
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from leukemia.errors import RegistryError
from leukemia.tracking.records import EXPERIMENT, MODEL, PARENT, MetricValue, RegistryState, Run, make_run

DELETED = "Deleted_Internal"  # the stage of a model version that MLflow has deleted
LOCK_TIMEOUT = 1.0  # seconds
LOCKED = "its database is locked by another process"
DAMAGED = "its database is damaged"
NO_LIMIT = -1

_TABLES = {
    "experiments": "experiment_id name lifecycle_stage",
    "runs": "run_uuid name status start_time end_time user_id lifecycle_stage experiment_id",
    "tags": "run_uuid key value",
    "params": "run_uuid key value",
    "latest_metrics": "run_uuid key value is_nan",
    "metrics": "run_uuid key step timestamp value is_nan",
    "model_versions": "name version run_id creation_time current_stage",
    "model_version_tags": "name version key value",
    "registered_model_aliases": "name alias version",
    "registered_model_tags": "name key value",
}
EXPECTED = {(table, column) for table, columns in _TABLES.items() for column in columns.split()}
COLUMNS = "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table'"
# Rows are in the order in which they were written: a clock that was set back does not change it.
RUNS = """
SELECT run_uuid, name, status, start_time, end_time, user_id FROM runs
WHERE lifecycle_stage = 'active'
  AND experiment_id IN
    (SELECT experiment_id FROM experiments WHERE name = :experiment AND lifecycle_stage = 'active')
  AND (run_uuid = :run_id OR (:run_id = '' AND :value = COALESCE(
    (SELECT value FROM tags WHERE key = :tag AND tags.run_uuid = runs.run_uuid), '')))
ORDER BY :order * runs.rowid LIMIT :limit
"""
TAGS = "SELECT run_uuid, key, value FROM tags WHERE run_uuid IN (SELECT value FROM json_each(?))"
PARAMETERS = "SELECT run_uuid, key, value FROM params WHERE run_uuid IN (SELECT value FROM json_each(?))"
METRICS = """
SELECT run_uuid, key, value FROM latest_metrics
WHERE is_nan = 0 AND run_uuid IN (SELECT value FROM json_each(?))
"""
HISTORY = "SELECT key, step, timestamp, value FROM metrics WHERE run_uuid = ? AND is_nan = 0 ORDER BY rowid"
VERSION_OF_RUN = """
SELECT run_id, MAX(version) FROM model_versions
WHERE name = ? AND run_id IS NOT NULL AND current_stage IS NOT ? GROUP BY run_id
"""
VERSIONS = """
SELECT version, run_id, creation_time FROM model_versions WHERE name = ? AND current_stage IS NOT ?
"""
VERSION_TAGS = "SELECT version, key, value FROM model_version_tags WHERE name = ?"
ALIASES = "SELECT alias, version FROM registered_model_aliases WHERE name = ?"
MODEL_TAGS = "SELECT key, value FROM registered_model_tags WHERE name = ?"


class UnexpectedSchema(Exception):
    """A table or a column is missing: MLflow itself knows more."""


class SqliteStore:
    """The record in an SQLite file, all of one moment; empty where there is no file yet.

    Its methods are those of :class:`leukemia.tracking.store.RunStore`.
    """

    def __init__(self, database: sqlite3.Connection | None) -> None:
        self._database = database

    def top_level_runs(self, limit: int) -> list[Run]:
        """Runs that are not children of another one, the newest first."""
        return self._runs(tag=PARENT, limit=limit)

    def run(self, run_id: str) -> Run | None:
        """The run of this identifier, or None."""
        return next(iter(self._runs(run_id=run_id)), None)

    def children(self, run_id: str) -> list[Run]:
        """Folds or trials of a run, the first one first."""
        return self._runs(tag=PARENT, value=run_id, order=1)

    def runs_with_tag(self, key: str, value: str) -> list[Run]:
        """Runs with this tag, the newest first."""
        return self._runs(tag=key, value=value)

    def metric_history(self, run_id: str) -> list[MetricValue]:
        """All values of a run's metrics, as they were written."""
        return [MetricValue(*row) for row in self._rows(HISTORY, (run_id,))]

    def registry_state(self) -> RegistryState:
        """Aliases and tags of the registered model."""
        aliases = {alias: int(version) for alias, version in self._rows(ALIASES, (MODEL,))}
        return RegistryState(aliases, dict(self._rows(MODEL_TAGS, (MODEL,))))

    def model_versions(self) -> list[tuple[int, str, int, dict[str, str]]]:
        """Number, run, time and tags of each model version."""
        tags: dict[int, dict[str, str]] = {}
        for number, key, value in self._rows(VERSION_TAGS, (MODEL,)):
            tags.setdefault(number, {})[key] = value or ""
        return [
            (int(number), run_id or "", created, tags.get(number, {}))
            for number, run_id, created in self._rows(VERSIONS, (MODEL, DELETED))
        ]

    def _rows(self, query: str, values: tuple | dict) -> list[tuple]:
        return self._database.execute(query, values).fetchall() if self._database else []

    def _runs(
        self, run_id: str = "", tag: str = "", value: str = "", order: int = -1, limit: int = NO_LIMIT
    ) -> list[Run]:
        wanted = {"run_id": run_id, "tag": tag, "value": value, "order": order, "limit": limit}
        rows = self._rows(RUNS, wanted | {"experiment": EXPERIMENT})
        identifiers = json.dumps([row[0] for row in rows])
        tags, parameters, metrics = (
            self._by_run(query, identifiers) for query in (TAGS, PARAMETERS, METRICS)
        )
        versions = dict(self._rows(VERSION_OF_RUN, (MODEL, DELETED)))
        return [
            make_run(
                row,
                tags={key: text or "" for key, text in tags.get(row[0], {}).items()},
                parameters=parameters.get(row[0], {}),
                metrics=metrics.get(row[0], {}),
                version=versions.get(row[0]),
            )
            for row in rows
        ]

    def _by_run(self, query: str, identifiers: str) -> dict[str, dict]:
        out: dict[str, dict] = {}
        for run_id, key, value in self._rows(query, (identifiers,)):
            out.setdefault(run_id, {})[key] = value
        return out


@contextlib.contextmanager
def open_file(file: Path) -> Iterator[SqliteStore]:
    """Open MLflow's SQLite file, if there is one; all that is read is of one moment.

    Raises
    ------
    RegistryError
        Where it is locked or damaged; the message is a clause ("its database is damaged").
    UnexpectedSchema
        Where a table or a column is missing.
    """
    if not file.exists():
        yield SqliteStore(None)
        return
    # Not read-only: the first to open it rolls back what a killed process left half written.
    address = f"file:{urllib.parse.quote(str(file))}?mode=rw"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=LOCK_TIMEOUT)) as database:
            database.execute("BEGIN")
            if not set(database.execute(COLUMNS)) >= EXPECTED:
                raise UnexpectedSchema(str(file))
            yield SqliteStore(database)
    except sqlite3.OperationalError as error:
        raise RegistryError(LOCKED if "locked" in str(error) else f"its database: {error}") from error
    except sqlite3.DatabaseError as error:
        raise RegistryError(DAMAGED) from error
