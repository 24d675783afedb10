import pytest

from leukemia.inference import decisions, views
from leukemia.inference.answer import Answer
from leukemia.inference.batch import Result
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE, UNCLASSIFIED, OperatingPoint

RESULTS = [
    Result("a", Answer("a", 0.2)),
    Result("b", Answer("b", 0.9)),
    Result("c", Answer("c", error="The file is empty.")),
    Result("d", Answer("d", 0.48)),
    Result("e", Answer("e", 0.5)),
    Result("aa", Answer("0", error="blank")),
]


@pytest.mark.parametrize(
    ("view", "names"),
    [
        (views.EVERYTHING, "beda"),
        (ALL_LIKE, "be"),
        (NORMAL_LIKE, "da"),
        (views.NEAR, "ed"),
        (UNCLASSIFIED, ""),
    ],
)
def test_views_show_the_highest_probability_first(view, names):
    assert (
        "".join(result.answer.name for result in views.readable(RESULTS, OperatingPoint.of(0.5), view))
        == names
    )


def test_what_cannot_be_read_is_a_group_of_its_own():
    assert [result.answer.name for result in views.unreadable(RESULTS)] == ["0", "c"]


def test_a_band_makes_a_view_of_its_own():
    def names(view):
        return "".join(r.answer.name for r in views.readable(RESULTS, OperatingPoint(0.3, 0.6, 0.5), view))

    assert (names(decisions.INDETERMINATE), names(ALL_LIKE), names(NORMAL_LIKE)) == (
        "ed",
        "b",
        "a",
    )
    assert decisions.INDETERMINATE in views.views(OperatingPoint(0.3, 0.6, 0.5))
    assert decisions.INDETERMINATE not in views.views(OperatingPoint.of(0.5))
