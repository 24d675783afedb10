"""Runs and model versions on record, read quickly.

MLflow takes seconds to be imported and seconds to list a few hundred runs. So its SQLite file is read as
such (:mod:`leukemia.tracking.sqlite`); a server, and a file that is not as expected, is asked through
MLflow (:mod:`leukemia.tracking.mlflow`). Tests hold that both say the same.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from leukemia.errors import RegistryError
from leukemia.tracking import mlflow_client, sqlite
from leukemia.tracking.mlflow import MlflowStore
from leukemia.tracking.records import MetricValue, RegistryState, Run


class RunStore(Protocol):
    """What can be asked of the record; each method raises RegistryError where there is no answer.

    A run that MLflow has as running may have been killed: see :mod:`leukemia.tracking.run_history`.
    """

    def top_level_runs(self, limit: int) -> list[Run]:
        """At most ``limit`` runs that are not children of another one, the newest first."""

    def run(self, run_id: str) -> Run | None:
        """The run of this identifier, or None."""

    def children(self, run_id: str) -> list[Run]:
        """Folds or trials of a run, the first one first."""

    def runs_with_tag(self, key: str, value: str) -> list[Run]:
        """Runs with this tag, the newest first."""

    def metric_history(self, run_id: str) -> list[MetricValue]:
        """All values of a run's metrics, the first written first, as far as it is known."""

    def registry_state(self) -> RegistryState:
        """Aliases and tags of the registered model."""

    def model_versions(self) -> list[tuple[int, str, int, dict[str, str]]]:
        """Number, run, time (milliseconds since 1970) and tags of each model version, in any order."""


@contextlib.contextmanager
def open_store(data: Path, trouble: str) -> Iterator[RunStore]:
    """Open the record of a data folder. Where there is none yet, it is empty and none is made.

    Parameters
    ----------
    data : Path
        The data folder.
    trouble : str
        What cannot be done without an answer: the beginning of the error's sentence.

    Raises
    ------
    RegistryError
        On opening and by each method: "``trouble``: its database is damaged."
    """
    file = mlflow_client.database(data)
    try:
        with contextlib.ExitStack() as stack:
            store: RunStore = MlflowStore(data)
            if file is not None:
                with contextlib.suppress(sqlite.UnexpectedSchema):
                    store = stack.enter_context(sqlite.open_file(file))
            yield store
    except RegistryError as error:
        raise RegistryError(f"{trouble}: {str(error).rstrip('.')}.") from error
