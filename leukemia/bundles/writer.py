"""A trained network to a bundle: written whole, its engine checked against Keras."""

import json
import platform
import shutil
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import openvino
import pandas as pd

from leukemia.bundles import bundle as bundles
from leukemia.bundles import model_card
from leukemia.errors import BundleError
from leukemia.networks import (
    serving_network,  # noqa: F401 (their layers become known to Keras)
)

# The engine's answers may differ from Keras's by at most this much probability.
AGREEMENT = 1e-3
VERSIONS = ("keras", "tensorflow", "openvino", "numpy", "scikit-learn")


def pack(
    folder: Path,
    model: keras.Model,
    record: dict[str, Any],
    predictions: pd.DataFrame,
    probe: np.ndarray,
) -> bundles.Bundle:
    """Write a bundle, replacing the one in ``folder`` only when the new one is whole.

    Parameters
    ----------
    folder : Path
        Where the bundle shall lie.
    model : keras.Model
        From uint8 (n, size, size, 3) to the probability of ALL (n, 1), or to that and a distance
        (n, 1). Not compiled: an optimizer would be saved too, at twice the size of the weights.
    record : dict
        The content of ``bundle.json`` but for what is added here: version, classes, created,
        preprocessing, versions, files.
    predictions : pandas.DataFrame
        Held-out predictions with the columns of :data:`bundle.PREDICTION_COLUMNS`.
    probe : numpy.ndarray
        uint8 crops, shape (n, size, size, 3), on which the engine must agree with Keras.

    Raises
    ------
    BundleError
        Where the engine's answers differ from the network's by more than ``AGREEMENT``.
    OSError
        Where the disk is full; ``folder`` is then as it was.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder.parent))
    try:
        partial.chmod(0o755)
        model.save(partial / bundles.NETWORK)
        _write_engine(model, partial, probe)
        more = [name for name in bundles.FOLD_COLUMNS if name in predictions]
        columns = [*bundles.PREDICTION_COLUMNS, *more]
        predictions[columns].to_csv(partial / bundles.PREDICTIONS, index=False, lineterminator="\n")
        whole = _complete(record, model)
        (partial / bundles.CARD).write_text(model_card.render(whole), encoding="utf-8")
        whole["files"] = {name: bundles.checksum(partial / name) for name in bundles.CHECKED}
        (partial / bundles.RECORD).write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
        bundles.read(partial)
        _replace(folder, partial)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return bundles.read(folder)


def network(folder: Path) -> keras.Model:
    """Load a bundle's network into Keras; the layers of our own that it may hold are known here.

    Parameters
    ----------
    folder : Path
        The bundle's directory; see :func:`leukemia.bundles.bundle.read` for whether it is whole.
    """
    return keras.models.load_model(folder / bundles.NETWORK, safe_mode=True)


def _write_engine(model: keras.Model, folder: Path, probe: np.ndarray) -> None:
    full = folder / "full.xml"
    model.export(str(full), format="openvino", verbose=False)
    core = openvino.Core()
    network = core.read_model(full)
    # Weights as half floats halve the file; the arithmetic stays in full precision.
    openvino.save_model(network, folder / bundles.ENGINE, compress_to_fp16=True)
    del network
    full.unlink()
    full.with_suffix(".bin").unlink()
    compiled = core.compile_model(folder / bundles.ENGINE, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    expected = model.predict_on_batch(probe)
    expected = expected if isinstance(expected, list) else [expected]
    found = compiled(probe)
    for number, (what, own) in enumerate(zip(("probability", "distance"), expected, strict=False)):
        # A distance has no bound: it is compared as a share.
        worst = float((np.abs(found[number] - own) / np.maximum(own, 1)).max())
        if not worst <= AGREEMENT:
            raise BundleError(f"The engine differs from the network by {worst:.4f} in {what}.")


def _complete(record: dict[str, Any], model: keras.Model) -> dict[str, Any]:
    return {
        "version": bundles.VERSION,
        "classes": bundles.CLASSES,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **record,
        "preprocessing": {
            "crop": model.input_shape[1],
            "channels": "RGB",
            "scale": "native: the frame is never resized; square about the cell's middle, black outside",
            "parameters": model.count_params(),
        },
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
    }


def _replace(folder: Path, partial: Path) -> None:
    # A folder cannot be renamed over another that is not empty: the old one steps aside first.
    aside = folder.with_name(f".old-{folder.name}")
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        folder.rename(aside)
    partial.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)
