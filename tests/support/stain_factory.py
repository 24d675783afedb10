"""A bundle whose distance is how red a crop is: what matching the stain does to it can be reckoned."""

import json
from dataclasses import asdict

import numpy as np
import openvino
from openvino import opset13 as op

from leukemia.bundles import bundle as bundles
from leukemia.bundles import predictions
from leukemia.imaging import stain
from tests.support.bundle_factory import edit, sign, write_bundle
from tests.support.pictures import ellipse

# Levels of red, of the whole crop, at which the distance is 0; levels for each unit of it; and the limit.
RED, UNIT, LIMIT = 131.0, 10.0, 1.5
SIDE = 256


def training_cells():
    """Two cells as those that the bundle learned from."""
    return [ellipse(colour=(200, 60, 160)), ellipse(colour=(180, 50, 150))]


def write_stain_bundle(folder, recorded=True):
    """A bundle with a distance; ``recorded``: with the stain of its training cells."""
    write_bundle(folder)
    crops = op.parameter([-1, SIDE, SIDE, 3], np.uint8, name="crop")
    means = op.reduce_mean(op.convert(crops, "f32"), [1, 2], keep_dims=False)
    levels = op.reduce_mean(means, [1], keep_dims=True)
    red = op.gather(means, np.array([0]), np.array(1))
    probability = op.sigmoid(op.divide(op.subtract(levels, np.float32(30)), np.float32(50)))
    distance = op.divide(op.abs(op.subtract(red, np.float32(RED))), np.float32(UNIT))
    model = openvino.Model([probability, distance], [crops])
    openvino.save_model(model, folder / bundles.ENGINE, compress_to_fp16=False)
    changes = {"novelty": {"limit": LIMIT, "pass": 0.99, "passed_out_of_fold": 0.99}}
    if recorded:
        changes["stain"] = json.loads(json.dumps(asdict(stain.measure(training_cells()))))
    edit(folder, changes)
    rows = [f"{n},P{n},{label},{p}" for n, (label, p) in enumerate([("ALL", 0.9), ("Normal", 0.1)])]
    (folder / bundles.PREDICTIONS).write_text("\n".join([",".join(predictions.COLUMNS), *rows]) + "\n")
    return sign(folder, bundles.ENGINE, bundles.WEIGHTS, bundles.PREDICTIONS)
