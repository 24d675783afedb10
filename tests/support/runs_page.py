"""What tests of the section Runs do and read: a registry of its own, the page opened, runs and versions."""

import shutil

import pytest

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.registry import publish
from leukemia.tracking import run_writer
from tests.support.app import open_page
from tests.support.bundle_factory import copy_bundle
from tests.support.runs_factory import data_folder

OWN = {"recipe": "reference-cnn", "split": "patient", "seed": 0, "epochs": 16, "learning_rate": 5e-4}


@pytest.fixture(autouse=True)
def alone(tiny_bundle, tmp_path, monkeypatch):
    """A registry of its own, and another bundle shipped."""
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(settings, "SHIPPED", copy_bundle(tiny_bundle, tmp_path / "shipped", "came-with-it"))


@pytest.fixture
def data(drawn_set, tmp_path, monkeypatch):
    """The drawn set with an empty registry."""
    folder = data_folder(tmp_path / "data")
    shutil.copytree(drawn_set, folder, dirs_exist_ok=True)
    monkeypatch.setenv("LEUKEMIA_DATA", str(folder))
    return folder


@pytest.fixture
def visit(data):
    def start(run="", **query):
        query = {"section": "runs", **({"run": run} if run else {}), **query}
        return open_page("training", **query)

    return start


def train(data, name="a run", epochs=3, parameters=OWN, fingerprint="f" * 64, **options):
    """What a training records until its last epoch."""
    run = run_writer.start(
        data, name, parameters, {"data_fingerprint": fingerprint, "git_revision": "abc1234"}, **options
    )
    for epoch in range(epochs):
        run.epoch(
            epoch,
            {
                "loss": 0.6 - epoch / 10,
                "recall": 0.8 + epoch / 50,
                "specificity": 0.7,
                "val_loss": 0.5 + abs(epoch - 1) / 10,
                "val_recall": 0.75,
                "val_specificity": 0.65,
            },
        )
    return run


def register(data, bundle, folder, recipe, **changes):
    """A finished run that became a version; returns the run."""
    made = copy_bundle(bundle, folder, recipe, **changes)
    run = train(data, f"{recipe} (patient split)", parameters={**OWN, "recipe": recipe})
    publish.register(run, bundles.read(made))
    return run


def table(page, column="Run"):
    (found,) = [one.value for one in page.dataframe if column in one.value]
    return found


def told(page):
    return " ".join(
        one.value.replace("\\", "") for kind in ("success", "warning", "error") for one in page.get(kind)
    )
