"""What several tests share: drawn cells, a prepared set, a small but real bundle; and how tests are marked.

``slow`` trains a network or takes long, ``process`` starts a program, ``browser`` drives a real one.
A test that starts a program without the mark fails, so that ``make test-fast`` stays what it says.
"""

import os
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from filelock import FileLock

from leukemia.dataset.synthetic import sample_writer
from leukemia.evaluation import estimates
from leukemia.evaluation.estimate import as_record
from leukemia.imaging.cell import crop_cell, measure_cell
from tests.support import bundle_factory

CROP = 256
HERE = Path(__file__).parent
# Fixtures that only tests of these kinds ask for.
MARKS = {"postgres": "process", "at_work": "process", "serve": "process", "dashboard": "process"}
COSTLY = ("browser", "process", "slow")
# Programs that answer at once: which revision a training came from, and what machine this is.
ASKED = {"git", "uname"}

_programs: list[str] = []


@sys.addaudithook
def _note_program(event, arguments):
    if event == "subprocess.Popen":
        _programs.append(Path(arguments[0]).name)


def pytest_collection_modifyitems(items):
    """Mark tests by folder and fixtures; files of costly tests go first: none is left for the end."""
    for item in items:
        folder = item.path.relative_to(HERE).parts[0]
        if folder == "browser":
            item.add_marker("browser")
        for fixture, mark in MARKS.items():
            if fixture in item.fixturenames:
                item.add_marker(mark)
    cost = {}
    for item in items:
        costly = sum(map(bool, map(item.get_closest_marker, COSTLY)))
        cost[item.path] = cost.get(item.path, 0) + costly
    items.sort(key=lambda item: -cost[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    before = len(_programs)
    result = yield
    started = sorted(set(_programs[before:]) - ASKED)
    if started and not any(map(item.get_closest_marker, ("process", "browser"))):
        pytest.fail(f"It starts {', '.join(started)}: mark it with pytest.mark.process.", pytrace=False)
    return result


@pytest.fixture(autouse=True)
def _environment_is_as_before(tmp_path_factory):
    """A setting that a test leaves behind would be another test's; no test works in the real data folder."""
    given = os.environ.get("LEUKEMIA_DATA")
    os.environ["LEUKEMIA_DATA"] = str(tmp_path_factory.getbasetemp() / f"no-data-{uuid.uuid4().hex[:8]}")
    before = _settings()
    yield
    assert _settings() == before
    os.environ.pop("LEUKEMIA_DATA")
    if given is not None:
        os.environ["LEUKEMIA_DATA"] = given


def _settings():
    own = ("LEUKEMIA_", "MLFLOW_TRACKING_", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if name.startswith(own)}


@pytest.fixture(scope="session", autouse=True)
def _no_process_is_left():
    yield
    children = psutil.Process().children(recursive=True)
    _, left = psutil.wait_procs(children, timeout=30)
    commands = [" ".join(one.cmdline()) for one in left if one.status() != psutil.STATUS_ZOMBIE]
    assert [command for command in commands if "resource_tracker" not in command] == []


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Make a folder once for all workers of a run; each gets a copy of its own."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base

    def get(name, make):
        whole, partial = shared / f"once-{name}", shared / f"partial-{name}"
        with FileLock(shared / f"{name}.lock"):
            if not whole.exists():
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir()
                make(partial)
                partial.rename(whole)
        return shutil.copytree(whole, tmp_path_factory.mktemp(name) / name)

    return get


@pytest.fixture(scope="session")
def drawn():
    """Sixty drawn cells: list of (name, label, pixels)."""
    rng = np.random.default_rng(7)
    labels = ["Normal", "ALL"] * 30
    return [
        (f"cell_{i:02d}_{label}", label, sample_writer.draw_cell(rng, label))
        for i, label in enumerate(labels)
    ]


@pytest.fixture(scope="session")
def drawn_files(drawn, tmp_path_factory):
    """The drawn cells as BMP files in a folder."""
    folder = tmp_path_factory.mktemp("drawn")
    for name, _, pixels in drawn:
        (folder / f"{name}.bmp").write_bytes(sample_writer.encode(pixels, "BMP"))
    return folder


@pytest.fixture(scope="session")
def stain_bundle(tmp_path_factory):
    """A bundle that answers a cell of a drawn field only once its stain is matched."""
    from tests.support.stain_factory import write_stain_bundle

    return write_stain_bundle(tmp_path_factory.mktemp("stain") / "bundle")


@pytest.fixture(scope="session")
def tiny_bundle(drawn, once):
    """A bundle whose network looks at the mean colour only, fitted to the drawn cells."""
    return once("tiny", lambda folder: _write_tiny(drawn, folder))


def _write_tiny(drawn, folder):
    import keras
    from sklearn.linear_model import LogisticRegression

    from leukemia.bundles import schema, writer
    from leukemia.evaluation import metrics

    crops = np.stack([crop_cell(measure_cell(pixels), CROP) for _, _, pixels in drawn])
    truth = np.array([label == "ALL" for _, label, _ in drawn])
    means = crops.mean(axis=(1, 2)) / 255
    fitted = LogisticRegression(C=1e4, max_iter=5_000).fit(means, truth)

    inputs = keras.Input((CROP, CROP, 3), dtype="uint8")
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.layers[-1].set_weights([fitted.coef_.T, fitted.intercept_])

    predictions = pd.DataFrame(
        {
            "image_id": [measure_cell(pixels).image_id for _, _, pixels in drawn],
            "patient_group": [
                f"{'H' * (label == 'Normal')}{i // 2 % 6}" for i, (_, label, _) in enumerate(drawn)
            ],
            "label": [label for _, label, _ in drawn],
            "probability": fitted.predict_proba(means)[:, 1].round(6),
        }
    )
    part = {"cells": {"ALL": 30, "Normal": 30}, "patient_groups": {"ALL": 6, "Normal": 6}, "groups": []}
    record = {
        "recipe": {"name": "tiny-test", "summary": "Mean colour only; for tests.", "training": {"epochs": 1}},
        "split": {"by": "patient", "seed": 0, "training": part, "validation": part, "test": part},
        "epochs": {"run": 1, "best": 1},
        "history": [{"loss": 0.5, "val_loss": 0.5, "val_recall_at_specificity": 0.875, "val_auroc": 0.9}],
        "threshold": {"value": 0.5, "target_recall": 0.95, "chosen_on": "validation patients"},
        "data": {"fingerprint": "0" * 64, "synthetic": True, "cells": 60, "patient_groups": 12},
        "figures": as_record(estimates.of(predictions, 0.5)),
        "patient_figures": as_record(estimates.of_patients(predictions, 0.5)),
        "confusion": metrics.confusion(predictions, 0.5),
    }
    writer.write(folder, model, schema.Training(**record), predictions, crops[:4])


@pytest.fixture
def copied_bundle(tiny_bundle, tmp_path):
    """A copy of the tiny bundle that a test may damage."""
    return shutil.copytree(tiny_bundle, tmp_path / "copy")


@pytest.fixture(scope="session")
def prepared(once):
    """A prepared data folder: 12 patients with six drawn cells each, two unlabelled."""
    return once("prepared", _prepare)


def _prepare(data):
    from leukemia.dataset import manifest

    rng = np.random.default_rng(3)
    rows = []
    patients = (
        [(f"H{n}", "Normal") for n in range(1, 6)] + [(str(n), "ALL") for n in range(1, 8)] + [("", "")]
    )
    for patient, label in patients:
        for number in range(6 if label else 2):
            cell = measure_cell(sample_writer.draw_cell(rng, label or "ALL"))
            path = f"{label or 'unlabeled'}-{patient}-{number}.png"
            (data / path).write_bytes(sample_writer.encode(cell.pixels, "PNG"))
            rows.append(
                {
                    "image_id": cell.image_id,
                    "path": path,
                    "label": label,
                    "patient": patient,
                    "patient_group": patient,
                    "source": "synthetic",
                    "width": cell.width,
                    "height": cell.height,
                    "cell_area": cell.area,
                    "origin": path,
                    "file_sha256": cell.image_id,
                }
            )
    manifest.write(data, pd.DataFrame(rows))


@pytest.fixture(scope="session")
def drawn_set(once):
    """A small drawn set in C-NMC's shape, with its traps, imported; not to be altered."""
    return once("drawn_set", _import_drawn_set)


def _import_drawn_set(data):
    from leukemia.dataset.importing import importer

    with tempfile.TemporaryDirectory() as source:
        sample_writer.write_sample(Path(source), patients=12, cells=8, seed=5)
        importer.prepare(Path(source), data, workers=2)


@pytest.fixture(scope="session")
def looked_through(drawn_set, once):
    """The drawn set, measured and looked through, so no page on it starts a process; not to be altered."""
    return once("looked_through", lambda data: _look_through(drawn_set, data))


def _look_through(drawn_set, data):
    from leukemia.dataset import manifest
    from leukemia.dataset.catalog import brightness
    from leukemia.dataset.quality import near_duplicates

    shutil.copytree(drawn_set, data, dirs_exist_ok=True)
    brightness.measure(data, workers=2)
    near_duplicates.cached_or_scan(data, manifest.read(data), workers=2)


@pytest.fixture(scope="session")
def drawn_bundle(tiny_bundle, drawn_set, tmp_path_factory):
    """The tiny network as if it had been trained on the drawn set, a third of the patients held out.

    Of its held-out answers all are sure and right, but for the first two cells.
    """
    from leukemia.bundles import predictions
    from leukemia.dataset import manifest

    folder = shutil.copytree(tiny_bundle, tmp_path_factory.mktemp("drawn_bundle") / "bundle")
    cells = manifest.read(drawn_set)
    labelled = cells[cells["label"] != ""].drop_duplicates("image_id")
    groups = sorted(labelled["patient_group"].unique())
    parts = enumerate(("training", "validation", "test"))
    bundle_factory.edit(folder, {f"split.{part}.groups": groups[number::3] for number, part in parts})
    test = labelled[labelled["patient_group"].isin(groups[2::3])]
    is_all = (test["label"] == "ALL").to_numpy(copy=True)
    is_all[:2] = ~is_all[:2]
    test = test.assign(probability=np.where(is_all, 0.95, 0.05))
    columns = list(predictions.COLUMNS)
    return bundle_factory.write_predictions(folder, test[columns])


@pytest.fixture(scope="session")
def answers():
    """Make held-out predictions of patients who differ, with ties, as a function of the seed."""

    def make(seed=0, patients=9, most=40, sharpness=1.5):
        rng = np.random.default_rng(seed)
        rows = []
        for number in range(patients):
            label = "ALL" if number % 3 else "Normal"
            middle = rng.normal(sharpness if label == "ALL" else -sharpness, 0.8)
            size = int(rng.integers(2, most))
            probability = 1 / (1 + np.exp(-rng.normal(middle, 1.5, size)))
            rows += [
                (f"{seed}-{number}-{i}", f"p{number}", label, p) for i, p in enumerate(probability.round(2))
            ]
        return pd.DataFrame(rows, columns=["image_id", "patient_group", "label", "probability"])

    return make
