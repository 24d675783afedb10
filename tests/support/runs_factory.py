"""Runs as a training records them, and the model versions they become; no network inside."""

import tempfile
from functools import cache
from pathlib import Path

from leukemia.bundles import bundle as bundles
from leukemia.registry import publish
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client, run_writer
from tests.support.bundle_factory import write_bundle


@cache
def empty_database():
    """MLflow's tables without a row; MLflow takes a second and a half to make them."""
    with tempfile.TemporaryDirectory() as folder:
        mlflow_client.client(Path(folder)).search_registered_models()
        return Workspace(folder).mlflow_db.read_bytes()


def data_folder(folder):
    """A data folder with an empty registry, in SQLite."""
    folder.mkdir()
    Workspace(folder).mlflow_db.write_bytes(empty_database())
    return folder


def finish_run(data, bundle, name="a run"):
    """What the end of a training does; returns the run."""
    run = run_writer.start(data, name, {"recipe": name}, {"git_revision": "test"})
    publish.register(run, bundles.read(bundle))
    return run


def make_versions(data, folder, recalls):
    """Finished runs with these held-out recalls; returns their version numbers."""
    return [
        finish_run(data, write_bundle(folder / f"bundle-{n}-{recall}", recall, f"recipe-{n}")).version
        for n, recall in enumerate(recalls)
    ]
