"""What a sweep may vary: ranges read, refused, written again."""

import pytest

from leukemia.errors import RecipeError
from leukemia.recipes import search_space
from tests.support.sweep_factory import RECIPE, VARY


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        (("learning_rate=1e-9:0.1",), r"must be between 1e-06 and 0\.1"),
        (("learning_rate=0.01:0.001",), "must go from low to high"),
        (("learning_rate",), "NAME=LOW:HIGH"),
        (("learning_rate=0.01",), "not a range"),
        (("batch=1.5:4",), "whole number"),
        (("speed=1:2",), "There is no setting"),
        (("flips=0:1",), "flips=both"),
        (("frozen=1:3",), "does not use"),
        (("dropout=0:0.5", "dropout=0.1:0.2"), "twice"),
        (("epochs=1:9",), "both set and varied"),
        ((), "at least one"),
    ],
)
def test_what_cannot_be_varied_is_refused_in_a_sentence(vary, said):
    with pytest.raises(RecipeError, match=said):
        search_space.axes(RECIPE, vary, fixed=("epochs",))


def test_a_range_is_written_as_it_is_read():
    for text in ("learning_rate=0.0001:0.01", "batch=8:64", "flips=both"):
        assert search_space.axis(RECIPE, str(search_space.axis(RECIPE, text))) == search_space.axis(
            RECIPE, text
        )
    vary = search_space.SearchSpace(search_space.axes(RECIPE, VARY), 7)
    assert vary.arguments() == [
        "--vary", "learning_rate=0.0001:0.01", "--vary", "dropout=0.0:0.5", "--trials", "7"
    ]  # fmt: skip


def test_what_is_drawn_can_be_typed_in_again():
    rate = search_space.axis(RECIPE, "learning_rate=0.000123456:0.01")
    assert rate.rounded(0.00123456789) == 0.001235
    assert rate.rounded(0.000123412) == 0.000123456
