import importlib.util
from dataclasses import replace

import numpy as np
import openvino
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.bundles import engine as engines
from leukemia.bundles import model_card, quantization, writer
from leukemia.bundles.quantization import Answers, LabelledCells

SIDE = 32


@pytest.fixture(scope="module")
def cells():
    """Sixty noisy pictures, wider than what the network reads; the redder half is ALL."""
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 120, (60, SIDE + 8, SIDE + 8, 3), dtype=np.uint8)
    crops[30:, ..., 0] += 110
    return LabelledCells(crops, np.arange(60), np.arange(60) >= 30, np.arange(0, 60, 3))


@pytest.fixture
def training(tiny_bundle):
    return bundles.read(tiny_bundle).record


def answers(probability, distance=None):
    return Answers(np.asarray(probability, float), None if distance is None else np.asarray(distance, float))


def network():
    """Convolutions as EfficientNet-Lite0 has them: a first one, a depthwise one, two of one pixel."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    inputs = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    x = layers.ReLU(6.0)(layers.Conv2D(8, 3, padding="same")(layers.Rescaling(1 / 255)(inputs)))
    x = layers.ReLU(6.0)(layers.Conv2D(16, 1)(x))
    x = layers.ReLU(6.0)(layers.DepthwiseConv2D(3, padding="same")(x))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 1)(x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid", name="probability")(x))


@pytest.fixture(scope="module")
def trained(cells):
    model = network()
    model.compile("adam", "binary_crossentropy")
    model.optimizer.learning_rate = 0.02
    model.fit(cells.crops[:, 4:-4, 4:-4], cells.is_all[:, None], epochs=25, verbose=0)
    return model


def test_int8_that_changes_next_to_nothing_is_used(training, cells):
    full = np.linspace(0.02, 0.98, 60)
    judged = quantization.judge(answers(full), answers(full + 0.002), training, cells)
    assert judged.precision == "int8"
    assert judged.reason == ""
    assert (judged.auroc_difference, judged.largest_change) == (0, pytest.approx(0.002))
    assert (judged.calibrated_on, judged.judged_on) == (20, 60)


def test_one_cell_that_becomes_normal_like_is_enough_to_refuse_int8(training, cells):
    full = np.linspace(0.02, 0.98, 60)
    short = full.copy()
    at = np.flatnonzero(full >= training.threshold.value)[0]
    short[at] = training.threshold.value - 0.001
    judged = quantization.judge(answers(full), answers(short), training, cells)
    assert judged.precision == "f32"
    assert (
        judged.reason == "In int8, 1 ALL-like cell becomes Normal-like; 1.7% of cells get another decision."
    )


def test_within_the_band_one_cell_in_a_hundred_may_become_indeterminate(training, cells):
    low, high = 0.3, 0.7
    band = {"low": low, "high": high, "missed": 0.05, "alarmed": 0.2}
    banded = type(training).model_validate(training.to_dict() | {"indeterminate": band})
    many = replace(cells, rows=np.tile(cells.rows, 5), is_all=np.tile(cells.is_all, 5))
    full = np.where(many.is_all, 0.71, 0.1)
    few, more = full.copy(), full.copy()
    few[many.is_all.nonzero()[0][:3]] = more[many.is_all.nonzero()[0][:4]] = 0.69
    assert quantization.judge(answers(full), answers(few), banded, many).precision == "int8"
    refused = quantization.judge(answers(full), answers(more), banded, many)
    assert (refused.precision, refused.reason) == ("f32", "In int8, 1.3% of cells get another decision.")
    refused = quantization.judge(answers(full), answers(np.where(many.is_all, 0.29, 0.1)), banded, many)
    assert refused.reason.startswith("In int8, 150 ALL-like cells become Normal-like; 50.0% of cells get")


def test_an_auroc_that_moves_is_refused(training, cells):
    full = np.linspace(0.02, 0.98, 60)
    short = full.copy()
    short[[27, 28, 32, 33]] = full[[33, 32, 28, 27]]
    low = type(training).model_validate(
        training.to_dict() | {"threshold": training.threshold.model_copy(update={"value": 0.01}).model_dump()}
    )
    judged = quantization.judge(answers(full), answers(short), low, cells)
    assert judged.reason == f"In int8, the AUROC changes by {judged.auroc_difference:+.4f}."
    assert judged.auroc_difference < -quantization.AUROC_DIFFERENCE


def test_cells_that_change_the_side_of_the_novelty_limit_are_refused(training, cells):
    novelty = {"limit": 1.5, "pass": 0.98, "passed_out_of_fold": 0.98}
    wary = type(training).model_validate(training.to_dict() | {"novelty": novelty})
    full, near = np.linspace(0.02, 0.98, 60), np.ones(60)
    far = np.where(np.arange(60) == 7, 2.0, 1.0)
    judged = quantization.judge(answers(full, near), answers(full, far), wary, cells)
    assert judged.reason == "In int8, 1.7% of cells change the side of the novelty limit."


def test_without_nncf_the_engine_is_in_full_precision_and_says_why(training, cells, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    full = openvino.Model([], [], "none")
    chosen, engine = quantization.choose(full, training, cells)
    assert chosen is full
    assert (engine.precision, engine.reason) == ("f32", quantization.NOT_INSTALLED)
    assert model_card.engine(engine) == "Engine: OpenVINO in full precision (f32). NNCF is not installed."


def test_a_recipe_that_does_not_ask_for_int8_says_so_on_its_card(tiny_bundle):
    bundle = bundles.read(tiny_bundle)
    assert bundle.record.engine.reason == quantization.NOT_ASKED
    assert f"- Engine: OpenVINO in full precision (f32). {quantization.NOT_ASKED}\n" in bundle.card


@pytest.mark.slow
def test_a_bundle_in_int8_holds_the_engine_that_was_judged(trained, cells, training, tmp_path):
    pytest.importorskip("nncf")
    probe = np.ascontiguousarray(cells.crops[::8, 4:-4, 4:-4])
    plain = writer.write(tmp_path / "f32", trained, training, _predictions(training, cells), probe)
    bundle = writer.write(tmp_path / "int8", trained, training, _predictions(training, cells), probe, cells)
    engine = bundle.record.engine
    assert engine.precision == "int8", engine.reason
    assert "Engine: OpenVINO in 8-bit integers (int8), calibrated on 20 training cells." in bundle.card
    quantised = openvino.Core().read_model(bundle.folder / bundles.ENGINE)
    steps = quantised.get_ordered_ops()
    # What the two convolutions of one pixel read, and their weights; nothing else.
    assert [step.get_type_name() for step in steps].count("FakeQuantize") == 2
    constants = [step for step in steps if step.get_type_name() == "Constant"]
    short = [one.data for one in constants if one.get_output_element_type(0) == openvino.Type.i8]
    assert len(short) == 2
    assert max(np.abs(weights.astype(int)).max() for weights in short) <= engines.LARGEST_WEIGHT
    crops = np.ascontiguousarray(cells.crops[:, 4:-4, 4:-4])
    full, short = (_probability(one.folder / bundles.ENGINE, crops) for one in (plain, bundle))
    assert np.abs(short - full).max() == pytest.approx(engine.largest_change, abs=2e-3)
    assert not list(bundle.folder.glob("full.*"))


@pytest.mark.slow
def test_an_engine_that_int8_spoils_stays_in_full_precision(trained, cells, training, tmp_path, monkeypatch):
    pytest.importorskip("nncf")
    monkeypatch.setattr(quantization, "AUROC_DIFFERENCE", -1.0)
    probe = np.ascontiguousarray(cells.crops[::8, 4:-4, 4:-4])
    bundle = writer.write(tmp_path / "bundle", trained, training, _predictions(training, cells), probe, cells)
    assert bundle.record.engine.precision == "f32"
    assert bundle.record.engine.reason.startswith("In int8, the AUROC changes by")
    steps = openvino.Core().read_model(bundle.folder / bundles.ENGINE).get_ordered_ops()
    assert "FakeQuantize" not in [step.get_type_name() for step in steps]


def test_calibration_and_judgement_read_the_middle_of_the_crops(cells):
    few = replace(cells, rows=np.array([5, 50]))
    (batch,) = few.batches(few.rows, SIDE, 8, "Answers")
    assert np.array_equal(batch, cells.crops[[5, 50], 4:-4, 4:-4])


def _predictions(training, cells):
    import pandas as pd

    return pd.DataFrame(
        {
            "image_id": "x",
            "patient_group": "p",
            "label": np.where(cells.is_all, "ALL", "Normal"),
            "probability": 0.5,
        }
    )


def _probability(path, crops):
    engine = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return engine(crops)[0][:, 0]
