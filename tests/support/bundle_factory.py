"""Bundles as tests need them: written without a network, renamed, with another record or predictions."""

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from leukemia.bundles import breakdown, model_card, predictions, schema
from leukemia.bundles import bundle as bundles
from leukemia.bundles.schema import SCHEMA_VERSION
from leukemia.classes import CLASSES
from leukemia.evaluation import conformal
from leukemia.evaluation.breakdown import sources
from leukemia.operating_point import OperatingPoint


@cache
def engine():
    """The two files of an engine that OpenVINO reads: the mean level of a crop as a probability."""
    import openvino
    from openvino import opset13 as op

    crops = op.parameter([-1, 256, 256, 3], np.uint8, name="crop")
    means = op.reduce_mean(op.convert(crops, "f32"), [1, 2], keep_dims=False)
    out = op.sigmoid(op.reduce_mean(means, [1], keep_dims=True))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / bundles.ENGINE
        openvino.save_model(openvino.Model([out], [crops]), path, compress_to_fp16=False)
        return {name: (Path(folder) / name).read_bytes() for name in (bundles.ENGINE, bundles.WEIGHTS)}


def write_bundle(folder, recall=0.9, recipe="small", cells=("a", "b"), by="patient", synthetic=False):
    """A bundle with checksums; its network is a line of text, its engine a real one."""
    folder.mkdir(parents=True)
    (folder / bundles.NETWORK).write_text(f"network of {recipe} with {recall}")
    for name, content in engine().items():
        (folder / name).write_bytes(content)
    (folder / bundles.CARD).write_text(f"{bundles.CARD} of {recipe}")
    rows = [f"{cell},P{n},ALL,0.9" for n, cell in enumerate(cells)]
    (folder / bundles.PREDICTIONS).write_text("\n".join([",".join(predictions.COLUMNS), *rows]) + "\n")
    estimate = {"value": recall, "low": recall - 0.1, "high": min(1.0, recall + 0.1)}
    subset = {"cells": {}, "patient_groups": {}, "groups": []}
    record = {
        "version": SCHEMA_VERSION,
        "classes": CLASSES,
        "created": "2026-01-01T00:00:00+00:00",
        "recipe": {"name": recipe, "summary": "", "training": {}},
        "split": {"by": by, "seed": 0, "training": subset, "validation": subset, "test": subset},
        "epochs": {"run": 1, "best": 1},
        "history": [{"loss": 0.5}],
        "threshold": {"value": 0.5, "target_recall": 0.95, "chosen_on": "validation patients"},
        "data": {"fingerprint": "f" * 64, "synthetic": synthetic, "cells": 2, "patient_groups": 2},
        "figures": {"sensitivity": estimate, "specificity": estimate, "auroc": estimate},
        "patient_figures": {},
        "confusion": {"tn": 0, "fp": 0, "fn": 0, "tp": 2},
        "preprocessing": {"crop": 256, "channels": "RGB", "scale": "native", "parameters": 1},
        "versions": {},
        "files": {name: bundles.checksum(folder / name) for name in bundles.CHECKED},
    }
    (folder / bundles.RECORD).write_text(json.dumps(record))
    return folder


def edit(folder, changes):
    """Change fields of a bundle's record, each named by its place such as ``split.by``; return the folder."""
    record = json.loads((folder / bundles.RECORD).read_text())
    for place, value in changes.items():
        *way, last = place.split(".")
        fields = record
        for name in way:
            fields = fields[name]
        fields[last] = value
    (folder / bundles.RECORD).write_text(json.dumps(record))
    return folder


def sign(folder, *names):
    """Put the checksums of files that were altered on record; return the folder."""
    files = json.loads((folder / bundles.RECORD).read_text())["files"]
    return edit(folder, {"files": files | {name: bundles.checksum(folder / name) for name in names}})


def spoil(folder, kind):
    """Spoil one thing in a bundle, all checksums as they should be; return the folder."""
    changes = {
        "nan": {"threshold.value": float("nan")},
        "inf": {"threshold.value": 1e300},
        "text": {"indeterminate": "wide"},
        "band": {"indeterminate": {"low": 0.8, "high": 0.2, "missed": 0.05, "alarmed": 0.2}},
        "limit": {"novelty": {"limit": float("nan"), "pass": 0.99, "passed_out_of_fold": 0.99}},
        "crop": {"preprocessing.crop": 0},
        "figure": {"figures.sensitivity": {"value": 95, "low": 90, "high": 99}},
    }
    if kind in changes:
        return edit(folder, changes[kind])
    if kind == "deep":
        (folder / bundles.RECORD).write_text("[" * 200_000)
        return folder
    if kind == "card":
        (folder / bundles.CARD).write_bytes(bytes(range(256)))
        return sign(folder, bundles.CARD)
    predictions = (folder / bundles.PREDICTIONS).read_text().splitlines()
    changed = {"probability": "x,P0,ALL,nan", "label": "x,P0,Blast,0.5", "ragged": "x,P0,ALL"}
    (folder / bundles.PREDICTIONS).write_text("\n".join([*predictions, changed[kind]]) + "\n")
    return sign(folder, bundles.PREDICTIONS)


SPOILT = (
    *("nan", "inf", "text", "band", "limit", "crop", "figure", "deep", "card"),
    *("probability", "label", "ragged"),
)


def write_predictions(folder, predictions):
    """Give a bundle other held-out predictions, with their checksum; return the folder."""
    predictions.to_csv(folder / bundles.PREDICTIONS, index=False)
    return sign(folder, bundles.PREDICTIONS)


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
    changes = {} if recipe is None else {"recipe.name": recipe}
    if recall is not None:
        changes["figures.sensitivity"] = {"value": recall, "low": recall - 0.1, "high": recall}
    return edit(folder, changes)


def judge_by_source(folder):
    """Make a bundle one of six folds and two sources, judged by source; return the folder.

    One source has four patients of each class, the other two; its record and card say what follows.
    """
    bundle = bundles.read(folder)
    frame = bundle.predictions.copy()
    number = frame["patient_group"].str.lstrip("H").astype(int)
    band = conformal.Band(0.3, 0.8, 0.05, 0.2)
    frame = frame.assign(
        fold=number,
        source=np.where(number < 4, "fold_0", "fold_2"),
        cell_area=range(20_000, 20_000 + len(frame)),
        called=band.call(frame["probability"]),
    )
    write_predictions(folder, frame)
    split = bundle.record.split.model_copy(update={"folds": 6})
    promised = schema.Band(**band.record(), promises=conformal.promises(frame, band))
    threshold = bundle.record.threshold.model_copy(update={"worst_source": "fold_2"})
    point = OperatingPoint.of(bundle.threshold, (band.low, band.high))
    figures = breakdown.three_way(frame, point) | breakdown.by_source(sources.evaluate(frame, point))
    record = bundle.record.model_copy(
        update={"split": split, "indeterminate": promised, "threshold": threshold, **figures}
    )
    (folder / bundles.CARD).write_text(model_card.render(record))
    (folder / bundles.RECORD).write_text(record.to_json())
    return sign(folder, bundles.PREDICTIONS, bundles.CARD)
