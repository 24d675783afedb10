import subprocess
import sys

import keras
import numpy as np
import pytest
from scipy.special import expit, logit

from leukemia.evaluation import novelty
from leukemia.evaluation.calibration import Calibration
from leukemia.networks import serving_network
from leukemia.networks.optimizer import HEAD


@pytest.fixture(scope="module", params=[serving_network.PIXELS, "scaled"])
def model(request):
    """A small network that tells a picture from its mirror image; one says up to where it prepares pixels."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((24, 24, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255, name=request.param)(inputs)
    x = keras.layers.Conv2D(4, 3, activation="relu")(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name=HEAD)(x))


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(0).integers(0, 256, (5, 24, 24, 3), dtype=np.uint8)


def sides(pictures):
    four = [pictures, pictures[:, ::-1, ::-1], pictures[:, ::-1], pictures[:, :, ::-1]]
    return four + [side.swapaxes(1, 2) for side in four]


@pytest.mark.parametrize("views", serving_network.VIEWS)
def test_the_logits_of_the_sides_are_averaged(model, pictures, views):
    apart = [logit(model.predict_on_batch(side).astype(float)) for side in sides(pictures)[:views]]
    assert views == 1 or np.ptp(apart, axis=0).max() > 1e-3, "the sides must differ for this to tell"
    found, features = serving_network.feature_model(model, views).predict_on_batch(pictures)
    assert found == pytest.approx(np.mean(apart, axis=0), abs=1e-4)
    kernel, bias = model.get_layer(HEAD).get_weights()
    assert features @ kernel + bias == pytest.approx(found, abs=1e-4)


def test_a_mirrored_cell_gets_the_answer_of_the_cell(model, pictures):
    network = serving_network.feature_model(model, 8)
    first, *others = (network.predict_on_batch(np.ascontiguousarray(s))[0] for s in sides(pictures))
    for other in others:
        assert other == pytest.approx(first, abs=1e-5)


def test_the_calibration_is_a_part_of_the_network_that_answers(model, pictures, tmp_path):
    calibration = Calibration("platt", 1.7, -0.4)
    network = serving_network.inference_model(model, 4, calibration)
    averaged, _ = serving_network.feature_model(model, 4).predict_on_batch(pictures)
    expected = expit(1.7 * averaged - 0.4)
    assert network.predict_on_batch(pictures) == pytest.approx(expected, abs=1e-5)
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    assert again.predict_on_batch(pictures) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("views", serving_network.VIEWS)
def test_the_engine_answers_as_the_network(model, pictures, views, tmp_path):
    import openvino

    spread = novelty.fit(serving_network.feature_model(model, views).predict_on_batch(pictures)[1], 2)
    network = serving_network.inference_model(model, views, Calibration("platt", 1.7, -0.4), spread)
    network.export(str(tmp_path / "engine.xml"), format="openvino", verbose=False)
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    engine = openvino.Core().compile_model(tmp_path / "engine.xml", "CPU", options)
    probability, distance = network.predict_on_batch(pictures)
    found = engine(pictures)
    assert len(found) == 2
    assert found[0] == pytest.approx(probability, abs=1e-5)
    assert found[1] == pytest.approx(distance, rel=1e-3)
    assert distance.shape == (len(pictures), 1)


def test_the_distance_from_what_was_learned_is_a_part_of_the_network_that_answers(model, pictures, tmp_path):
    seen = serving_network.feature_model(model, 2).predict_on_batch(pictures)[1]
    spread = novelty.fit(seen, 3)
    network = serving_network.inference_model(model, 2, Calibration(), spread)
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    others = np.full_like(pictures, 200)
    for cells in (pictures, others):
        features = serving_network.feature_model(model, 2).predict_on_batch(cells)[1]
        _, distance = again.predict_on_batch(cells)
        assert distance[:, 0] == pytest.approx(spread.distance(features), rel=1e-3)
    assert again.predict_on_batch(others)[1].min() > 2 * again.predict_on_batch(pictures)[1].max()


@pytest.mark.process
def test_the_shipped_network_can_be_loaded_in_a_process_that_knows_no_recipe():
    code = "from leukemia import settings; from leukemia.networks import serving_network; "
    code += "print(serving_network.load(settings.SHIPPED / 'model.keras').output_shape)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
