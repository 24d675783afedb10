"""Where MLflow keeps runs and versions, and how long it may take to answer.

MLflow takes seconds to import: it is imported by who makes a client, not by who imports this.
"""

import contextlib
import hashlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia import settings
from leukemia.errors import RegistryError
from leukemia.storage import databases
from leukemia.storage.workspace import Workspace
from leukemia.tracking import creation

if TYPE_CHECKING:
    import mlflow

# MLflow itself waits a quarter of an hour for a server that does not answer: a training would stand still.
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
# What SQLAlchemy puts before a driver's own words: "(sqlite3.OperationalError) database is locked".
DRIVER = re.compile(r"^\([\w.]+\) ")
DISK_FULL = "the disk is full"


def uri(data: Path) -> str:
    """Where runs and versions of a data folder are kept, for MLflow."""
    return settings.load().tracking_uri or databases.url(Workspace(Path(data).resolve()).mlflow_db)


def database(data: Path) -> Path | None:
    """The SQLite file that they are kept in, or None where they are kept elsewhere."""
    return databases.file(uri(data))


def last_served_file(data: Path) -> Path:
    """Where is noted which version of this registry answered last, for when it cannot be asked."""
    # Another registry has other versions of the same number.
    registry = hashlib.sha256(uri(data).encode()).hexdigest()[:8]
    return Workspace(Path(data).resolve()).serving / f"last-{registry}.json"


def is_gone(data: Path) -> bool:
    """Whether the SQLite file is missing though something was recorded in it."""
    file = database(data)
    traces = (last_served_file(data), Workspace(data).mlruns)
    return file is not None and not file.exists() and any(path.exists() for path in traces)


def artifacts(data: Path) -> str | None:
    """Where files of runs go, as a URI; None where the server decides."""
    return None if settings.load().tracking_uri else Workspace(Path(data).resolve()).mlruns.as_uri()


def client(data: Path) -> "mlflow.MlflowClient":
    """Make MLflow's client for a data folder; raises what :func:`faults` lists."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow

    # MLflow logs at length how it makes its tables.
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if file := database(data):
        creation.ensure(file, Workspace(Path(data).resolve()).mlruns)
    return mlflow.MlflowClient(tracking_uri=uri(data))


def faults() -> tuple[type[Exception], ...]:
    """What MLflow raises where it cannot be reached, or not do what was asked."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, OSError


def first_line(error: BaseException) -> str:
    """The first line of what went wrong, without the name that a database's driver has for it."""
    line = DRIVER.sub("", (str(error).splitlines() or [type(error).__name__])[0])
    if any(words in line.lower() for words in ("disk is full", "disk i/o error", "no space left")):
        return DISK_FULL
    return line


@contextlib.contextmanager
def translated(trouble: str) -> Iterator[None]:
    """Turn MLflow's faults into a :class:`RegistryError` that begins with ``trouble``."""
    try:
        yield
    except faults() as error:
        raise RegistryError(f"{trouble}: {first_line(error)}") from error
