"""Small bundles that pass for whole, and runs that make them model versions; no network inside."""

import json
import tempfile
from functools import cache
from pathlib import Path

from leukemia.bundles import bundle as bundles
from leukemia.registry import publish
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client, run_writer


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


def write_bundle(folder, recall=0.9, recipe="small", cells=("a", "b"), by="patient", synthetic=False):
    """A bundle with checksums; its network is a line of text."""
    folder.mkdir(parents=True)
    (folder / bundles.NETWORK).write_text(f"network of {recipe} with {recall}")
    for name in (bundles.ENGINE, bundles.WEIGHTS, bundles.CARD):
        (folder / name).write_text(f"{name} of {recipe}")
    rows = [f"{cell},P{n},ALL,0.9" for n, cell in enumerate(cells)]
    (folder / bundles.PREDICTIONS).write_text("\n".join([",".join(bundles.PREDICTION_COLUMNS), *rows]) + "\n")
    figure = {"value": recall, "low": recall - 0.1, "high": min(1.0, recall + 0.1)}
    record = {
        "version": bundles.VERSION,
        "classes": bundles.CLASSES,
        "recipe": {"name": recipe},
        "preprocessing": {"crop": 256},
        "threshold": {"value": 0.5},
        "figures": {"sensitivity": figure, "specificity": figure, "auroc": figure},
        "split": {"by": by},
        "data": {"synthetic": synthetic, "fingerprint": "f" * 64},
        "files": {name: bundles.checksum(folder / name) for name in bundles.CHECKED},
    }
    (folder / bundles.RECORD).write_text(json.dumps(record))
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
