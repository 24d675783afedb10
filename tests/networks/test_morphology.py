import keras
import numpy as np
import pytest

from leukemia.imaging.cell import BACKGROUND, crop_cell, measure_cell
from leukemia.networks import morphology

NAMES = list(morphology.NAMES)


@pytest.fixture(scope="module")
def model():
    inputs = keras.Input((256, 256, 3), dtype="uint8")
    return keras.Model(inputs, morphology.Morphology()(inputs))


@pytest.fixture(scope="module")
def crops(drawn):
    return np.stack([crop_cell(measure_cell(pixels), 256) for _, _, pixels in drawn[:8]])


@pytest.fixture(scope="module")
def found(model, crops):
    return model.predict_on_batch(crops)


def column(found, name):
    return found[:, NAMES.index(name)]


def test_every_measure_has_a_name_of_its_own(found):
    assert found.shape == (8, len(NAMES))
    assert len(set(NAMES)) == len(NAMES)
    assert np.isfinite(found).all()
    assert (found.std(axis=0) > 0).mean() > 0.7


def test_sizes_are_those_of_the_cells_mask(found, crops):
    for row, crop in enumerate(crops):
        mask = crop.astype(float) @ [0.299, 0.587, 0.114] > BACKGROUND
        assert column(found, "area")[row] == pytest.approx(mask.sum() / 256**2, rel=0.01)
        sides = sorted((mask.any(axis=0).sum(), mask.any(axis=1).sum()))
        assert column(found, "shorter")[row] * 256 == pytest.approx(sides[0], abs=2)
        assert column(found, "longer")[row] * 256 == pytest.approx(sides[1], abs=2)


def test_densities_are_those_of_beer_and_lambert_within_the_cell(found, crops):
    # Averaged over blocks of two by two that lie wholly within the cell.
    density = -np.log((crops.astype(float) + 1) / 256)
    mask = crops.astype(float) @ morphology.LUMA > BACKGROUND
    blocks = lambda values: values.reshape(8, 128, 2, 128, 2, -1).mean(axis=(2, 4))  # noqa: E731
    inside = blocks(mask[..., None])[..., 0] == 1
    for row in range(8):
        own = blocks(density)[row][inside[row]]
        for channel, name in enumerate(morphology.CHANNELS):
            assert column(found, f"{name}_density")[row] == pytest.approx(own[:, channel].mean(), rel=1e-3)
            assert column(found, f"{name}_spread")[row] == pytest.approx(own[:, channel].std(), rel=1e-2)
            share = np.clip((own[:, channel] - 0.5) * 10 + 0.5, 0, 1).mean()
            assert column(found, f"{name}_share_over_0.5")[row] == pytest.approx(share, abs=1e-3)


def test_a_disc_is_rounder_than_a_bar(model):
    y, x = np.mgrid[:256, :256] - 127.5
    disc, bar = np.hypot(y, x) < 60, (abs(y) < 20) & (abs(x) < 100)
    pictures = np.stack([mask[..., None] * np.uint8([120, 40, 140]) for mask in (disc, bar)])
    found = model.predict_on_batch(pictures)
    assert column(found, "elongation")[0] == pytest.approx(1, abs=0.01)
    assert column(found, "elongation")[1] == pytest.approx(5, rel=0.05)
    assert column(found, "roundness")[0] > 1.3 * column(found, "roundness")[1]
    assert column(found, "fill")[0] == pytest.approx(np.pi / 4, abs=0.02)


def test_a_nucleus_denser_than_its_rim_is_told_from_an_even_cell(model):
    y, x = np.mgrid[:256, :256] - 127.5
    far = np.hypot(y, x)
    even = np.where((far < 80)[..., None], np.uint8([130, 60, 150]), 0).astype(np.uint8)
    dense = np.where((far < 50)[..., None], np.uint8([60, 20, 90]), even).astype(np.uint8)
    found = model.predict_on_batch(np.stack([even, dense]))
    inner, rim = (column(found, f"{part}_red_density")[1] for part in ("dense", "light"))
    assert inner == pytest.approx(-np.log(61 / 256), rel=0.02)
    assert rim == pytest.approx(-np.log(131 / 256), rel=0.1)
    assert column(found, "red_share_over_1.0")[0] == 0
    assert column(found, "red_share_over_1.0")[1] == pytest.approx((50 / 80) ** 2, rel=0.03)


def test_a_turned_or_mirrored_cell_measures_the_same(model, crops, found):
    for turned in (crops[:, ::-1], crops[:, :, ::-1], crops.transpose(0, 2, 1, 3)):
        again = model.predict_on_batch(np.ascontiguousarray(turned))
        np.testing.assert_allclose(again, found, rtol=2e-3, atol=1e-4)


def test_a_black_picture_measures_without_a_fault(model):
    assert np.isfinite(model.predict_on_batch(np.zeros((2, 256, 256, 3), np.uint8))).all()


def test_the_engine_measures_the_same(model, crops, found, tmp_path):
    import openvino

    model.export(str(tmp_path / "full.xml"), format="openvino", verbose=False)
    core = openvino.Core()
    openvino.save_model(core.read_model(tmp_path / "full.xml"), tmp_path / "half.xml", compress_to_fp16=True)
    engine = core.compile_model(tmp_path / "half.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    scale = found.std(axis=0) + 1e-3 * np.abs(found).max(axis=0) + 1e-6
    assert (np.abs(engine(crops)[0] - found) / scale).max() < 5e-3
