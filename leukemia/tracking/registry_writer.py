"""What is written to MLflow's registry, and the bundles that it holds."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia.tracking import mlflow_client
from leukemia.tracking.records import CHAMPION, MODEL

if TYPE_CHECKING:
    import mlflow

ARTIFACT = "bundle"


def create_version(client: "mlflow.MlflowClient", run_id: str, tags: Mapping[str, str], unique: str) -> int:
    """Make the bundle that is a run's artifact a model version; return its number.

    A run's version whose tag ``unique`` has the same value is not made twice.

    Raises
    ------
    mlflow.exceptions.MlflowException
        And what else :func:`mlflow_client.faults` lists.
    """
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(MODEL)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    for known in client.search_model_versions(f"run_id = '{run_id}'"):
        if known.tags.get(unique) == tags[unique]:
            return int(known.version)
    made = client.create_model_version(MODEL, f"runs:/{run_id}/{ARTIFACT}", run_id, tags=dict(tags))
    return int(made.version)


def set_alias(data: Path, alias: str, number: int | None) -> None:
    """Let an alias name a version, or none; raises what :func:`mlflow_client.faults` lists."""
    client = mlflow_client.client(data)
    if number is None:
        client.delete_registered_model_alias(MODEL, alias)
    else:
        client.set_registered_model_alias(MODEL, alias, str(number))


def set_champion(data: Path, number: int | None, key: str, value: str) -> None:
    """Record why in a tag of the version and of the model, then let ``champion`` name the version, or none.

    Where one of these fails, the tags are taken back; raises what :func:`mlflow_client.faults` lists.
    """
    client = mlflow_client.client(data)
    try:
        if number is not None:
            client.set_model_version_tag(MODEL, str(number), key, value)
        client.set_registered_model_tag(MODEL, key, value)
        set_alias(data, CHAMPION, number)
    except mlflow_client.faults():
        with contextlib.suppress(*mlflow_client.faults()):
            client.delete_registered_model_tag(MODEL, key)
            if number is not None:
                client.delete_model_version_tag(MODEL, str(number), key)
        raise


def download_bundle(data: Path, run_id: str, folder: Path) -> Path:
    """Copy the bundle of a run into ``folder``; return where it should lie now.

    Raises what :func:`mlflow_client.faults` lists.
    """
    mlflow_client.client(data).download_artifacts(run_id, ARTIFACT, str(folder))
    return folder / ARTIFACT
