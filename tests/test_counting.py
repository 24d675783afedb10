"""Numbers with their nouns."""

import pytest

from leukemia.counting import counted


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((0, "cell"), "0 cells"),
        ((1, "cell"), "1 cell"),
        ((1_200, "cell"), "1,200 cells"),
        ((1, "patient has", "patients have"), "1 patient has"),
        ((2, "patient has", "patients have"), "2 patients have"),
    ],
)
def test_one_and_several(asked, said):
    assert counted(*asked) == said
