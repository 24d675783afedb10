"""Which cells a model learned from, told of cells that it is shown."""

from types import SimpleNamespace

import pytest

from leukemia.inference.learned import NOT_HERE, Learned, is_lossy_copy, untold

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
