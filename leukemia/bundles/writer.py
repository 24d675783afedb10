"""A trained network to a bundle: written whole or not at all, its engine checked against Keras."""

import platform
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import openvino
import pandas as pd

from leukemia.bundles import bundle as bundles
from leukemia.bundles import engine as engines
from leukemia.bundles import model_card, quantization, schema
from leukemia.bundles import predictions as held_out
from leukemia.classes import CLASSES
from leukemia.errors import BundleError
from leukemia.imaging import scale
from leukemia.jobs import progress
from leukemia.storage import atomic

# The engine's answers may differ from Keras's by at most this much probability.
AGREEMENT = 1e-3
VERSIONS = ("keras", "tensorflow", "openvino", "numpy", "scikit-learn")
# What a bundle with another threshold has in common with the one that it is made from.
COPIED = (bundles.NETWORK, bundles.ENGINE, bundles.WEIGHTS, bundles.PREDICTIONS)
# Bundles of one name that are told apart by a number.
MANY = 1_000


class Network(Protocol):
    """What is needed of a ``keras.Model``, without Keras."""

    input_shape: tuple[int | None, ...]

    def save(self, path: Path) -> None:
        """Write it in Keras's own format."""

    def export(self, path: str, **options: Any) -> None:
        """Write it in another program's format."""

    def predict_on_batch(self, crops: np.ndarray) -> np.ndarray | list[np.ndarray]:
        """Answer crops."""

    def count_params(self) -> int:
        """Count its weights."""


def write(
    folder: Path,
    model: Network,
    training: schema.Training,
    predictions: pd.DataFrame,
    probe: np.ndarray,
    labelled: quantization.LabelledCells | None = None,
) -> bundles.Bundle:
    """Write a bundle, replacing the one in ``folder`` only when the new one is whole.

    Parameters
    ----------
    folder : Path
        Where the bundle shall lie.
    model : keras.Model
        From uint8 (n, size, size, 3) to the probability of ALL (n, 1), or to that and a distance
        (n, 1). Not compiled: an optimizer would be saved too, at twice the size of the weights.
    training : schema.Training
        What the training says of it; the rest of the record is added here.
    predictions : pandas.DataFrame
        Held-out predictions with the columns of :data:`leukemia.bundles.predictions.COLUMNS`.
    probe : numpy.ndarray
        uint8 crops, shape (n, size, size, 3), on which the engine must agree with Keras.
    labelled : quantization.LabelledCells, optional
        What an engine in int8 is made and judged with; without it the engine is in full precision.

    Raises
    ------
    BundleError
        Where the answers of the engine in full precision differ from the network's by more than
        ``AGREEMENT``.
    OSError
        Where the disk is full; ``folder`` is then as it was.
    """
    # Resolved: a path that leads through the folder itself ends while that is replaced.
    folder = Path(folder).resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic.partial_folder(folder.parent) as partial:
        progress.current().step("Writing the model")
        model.save(partial / bundles.NETWORK)
        engine = _write_engine(model, partial, probe, training, labelled)
        more = [name for name in held_out.FURTHER_COLUMNS if name in predictions]
        columns = [*held_out.COLUMNS, *more]
        predictions[columns].to_csv(partial / bundles.PREDICTIONS, index=False, lineterminator="\n")
        _write_record(partial, _complete(training, model, engine))
        atomic.replace_folder(folder, partial)
    return bundles.read(folder)


def write_copy(bundle: bundles.Bundle, place: Path, name: str, record: schema.Record) -> bundles.Bundle:
    """Write a bundle of the same network and predictions with another record, and a card to it.

    Parameters
    ----------
    bundle : Bundle
        The one that is copied.
    place : Path
        The folder that shall hold the new bundle's folder.
    name : str
        What that is called; with a number behind it where there is one of that name.
    record : schema.Record
        Its checksums are replaced.

    Raises
    ------
    BundleError
        Where a file of ``bundle`` was altered, or there are too many bundles of that name.
    OSError
        Where it cannot be written; ``place`` is then as it was.
    """
    with atomic.partial_folder(place) as partial:
        for file in COPIED:
            shutil.copyfile(bundle.folder / file, partial / file)
        _write_record(partial, record)
        return bundles.read(_rename(partial, place, name))


def _write_record(partial: Path, record: schema.Record) -> None:
    """Write card and record beside the other files, and read all of it once as whoever uses it will."""
    (partial / bundles.CARD).write_text(model_card.render(record), encoding="utf-8")
    files = {name: bundles.checksum(partial / name) for name in bundles.CHECKED}
    text = record.model_copy(update={"files": files}).to_json()
    (partial / bundles.RECORD).write_text(text, encoding="utf-8")
    bundles.read(partial)


def _write_engine(
    model: Network,
    folder: Path,
    probe: np.ndarray,
    training: schema.Training,
    labelled: quantization.LabelledCells | None,
) -> schema.Engine:
    """Write the engine in full precision, check it, replace it by one in int8 where that loses nothing."""
    exported, path = folder / "full.xml", folder / bundles.ENGINE
    model.export(str(exported), format="openvino", verbose=False)
    network = openvino.Core().read_model(exported)
    # Weights as half floats halve the file; the arithmetic stays in full precision.
    openvino.save_model(network, path, compress_to_fp16=True)
    _check_engine(model, path, probe)
    network, engine = quantization.choose(network, training, labelled)
    if engine.precision == quantization.SHORT:
        for old in (path, folder / bundles.WEIGHTS):
            old.unlink()
        # Exactly as it was judged; most of its weights are bytes already.
        openvino.save_model(network, path, compress_to_fp16=False)
    for file in (exported, exported.with_suffix(".bin")):
        file.unlink()
    return engine


def _check_engine(model: Network, path: Path, probe: np.ndarray) -> None:
    engine = engines.compiled(path)
    expected = model.predict_on_batch(probe)
    expected = expected if isinstance(expected, list) else [expected]
    answered = engine(probe)
    for number, (what, own) in enumerate(zip(("probability", "distance"), expected, strict=False)):
        # A distance has no bound: it is compared as a share.
        worst = float((np.abs(answered[number] - own) / np.maximum(own, 1)).max())
        if not worst <= AGREEMENT:
            raise BundleError(f"The engine differs from the network by {worst:.4f} in {what}.")


def _complete(training: schema.Training, model: Network, engine: schema.Engine) -> schema.Record:
    own = schema.Training.model_fields.keys()
    return schema.Record(
        **{name: getattr(training, name) for name in training.model_fields_set & own},
        version=schema.SCHEMA_VERSION,
        classes=CLASSES,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        preprocessing=schema.Preprocessing(
            crop=model.input_shape[1],
            channels="RGB",
            scale="native: the frame is never resized; square about the cell's middle, black outside",
            pixel_size=scale.PIXEL_SIZE,
            parameters=model.count_params(),
        ),
        engine=engine,
        versions={"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
        files={},
    )


def _rename(partial: Path, place: Path, name: str) -> Path:
    for number in range(1, MANY):
        target = place / (name if number == 1 else f"{name}-{number}")
        if target.exists():
            continue
        try:
            # Refused where another took the name meanwhile: a folder that is not empty is not replaced.
            return partial.rename(target)
        except OSError:
            if not target.exists():
                raise
    raise BundleError(f"There are too many versions named {name} in {place}.")
