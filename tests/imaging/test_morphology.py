import numpy as np
import pytest

from leukemia.imaging import morphology
from tests.support.pictures import ellipse

SIZE = 256


def cell(nucleus=12_000, whole=30_000, dark=(70, 30, 90), pale=(170, 120, 190)):
    """A pale disc with a darker one in it, on black."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    out = ellipse(SIZE, whole, colour=pale)
    out[x**2 + y**2 <= nucleus / np.pi] = dark
    return out


def test_the_nucleus_is_the_darker_part():
    crop = cell()
    inside = morphology.nucleus(crop)
    drawn = crop[..., 1] == 30
    assert (inside & drawn).sum() / (inside | drawn).sum() > 0.95


def test_measures_are_those_of_the_drawing():
    crop = cell()
    area = int((crop > 0).any(axis=2).sum())
    found = morphology.measure(crop, area, 0.05)
    assert found.area == pytest.approx(30_000 * 0.05**2, rel=0.01)
    assert found.nucleus_share == pytest.approx(12 / 30, rel=0.05)
    # Green of 30 on 255.
    assert found.density == pytest.approx(np.log10(255 / 30), rel=0.02)


def test_the_nucleus_is_found_without_black_holes_and_specks():
    crop = cell()
    crop[120:126, 120:126] = (170, 120, 190)  # a nucleolus
    crop[128, 40:44] = (70, 30, 90)  # a grain of the cytoplasm
    inside = morphology.nucleus(crop)
    assert inside[123, 123] and not inside[128, 42]


def test_grains_are_measured_and_shading_is_not():
    rng = np.random.default_rng(0)
    plain = cell()
    grainy, shaded = plain.astype(float), plain.astype(float)
    mask = plain[..., 1] == 30
    grains = rng.normal(0, 6, (SIZE // 4, SIZE // 4)).repeat(4, 0).repeat(4, 1)
    grainy[mask] += grains[mask][:, None]
    shaded[mask] += np.linspace(-6, 6, SIZE)[None].repeat(SIZE, 0)[mask][:, None]

    def granularity(crop):
        return morphology.measure(np.clip(crop, 0, 255).astype(np.uint8), 30_000, 0.05).granularity

    assert granularity(grainy) > 3 * granularity(shaded)


@pytest.mark.parametrize("crop", [np.zeros((64, 64, 3), np.uint8), ellipse(64, 900)])
def test_a_picture_without_two_parts_has_no_nucleus(crop):
    assert not morphology.nucleus(crop).any()
    found = morphology.measure(crop, int((crop > 0).any(axis=2).sum()), 0.05)
    assert found.nucleus_share == 0
    assert np.isfinite([found.area, found.density, found.granularity]).all()
