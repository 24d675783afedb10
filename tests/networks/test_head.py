import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from leukemia.networks import head


def drawn(patients, seed, shortcut):
    """Features of cells: one is the disease, one the patient; ``shortcut`` ties the second to the label."""
    rng = np.random.default_rng(seed)
    rows, features = [], []
    for number in range(patients):
        label = "ALL" if number % 2 else "Normal"
        sign = 1 if label == "ALL" else -1
        own = rng.normal(size=6) + shortcut * sign * np.eye(6)[1]
        for _ in range(int(rng.integers(2, 60))):
            features.append(rng.normal(size=6) * 0.7 + own + sign * 0.8 * np.eye(6)[0])
            rows.append((label, f"p{number}"))
    return np.array(features) * [1, 10, 1, 1, 1, 1], pd.DataFrame(rows, columns=["label", "patient_group"])


def test_the_new_layer_is_a_dense_layer_on_the_features_as_they_are():
    features, cells = drawn(24, 0, shortcut=0.5)
    kernel, bias = head.refit(features, cells, 0.01)
    assert kernel.shape == (6, 1)
    assert kernel.dtype == bias.dtype == np.float32
    logit = (features @ kernel + bias)[:, 0]
    assert roc_auc_score(cells["label"] == "ALL", logit) > 0.7
    # A feature in other units is weighed alike: the penalty goes by its spread.
    scaled, moved = head.refit(features * 3 + 5, cells, 0.01)
    assert (features * 3 + 5) @ scaled + moved == pytest.approx(logit[:, None], abs=1e-3)


def test_a_strong_penalty_pulls_the_layer_to_nothing():
    features, cells = drawn(24, 0, shortcut=0.5)
    weak, strong = (head.refit(features, cells, strength)[0] for strength in (1, 1e-5))
    assert np.abs(strong).sum() < 0.05 * np.abs(weak).sum()


def test_classes_weigh_the_same_and_patients_by_the_root_of_their_cells():
    cells = pd.DataFrame(
        [("Normal", "H1")] * 4 + [("ALL", "1")] * 25 + [("ALL", "2")] * 100,
        columns=["label", "patient_group"],
    )
    weight = pd.Series(head.weights(cells))
    assert weight.mean() == pytest.approx(1)
    assert weight.groupby(cells["label"]).sum().tolist() == pytest.approx([64.5, 64.5])
    by_patient = weight.groupby(cells["patient_group"]).sum()
    assert by_patient["2"] / by_patient["1"] == pytest.approx(2)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((16, 16, 3), dtype="uint8")
    x = keras.layers.Conv2D(4, 3, name="near")(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.Conv2D(5, 3, strides=2, name="far")(x)
    x = keras.layers.Conv2D(6, 3, name="behind")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name="probability")(x))


def test_a_new_last_layer_reads_mean_and_spread_of_earlier_layers(network, tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    extended = head.attach_head(network, ["near", "far"])
    read = extended.get_layer("probability").input
    features = keras.Model(extended.input, read).predict_on_batch(pictures)
    expected = []
    for name in ("near", "far"):
        seen = keras.Model(network.input, network.get_layer(name).output).predict_on_batch(pictures)
        expected += [seen.mean(axis=(1, 2)), seen.std(axis=(1, 2))]
    assert features == pytest.approx(np.concatenate(expected, axis=1), abs=1e-5)
    assert "behind" not in [layer.name for layer in extended.layers], "what is not read costs nothing"
    extended.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    assert again.predict_on_batch(pictures) == pytest.approx(extended.predict_on_batch(pictures), abs=1e-6)


def test_with_nothing_to_read_the_network_stays(network):
    assert head.attach_head(network, ()) is network
