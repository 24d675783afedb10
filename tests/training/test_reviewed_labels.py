"""From signature to training: the next run learns the verdicts of signed cases, and its card says so."""

import keras
import numpy as np
import pytest

from leukemia.bundles import model_card
from leukemia.bundles.schema import Data
from leukemia.cases import cells, signing, verdicts
from leukemia.dataset import review_labels
from leukemia.errors import DatasetError
from leukemia.imaging.cell import crop_cell, measure_cell
from leukemia.networks.recipe import Recipe
from leukemia.operating_point import ALL_LIKE
from leukemia.training import bundle_record, training_data
from leukemia.training.plan import Plan
from tests.support.case_factory import make_case

PLAN = Plan(Recipe(name="none", summary="For tests.", body=lambda x, _: keras.layers.Flatten()(x), crop=64))


@pytest.fixture
def signed(data):
    case = make_case(data, "P-1", (0.9, 0.5))
    verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ada")
    signing.sign(data, case.id, who="Ada", meaning="x")
    return case


def test_the_next_run_learns_them_as_cells_of_one_more_patient(data, signed):
    dataset = training_data.load(data, PLAN)
    ours = dataset.cells["source"] == review_labels.SOURCE
    assert dataset.cells.loc[ours, "label"].tolist() == ["ALL", "ALL"]
    assert dataset.part[ours].nunique() == 1
    size = PLAN.recipe.crop + training_data.MARGIN
    for row, cell in zip(np.flatnonzero(ours), dataset.cells[ours].itertuples(), strict=True):
        kept = cells.picture(data, signed.id, int(cell.path.partition("-")[2].removesuffix(".png")))
        assert np.array_equal(dataset.crops[row], crop_cell(measure_cell(kept.pixels), size))
    assert not training_data.changed(data, dataset)
    record = bundle_record._data(dataset, changed=False)
    assert (record.reviewed, record.reviewed_cases) == (2, 1)
    signing.reopen(data, signed.id, who="Ada", reason="x")
    assert training_data.changed(data, dataset)
    assert review_labels.SOURCE not in set(training_data.load(data, PLAN).cells["source"])


def test_a_picture_that_was_replaced_is_not_learned(data, signed):
    (picture, *_) = (data / "review").glob("*.png")
    others = next(path for path in (data / "review").glob("*.png") if path != picture)
    picture.write_bytes(others.read_bytes())
    with pytest.raises(DatasetError, match="not the image that was prepared"):
        training_data.load(data, PLAN)


def test_the_card_says_whose_labels_they_are():
    without = Data(fingerprint="f", synthetic=False, cells=9, patient_groups=3)
    assert model_card._reviewed(without) == ""
    said = model_card._reviewed(without.model_copy(update={"reviewed": 1_200, "reviewed_cases": 1}))
    assert "1,200 cells of 1 signed case of the laboratory" in said and "source review" in said
