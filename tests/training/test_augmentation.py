import numpy as np
import pytest

from leukemia.imaging.cell import crop_cell, measure_cell
from leukemia.networks.recipe import Training
from leukemia.training.augmentation import augment

STILL = Training(rotation=False, flips=False, brightness=0)


def test_without_augmentation_a_crop_is_its_centre(drawn):
    crop = crop_cell(measure_cell(drawn[0][2]), 320)
    found = augment(crop, 256, STILL, np.random.default_rng(0))
    assert np.array_equal(found, crop[32:-32, 32:-32])


def test_turning_keeps_the_cells_size_and_place(drawn):
    crop = crop_cell(measure_cell(drawn[0][2]), 320)
    area = measure_cell(crop).area
    turned = [augment(crop, 256, Training(brightness=0), np.random.default_rng(i)) for i in range(8)]
    for picture in turned:
        cell = measure_cell(picture)
        assert cell.area == pytest.approx(area, rel=0.03)
        assert cell.middle == pytest.approx((128, 128), abs=6)
    assert len({picture.tobytes() for picture in turned}) == 8


def test_mirroring_mirrors():
    crop = np.zeros((128, 128, 3), np.uint8)
    crop[40:60, 40:90] = 200
    training = Training(rotation=False, brightness=0)
    found = [augment(crop, 64, training, np.random.default_rng(i)) for i in range(20)]
    plain = crop[32:-32, 32:-32]
    kinds = {f.tobytes() for f in found}
    assert kinds == {plain.tobytes(), plain[:, ::-1].tobytes()}


def test_brightness_changes_the_cell_and_leaves_the_background_black(drawn):
    crop = crop_cell(measure_cell(drawn[0][2]), 320)
    training = Training(rotation=False, flips=False, brightness=0.3)
    found = [augment(crop, 256, training, np.random.default_rng(i)) for i in range(6)]
    means = [picture.mean() for picture in found]
    assert max(means) / min(means) > 1.05
    black = crop[32:-32, 32:-32].max(axis=2) == 0
    assert all(picture[black].max() == 0 for picture in found)


def test_a_tint_changes_each_colour_by_itself():
    crop = np.full((128, 128, 3), 100, np.uint8)
    training = Training(rotation=False, flips=False, brightness=0, colour=0.2)
    found = [augment(crop, 64, training, np.random.default_rng(i)) for i in range(50)]
    levels = np.array([picture[0, 0] for picture in found])
    assert all((picture == picture[0, 0]).all() for picture in found)
    assert levels.min() >= 80
    assert levels.max() <= 120
    assert np.abs(np.corrcoef(levels.T)[np.triu_indices(3, 1)]).max() < 0.5
    assert levels.std(axis=0).min() > 5


def test_gamma_changes_levels_by_a_power():
    crop = np.full((128, 128, 3), 64, np.uint8)
    training = Training(rotation=False, flips=False, brightness=0, gamma=0.25)
    found = [augment(crop, 64, training, np.random.default_rng(i))[0, 0, 0] for i in range(60)]
    bounds = [255 * (64 / 255) ** power for power in (1.25, 0.75)]
    assert bounds[0] - 1 <= min(found) < bounds[0] + 8
    assert bounds[1] - 8 < max(found) <= bounds[1] + 1


def test_blur_softens_or_sharpens():
    crop = np.random.default_rng(0).integers(80, 120, (128, 128, 3), dtype=np.uint8)
    training = Training(rotation=False, flips=False, brightness=0, blur=1.5)
    found = [augment(crop, 64, training, np.random.default_rng(i)).std() for i in range(30)]
    still = augment(crop, 64, STILL, np.random.default_rng(0)).std()
    assert min(found) < 0.5 * still
    assert max(found) > 1.2 * still
    assert 8 < sum(spread < still for spread in found) < 22


def test_a_crop_is_saved_as_jpeg_at_any_quality_down_to_the_lowest(drawn):
    crop = crop_cell(measure_cell(drawn[0][2]), 320)
    training = Training(rotation=False, flips=False, brightness=0, jpeg=60)
    still = augment(crop, 256, STILL, np.random.default_rng(0)).astype(int)
    changes = [
        np.abs(augment(crop, 256, training, np.random.default_rng(i)).astype(int) - still).mean()
        for i in range(30)
    ]
    assert 0 < min(changes) < 1 < max(changes) < 4
    one, other = (augment(crop, 256, training, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one, other)
