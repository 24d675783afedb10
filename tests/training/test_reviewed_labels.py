"""From signature to training: the next run learns the verdicts of signed cases, and its card says so."""

import keras
import numpy as np
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.bundles import model_card
from leukemia.bundles.schema import Data, Subset
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


ONE_CLASS = "Each patient in the set {} cells of one class only"
OF_C_NMC_ALONE = (
    "The cells come from one hospital laboratory",
    "One centre, one stain",
    ONE_CLASS.format("has"),
)


def test_the_card_says_of_the_cells_of_cnmc_alone_what_does_not_hold_for_signed_cases(tiny_bundle):
    record = bundles.read(tiny_bundle).record
    mixed = Subset(
        cells={"ALL": 9, "Normal": 9}, patient_groups={"ALL": 2, "Normal": 2}, groups=("1", "H1", "review-1")
    )
    split = record.split.model_copy(update={"training": mixed, "test": mixed})

    def card(**changes):
        data = record.data.model_copy(update=changes)
        return model_card.render(record.model_copy(update={"data": data, "split": split}))

    said = card(reviewed=4, reviewed_cases=1)
    assert not [words for words in OF_C_NMC_ALONE if words in said]
    for words in (
        "9 Normal cells of 2 patient groups (1 of them with ALL cells, too)",
        "come from one hospital laboratory, those of the signed cases from the laboratory that read them",
        "Each patient of C-NMC 2019 has cells of one class only",
        "a signed case may have cells of both classes",
        "The metrics of normal cells rest on 2 patient groups",
    ):
        assert words in said, words
    without = card()
    assert "signed case" not in without and all(words in without for words in OF_C_NMC_ALONE)
    assert ONE_CLASS.format("came with") in card(corrected=1)
