import keras
import numpy as np
import pytest
from PIL import Image

from leukemia.imaging.cell import BACKGROUND, crop_cell, measure_cell
from leukemia.networks import color_normalization


@pytest.fixture(scope="module")
def network():
    inputs = keras.Input((96, 96, 3), dtype="uint8")
    return keras.Model(inputs, color_normalization.mean_to_grey(inputs))


def crops(drawn):
    return np.stack([crop_cell(measure_cell(pixels), 96) for _, _, pixels in drawn[:6]])


def test_the_mean_of_the_cells_pixels_becomes_mid_grey_and_all_else_moves_along(network, drawn):
    cells = crops(drawn)
    found = network.predict_on_batch(cells)
    for cell, grey in zip(cells, found, strict=True):
        mask = np.asarray(Image.fromarray(cell).convert("L")) > BACKGROUND
        assert mask.any()
        assert np.allclose(grey[mask].mean(axis=0, dtype=float), 127.5, atol=0.01)
        assert np.allclose(grey, cell + (127.5 - cell[mask].mean(axis=0)), atol=0.01)


def test_which_pixels_are_the_cells_is_decided_as_images_does(network):
    # Every level about the bound, in all mixtures of the three channels; one bright row to move the mean.
    levels = np.array([0, 8, 12, 14, 15, 16, 17, 18, 19, 20, 24, 40], np.uint8)
    mixed = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    crop = np.zeros((96 * 96, 3), np.uint8)
    crop[: len(mixed)] = mixed
    crop = crop.reshape(96, 96, 3)
    mask = np.asarray(Image.fromarray(crop).convert("L")) > BACKGROUND
    shift = network.predict_on_batch(crop[None])[0] - crop
    assert np.allclose(shift, 127.5 - crop[mask].mean(axis=0), atol=1e-3)


def test_a_stain_that_is_darker_all_over_is_taken_out(network, drawn):
    cells = crops(drawn).clip(0, 200)
    mask = cells.max(axis=-1, keepdims=True) > 40
    one, other = cells * mask, (cells + np.uint8([30, 0, 15])) * mask
    mask = mask & (one.min(axis=-1, keepdims=True) > 20)
    one, other = one * mask, other * mask
    difference = (network.predict_on_batch(one) - network.predict_on_batch(other)) * mask
    assert np.abs(difference).max() < 0.01


def test_a_crop_without_a_cell_stays_as_it_is(network):
    black = np.full((1, 96, 96, 3), 7, np.uint8)
    assert np.array_equal(network.predict_on_batch(black), black)


def test_it_loads_without_this_program(network, drawn, tmp_path):
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    assert "leukemia" not in loaded.to_json()
    assert np.array_equal(loaded.predict_on_batch(crops(drawn)), network.predict_on_batch(crops(drawn)))
