"""Mean and spread of a network's channels."""

import keras
import numpy as np

from leukemia.networks import stage_statistics


def test_each_channel_gives_its_mean_and_its_standard_deviation() -> None:
    pictures = np.random.default_rng(0).normal(3, 2, (2, 8, 6, 5)).astype(np.float32)
    out = np.asarray(stage_statistics.MeanAndSpread()(pictures))
    np.testing.assert_allclose(out[:, :5], pictures.mean((1, 2)), rtol=1e-4)
    np.testing.assert_allclose(out[:, 5:], pictures.std((1, 2)), rtol=1e-3)


def test_stages_of_all_sizes_stand_side_by_side() -> None:
    stages = {"fine": keras.Input((8, 8, 3)), "coarse": keras.Input((2, 2, 7))}
    model = keras.Model(list(stages.values()), stage_statistics.of_stages(stages))
    out = model([np.ones((4, 8, 8, 3)), np.full((4, 2, 2, 7), 2.0)])
    assert out.shape == (4, 2 * (3 + 7))
    np.testing.assert_allclose(np.asarray(out)[0, 6:13], 2.0)


def test_a_saved_network_brings_them_back(tmp_path) -> None:
    inputs = keras.Input((4, 4, 2))
    model = keras.Model(inputs, stage_statistics.of_stages({"a": inputs, "b": inputs}))
    model.save(tmp_path / "m.keras")
    pictures = np.random.default_rng(1).random((3, 4, 4, 2))
    again = keras.models.load_model(tmp_path / "m.keras", safe_mode=True)
    np.testing.assert_allclose(np.asarray(again(pictures)), np.asarray(model(pictures)))
