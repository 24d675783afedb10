"""The colours of a model's own cells: shipped for C-NMC 2019, measured for other sets."""

import pandas as pd
import pytest

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.errors import DatasetError
from leukemia.imaging import appearance
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.monitoring import colours
from tests.support.bundle_factory import write_bundle, write_predictions


def test_those_of_the_built_in_models_record_come_with_the_program(tmp_path):
    record = bundles.read(settings.SHIPPED).predictions
    found = colours.of(tmp_path, record["image_id"])
    assert found.notna().all(axis=None)
    for name in colours.COLOURS:
        low, high, *_ = appearance.RANGES[name]
        assert found[name].between(low, high).mean() > 0.95


@pytest.fixture
def bundle(prepared, tmp_path):
    """A bundle whose record is of the prepared cells."""
    cells = manifest.read(prepared).query("label != ''")
    wanted = cells[["image_id", "patient_group", "label"]].assign(probability=0.5)
    folder = write_predictions(write_bundle(tmp_path / "bundle"), wanted)
    return bundles.read(folder)


def test_those_of_a_prepared_set_are_measured_once(prepared, bundle, tmp_path):
    steps = []
    data = tmp_path / "data"
    data.symlink_to(prepared)
    before = colours.stamp(data)
    known, total = colours.measure(data, bundle, workers=2, progress=lambda *step: steps.append(step))
    assert known == total == bundle.predictions["image_id"].nunique()
    assert colours.stamp(data) != before
    cells = manifest.read(prepared).set_index("image_id")
    first = bundle.predictions["image_id"].iloc[0]
    cell = read_cell(prepared / cells.loc[first, "path"])
    expected = appearance.measure(crop_cell(cell, bundle.input_size), cell.area)
    found = colours.of(data, pd.Series([first, "unknown"]))
    assert found["hue"].iloc[0] == pytest.approx(expected["hue"], abs=1e-4)
    assert found.iloc[1].isna().all()
    count = len(steps)
    colours.measure(data, bundle, workers=2, progress=lambda *step: steps.append(step))
    assert len(steps) == count


def test_where_the_images_are_not_there_it_says_so(bundle, tmp_path):
    with pytest.raises(DatasetError, match="not in"):
        colours.measure(tmp_path / "empty", bundle, workers=1)


def test_a_damaged_file_is_as_none(tmp_path):
    file = tmp_path / "cache" / colours.FILE
    file.parent.mkdir()
    file.write_text("no table")
    assert colours.of(tmp_path, pd.Series(["x"])).isna().all(axis=None)
