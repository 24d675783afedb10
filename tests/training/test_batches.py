import numpy as np
import pandas as pd
import pytest

from leukemia.dataset import manifest
from leukemia.errors import DatasetError
from leukemia.imaging import validate
from leukemia.imaging.cell import center_crop, crop_cell, measure_cell
from leukemia.networks.recipe import Training
from leukemia.training import batches

STILL = Training(rotation=False, flips=False, brightness=0)


@pytest.fixture
def cells(prepared):
    frame = manifest.read(prepared)
    return frame[frame["label"] != ""].reset_index(drop=True)


def test_crops_are_those_that_an_upload_gets(prepared, cells):
    crops = batches.load_crops(prepared, cells, 320, workers=2)
    data = (prepared / cells["path"][5]).read_bytes()
    expected = crop_cell(validate.open_cell(data), 256)
    assert np.array_equal(center_crop(crops[5:6], 256)[0], expected)


def test_crops_are_made_once(prepared, cells):
    calls = []
    for _ in range(2):
        batches.load_crops(prepared, cells, 128, workers=2, progress=lambda *a: calls.append(a))
    assert calls[-1] == (len(cells), len(cells), "Cropping cells")
    assert len(calls) == len(cells)


def test_an_image_that_is_gone_or_changed_is_named(prepared, cells):
    gone = cells.assign(path=["nowhere.png", *cells["path"][1:]])
    with pytest.raises(DatasetError, match=r"nowhere.png.*prepare again"):
        batches.load_crops(prepared, gone, 64, workers=1)
    swapped = cells.assign(path=[cells["path"][1], cells["path"][0], *cells["path"][2:]])
    with pytest.raises(DatasetError, match="not the image that was prepared"):
        batches.load_crops(prepared, swapped, 64, workers=1)
    assert not list((prepared / "cache").glob("*partial*"))


def test_an_epoch_is_balanced_by_class_and_by_patient():
    counts = {"H1": 3, "H2": 40, "1": 200, "2": 5, "3": 60}
    frame = pd.DataFrame(
        [(name, "Normal" if name[0] == "H" else "ALL") for name, n in counts.items() for _ in range(n)],
        columns=["patient_group", "label"],
    )
    drawn = frame.iloc[batches.draw_epoch(frame, 120, np.random.default_rng(0))]
    assert drawn["label"].value_counts().to_dict() == {"Normal": 60, "ALL": 60}
    # A patient with few cells does not teach them by heart: each at most twice.
    assert drawn["patient_group"].value_counts().to_dict() == {"H1": 6, "H2": 54, "1": 25, "2": 10, "3": 25}
    assert drawn.index.value_counts().max() == 2
    many = batches.draw_epoch(frame, 400, np.random.default_rng(0))
    assert len(many) == 400, "where no other is left, all begin anew"


def test_no_cell_is_drawn_twice_before_its_patients_others():
    frame = pd.DataFrame({"patient_group": ["H"] * 10 + ["1"] * 10, "label": ["Normal"] * 10 + ["ALL"] * 10})
    drawn = batches.draw_epoch(frame, 20, np.random.default_rng(0))
    assert sorted(drawn) == list(range(20))


def test_without_augmentation_a_crop_is_its_centre(drawn):
    crop = crop_cell(measure_cell(drawn[0][2]), 320)
    found = batches.augment(crop, 256, STILL, np.random.default_rng(0))
    assert np.array_equal(found, crop[32:-32, 32:-32])


def test_turning_keeps_the_cells_size_and_place(drawn):
    crop = crop_cell(measure_cell(drawn[0][2]), 320)
    area = measure_cell(crop).area
    turned = [batches.augment(crop, 256, Training(brightness=0), np.random.default_rng(i)) for i in range(8)]
    for picture in turned:
        cell = measure_cell(picture)
        assert cell.area == pytest.approx(area, rel=0.03)
        assert cell.middle == pytest.approx((128, 128), abs=6)
    assert len({picture.tobytes() for picture in turned}) == 8


def test_mirroring_mirrors():
    crop = np.zeros((128, 128, 3), np.uint8)
    crop[40:60, 40:90] = 200
    training = Training(rotation=False, brightness=0)
    found = [batches.augment(crop, 64, training, np.random.default_rng(i)) for i in range(20)]
    plain = crop[32:-32, 32:-32]
    kinds = {f.tobytes() for f in found}
    assert kinds == {plain.tobytes(), plain[:, ::-1].tobytes()}


def test_brightness_changes_the_cell_and_leaves_the_background_black(drawn):
    crop = crop_cell(measure_cell(drawn[0][2]), 320)
    training = Training(rotation=False, flips=False, brightness=0.3)
    found = [batches.augment(crop, 256, training, np.random.default_rng(i)) for i in range(6)]
    means = [picture.mean() for picture in found]
    assert max(means) / min(means) > 1.05
    black = crop[32:-32, 32:-32].max(axis=2) == 0
    assert all(picture[black].max() == 0 for picture in found)


def test_a_tint_changes_each_colour_by_itself():
    crop = np.full((128, 128, 3), 100, np.uint8)
    training = Training(rotation=False, flips=False, brightness=0, colour=0.2)
    found = [batches.augment(crop, 64, training, np.random.default_rng(i)) for i in range(50)]
    levels = np.array([picture[0, 0] for picture in found])
    assert all((picture == picture[0, 0]).all() for picture in found)
    assert levels.min() >= 80
    assert levels.max() <= 120
    assert np.abs(np.corrcoef(levels.T)[np.triu_indices(3, 1)]).max() < 0.5
    assert levels.std(axis=0).min() > 5


def test_gamma_changes_levels_by_a_power():
    crop = np.full((128, 128, 3), 64, np.uint8)
    training = Training(rotation=False, flips=False, brightness=0, gamma=0.25)
    found = [batches.augment(crop, 64, training, np.random.default_rng(i))[0, 0, 0] for i in range(60)]
    bounds = [255 * (64 / 255) ** power for power in (1.25, 0.75)]
    assert bounds[0] - 1 <= min(found) < bounds[0] + 8
    assert bounds[1] - 8 < max(found) <= bounds[1] + 1


def test_blur_softens_or_sharpens():
    crop = np.random.default_rng(0).integers(80, 120, (128, 128, 3), dtype=np.uint8)
    training = Training(rotation=False, flips=False, brightness=0, blur=1.5)
    found = [batches.augment(crop, 64, training, np.random.default_rng(i)).std() for i in range(30)]
    still = batches.augment(crop, 64, STILL, np.random.default_rng(0)).std()
    assert min(found) < 0.5 * still
    assert max(found) > 1.2 * still
    assert 8 < sum(spread < still for spread in found) < 22


def test_the_same_seed_and_epoch_give_the_same_batches(prepared, cells):
    crops = batches.load_crops(prepared, cells, 128, workers=2)
    training = Training(cells_per_epoch=20, batch=8)

    def make(seed, epoch):
        rows = np.arange(len(cells))
        return batches.Epoch(crops, cells, rows, 64, training, seed, epoch)

    one, same, other = make(0, 1), make(0, 1), make(0, 2)
    assert len(one) == 3
    (x, y), (x2, y2) = one[2], same[2]
    assert x.shape == (4, 64, 64, 3)
    assert x.dtype == np.uint8
    assert y.shape == (4, 1)
    assert np.array_equal(x, x2)
    assert np.array_equal(y, y2)
    assert not np.array_equal(x, other[2][0])


def test_only_the_given_rows_are_drawn(prepared, cells):
    crops = batches.load_crops(prepared, cells, 128, workers=2)
    rows = np.flatnonzero(cells["patient_group"].isin(["H1", "1"]))
    epoch = batches.Epoch(crops, cells, rows, 64, Training(cells_per_epoch=40, batch=8), 0, 0)
    assert set(epoch._order) <= set(rows)
