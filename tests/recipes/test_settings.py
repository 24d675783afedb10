import pytest

from leukemia.errors import RecipeError
from leukemia.recipes.settings import FIELDS


@pytest.mark.parametrize("text", ["nan", "inf", "-1e400", "9" * 4_000, "x", ""])
def test_a_setting_that_is_no_number_or_out_of_bounds_is_a_sentence(text):
    for setting in FIELDS:
        with pytest.raises(RecipeError, match=r"must be (between|on or off|a number|a whole number)"):
            setting.parse(text)
