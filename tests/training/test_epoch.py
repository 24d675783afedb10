import numpy as np

from leukemia.networks.recipe import Training
from leukemia.training import training_data
from leukemia.training.epoch import EpochBatches


def test_the_same_seed_and_epoch_give_the_same_batches(prepared, cells):
    crops = training_data.load_crops(prepared, cells, 128, workers=2)
    training = Training(cells_per_epoch=20, batch=8)

    def make(seed, epoch):
        rows = np.arange(len(cells))
        return EpochBatches(crops, cells, rows, 64, training, seed, epoch)

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
    crops = training_data.load_crops(prepared, cells, 128, workers=2)
    rows = np.flatnonzero(cells["patient_group"].isin(["H1", "1"]))
    epoch = EpochBatches(crops, cells, rows, 64, Training(cells_per_epoch=40, batch=8), 0, 0)
    assert set(epoch.order) <= set(rows)
