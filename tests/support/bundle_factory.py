"""Bundles as tests need them: written without a network, renamed, with other held-out predictions."""

import json
import shutil

import numpy as np

from leukemia.bundles import bundle as bundles


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


def change_record(folder, change):
    """Alter a bundle's record: ``change`` is given it and alters it."""
    record = json.loads((folder / bundles.RECORD).read_text())
    change(record)
    (folder / bundles.RECORD).write_text(json.dumps(record))


def write_predictions(folder, predictions):
    """Give a bundle other held-out predictions, with their checksum."""
    predictions.to_csv(folder / bundles.PREDICTIONS, index=False)
    checksum = bundles.checksum(folder / bundles.PREDICTIONS)
    change_record(folder, lambda record: record["files"].update({bundles.PREDICTIONS: checksum}))


def blurred(bundle):
    """Held-out predictions of a version that sees the cells otherwise."""
    predictions = bundles.read(bundle).predictions
    noise = np.random.default_rng(0).random(len(predictions))
    return predictions.assign(probability=(0.6 * predictions["probability"] + 0.4 * noise).round(4))


def copy_bundle(bundle, folder, recipe=None, predictions=None, recall=None):
    """A copy of a bundle; where they are given with another name, other predictions, another recall."""
    shutil.copytree(bundle, folder)
    if predictions is not None:
        write_predictions(folder, predictions)

    def change(record):
        if recipe is not None:
            record["recipe"]["name"] = recipe
        if recall is not None:
            record["figures"]["sensitivity"] = {"value": recall, "low": recall - 0.1, "high": recall}

    change_record(folder, change)
    return folder
