import shutil

import numpy as np
import pandas as pd
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.imaging import morphology
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.inference import features


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    return bundles.read(tiny_bundle)


@pytest.fixture
def data(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "data")


def test_features_and_measures_are_read_once_for_a_model_and_a_set(bundle, data):
    cells = manifest.read(data)
    assert features.cached(bundle, data, cells) is None
    assert not features.exists(bundle, data, cells)
    found = features.extract_cached(bundle, data, cells, workers=2)
    again = features.cached(bundle, data, cells)
    pd.testing.assert_frame_equal(again.cells, found.cells, check_dtype=False)
    assert (again.values == found.values).all()

    def progress(*_):
        raise AssertionError("read twice")

    features.extract_cached(bundle, data, cells, workers=2, progress=progress)
    assert features.exists(bundle, data, cells)
    assert features.cached(bundle, data, cells.iloc[1:]) is None


def test_each_row_holds_what_its_own_picture_has(bundle, data):
    cells = manifest.read(data)
    found = features.extract(bundle, data, cells, workers=2)
    assert found.cells["path"].tolist() == cells["path"].tolist()
    for row in (0, 41, len(cells) - 1):
        cell = read_cell(data / cells["path"].iloc[row])
        crop = crop_cell(cell, bundle.input_size)
        assert found.values[row] == pytest.approx(crop.mean(axis=(0, 1)) / 255, abs=1e-3)
        expected = morphology.measure(crop, cell.area, bundle.pixel_size)
        assert found.cells.iloc[row][list(morphology.NAMES)].tolist() == pytest.approx(
            [getattr(expected, name) for name in morphology.NAMES]
        )


def test_what_cannot_be_read_is_left_out_and_a_damaged_cache_is_none(bundle, data):
    cells = manifest.read(data)
    (data / cells["path"].iloc[3]).write_bytes(b"no picture")
    found = features.extract_cached(bundle, data, cells, workers=2)
    assert len(found.cells) == len(found.values) == len(cells) - 1
    for path in (data / "cache").glob("features-of-*"):
        path.write_bytes(path.read_bytes()[:200])
    assert features.cached(bundle, data, cells) is None


def test_of_no_cells_there_are_no_features(bundle, data):
    found = features.extract(bundle, data, manifest.read(data).iloc[:0], workers=1)
    assert found.cells.empty and len(found.values) == 0
    assert np.isfinite(found.values).all()
