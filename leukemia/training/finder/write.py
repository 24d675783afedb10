"""The trained network to the engine that finds cells."""

from pathlib import Path

import keras
import numpy as np
import openvino

from leukemia.errors import BundleError
from leukemia.networks.batchnorm_fusion import fuse
from leukemia.segmentation.network import ENGINE

WEIGHTS = "model.keras"
# By how much the engine's answers may differ from the network's.
AGREEMENT = 0.02


def write(model: keras.Model, folder: Path) -> None:
    """Write a network and its engine, and check that both answer alike.

    Parameters
    ----------
    model : keras.Model
        See :func:`leukemia.networks.cell_finder.build`.
    folder : Path
        Where ``model.keras``, ``engine.xml`` and ``engine.bin`` are written.

    Raises
    ------
    BundleError
        Where the engine answers something else than the network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fused = fuse(model)
    fused.save(folder / WEIGHTS)
    exported = folder / "full.xml"
    fused.export(str(exported), format="openvino", verbose=False)
    openvino.save_model(openvino.Core().read_model(exported), folder / ENGINE, compress_to_fp16=True)
    for file in (exported, exported.with_suffix(".bin")):
        file.unlink()
    probe = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), np.uint8)
    engine = openvino.Core().compile_model(folder / ENGINE, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    own = fused.predict_on_batch(probe)
    for name, answer in zip(("places", "white"), engine(probe).values(), strict=True):
        worst = float(np.abs(answer - own[name]).max())
        if not worst <= AGREEMENT:
            raise BundleError(f"The engine differs from the network by {worst:.4f} in {name}.")
