"""Which cells a model learned from, told of cells that it is shown."""

import shutil
from types import SimpleNamespace

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cases import cells, signing, verdicts
from leukemia.dataset import label_log, manifest
from leukemia.inference import learned
from leukemia.inference.learned import NOT_HERE, Learned, is_lossy_copy, untold
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from tests.support.bundle_factory import edit, write_predictions
from tests.support.case_factory import POINT, bundle_at, make_case, result

KNOWN = Learned(frozenset("a"), frozenset())
PARTLY = Learned(frozenset("a"), frozenset(), is_whole=False)


def cell(image_id, lossy):
    return SimpleNamespace(image_id=image_id, lossy=lossy)


@pytest.mark.parametrize(
    ("image_id", "lossy", "told", "where_not_all_is_on_record"),
    [
        ("a", False, "yes", "yes"),
        ("a", True, "yes", "yes"),
        ("b", False, "no", "unknown"),
        ("b", True, "unknown", "unknown"),
        ("b", None, "unknown", "unknown"),
        ("", False, "", ""),
    ],
)
def test_a_cell_is_known_by_its_pixels(image_id, lossy, told, where_not_all_is_on_record):
    assert KNOWN.tells(image_id, lossy) == told
    assert PARTLY.tells(image_id, lossy) == where_not_all_is_on_record


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([], ""),
        ([cell("a", True), cell("b", False), cell("", False)], ""),
        (
            [cell("b", True)],
            "1 image is a lossy file (such as JPEG): it is not known whether the model learned from it.",
        ),
        (
            [cell("b", True)] * 2,
            "2 images are lossy files: it is not known whether the model learned from them.",
        ),
        (
            [cell("b", True), cell("c", None)],
            "1 image is a lossy file (such as JPEG) and of 1 image it was not kept whether the file was "
            "lossy: it is not known whether the model learned from them.",
        ),
    ],
)
def test_cells_of_which_it_is_not_known_are_counted(cells, said):
    assert untold(cells, KNOWN) == said


def test_where_not_all_cells_are_on_record_nothing_is_known_of_the_others():
    assert untold([cell("a", False)], PARTLY) == ""
    assert untold([cell("b", False)], PARTLY) == NOT_HERE.format(them="this cell is")
    assert untold([cell("b", False), cell("c", True)], PARTLY) == NOT_HERE.format(them="these cells are")


def test_a_card_tells_of_loss_only_where_that_is_what_hides_it():
    assert is_lossy_copy(cell("b", True), KNOWN)
    assert not is_lossy_copy(cell("b", None), KNOWN)
    assert not is_lossy_copy(cell("a", True), KNOWN)
    assert not is_lossy_copy(cell("b", True), PARTLY)


@pytest.fixture
def data(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "data")


def split(copied_bundle, data, training, held_out="7"):
    """A bundle that learned from some patients of the set, and was tested on another."""
    rows = manifest.read(data)
    tested = rows[rows["patient"] == held_out]
    predictions = bundles.read(copied_bundle).predictions.iloc[: len(tested)].reset_index(drop=True)
    given = tested[["image_id", "patient_group", "label", "source"]].reset_index(drop=True)
    write_predictions(copied_bundle, predictions.assign(**given))
    changes = {
        "split.training.groups": training,
        "split.validation.groups": [],
        "split.test.groups": [held_out],
    }
    return bundles.read(edit(copied_bundle, changes))


def test_corrected_labels_and_signed_cases_change_nothing_of_what_a_model_learned(copied_bundle, data):
    bundle = split(copied_bundle, data, ["1", "H1"])
    rows = manifest.read(data)
    own = set(rows.loc[rows["patient"].isin(["1", "H1"]), "image_id"])
    expected = Learned(frozenset(own), frozenset({"1", "H1"}))
    assert learned.of(bundle, data) == expected and own
    label_log.correct(data, min(own), label_log.DOUBTED, who="Ada", reason="blurred")
    case = make_case(data, probabilities=(0.9,))
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ada")
    signing.sign(data, case.id, who="Ada", meaning="x")
    assert learned.of(bundle, data) == expected
    # With another set in the folder, or none, the cells are not known.
    rows[rows["patient"] != "7"].to_csv(data / "manifest.csv", index=False)
    assert learned.of(bundle, data) == Learned(frozenset(), expected.patients, is_whole=False)
    assert not learned.of(bundle, data.parent).is_whole


def test_a_case_that_shares_an_image_with_a_patient_makes_nothing_else_learned(copied_bundle, data):
    bundle = split(copied_bundle, data, ["1", "H1"])
    before = learned.of(bundle, data)
    rows = manifest.read(data)
    case = cases.create(data, "P-1", who="Ada")
    # One image of a patient that it learned from, one of the patient on whom it was tested, and a new one.
    known = [rows.loc[rows["patient"] == patient, "image_id"].iloc[0] for patient in ("1", "7")]
    given = [result(number) for number in (1, 2, 3)]
    for one, image_id in zip(given, known, strict=False):
        object.__setattr__(one.answer, "image_id", image_id)
    cells.add(data, case.id, given, bundle_at(data / "bundle"), POINT, who="Ada")
    verdicts.give(data, case.id, [1, 2, 3], ALL_LIKE, reader="Ada")
    signing.sign(data, case.id, who="Ada", meaning="x")
    assert learned.of(bundle, data) == before


def test_of_a_cell_whose_label_was_withdrawn_it_is_not_known(copied_bundle, data):
    case = make_case(data, probabilities=(0.9, 0.9))
    verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ada")
    signing.sign(data, case.id, who="Ada", meaning="x")
    bundle = split(copied_bundle, data, ["1", f"review-{case.id}"])
    first, second = (cell.image_id for cell in cells.cells(data, case.id))
    assert learned.of(bundle, data).tells(first, False) == "yes"
    other = make_case(data, "P-2", probabilities=(0.9,))
    verdicts.give(data, other.id, [1], NORMAL_LIKE, reader="Ben")
    signing.sign(data, other.id, who="Ben", meaning="x")
    found = learned.of(bundle, data)
    assert (found.tells(first, False), found.tells(second, False)) == ("unknown", "yes")
    said = "the label of 1 image was withdrawn since: it is not known whether the model learned from it."
    assert untold([cell(first, False)], found).lower() == said


def test_a_case_that_a_model_learned_from_is_known_as_long_as_it_is_signed(copied_bundle, data):
    case = make_case(data, probabilities=(0.9,))
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ada")
    signing.sign(data, case.id, who="Ada", meaning="x")
    bundle = split(copied_bundle, data, ["1", f"review-{case.id}"])
    (one,) = cells.cells(data, case.id)
    found = learned.of(bundle, data)
    assert one.image_id in found.images and found.is_whole
    signing.reopen(data, case.id, who="Ada", reason="x")
    found = learned.of(bundle, data)
    assert one.image_id not in found.images and not found.is_whole
