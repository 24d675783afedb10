import numpy as np
import pytest

from leukemia.imaging.perturbation import PERTURBATIONS, perturb


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_a_harmless_change_moves_pixels_by_little_and_keeps_the_frame(drawn, name):
    _, _, pixels = drawn[0]
    changed = perturb(pixels, name)
    assert (changed.shape, changed.dtype) == (pixels.shape, np.uint8)
    moved = np.abs(changed.astype(int) - pixels).mean()
    assert 0 < moved < 3


def test_a_lower_quality_moves_more(drawn):
    _, _, pixels = drawn[0]
    moved = [
        np.abs(perturb(pixels, f"JPEG, quality {quality}").astype(int) - pixels).mean()
        for quality in (95, 90, 85, 75)
    ]
    assert moved == sorted(moved)
