"""Cohen's kappa of readers: against scikit-learn, and its interval against many new draws."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from leukemia.cases import agreement, cells, verdicts
from leukemia.cases.verdicts import VERDICTS
from leukemia.reports import case_wording
from tests.support.case_factory import make_case


def test_kappa_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(50):
        first, second = rng.integers(0, 4, (2, rng.integers(1, 30)))
        table = np.zeros((4, 4))
        np.add.at(table, (first, second), 1)
        theirs = cohen_kappa_score(first, second, labels=range(4))
        assert agreement.kappa(table) == pytest.approx(theirs, nan_ok=True)
    assert np.isnan(agreement.kappa(np.diag([5.0, 0, 0, 0])))


@pytest.fixture
def read(tmp_path):
    """Cases whose readers agree in some cells; returns all cells."""

    def make(*per_case):
        found = []
        for number, pairs in enumerate(per_case):
            case = make_case(tmp_path, f"P-{number}", [0.5] * (len(pairs) + 1), first=100 * number)
            for place, pair in enumerate(pairs, 1):
                for reader, verdict in zip(("Ben", "Ada"), pair, strict=True):
                    verdicts.give(tmp_path, case.id, [place], VERDICTS[verdict], reader=reader)
            found += cells.cells(tmp_path, case.id)
        return found

    return make


def test_each_pair_of_readers_is_compared_on_the_cells_that_both_read(read, tmp_path):
    found = read([(0, 0), (0, 1), (1, 1), (2, 2)])
    verdicts.give(tmp_path, 1, [1, 5], VERDICTS[1], reader="Cleo")
    first, *others = agreement.of_cells(cells.cells(tmp_path, 1))
    assert (first.readers, first.cells, first.cases, first.same) == (("Ada", "Ben"), 4, 1, 3)
    assert [(one.readers, one.cells) for one in others] == [(("Ada", "Cleo"), 1), (("Ben", "Cleo"), 1)]
    assert first.table[1, 0] == 1, "Ada's verdict is the row"
    assert first.kappa.value == pytest.approx(cohen_kappa_score([0, 1, 1, 2], [0, 0, 1, 2]))
    assert first.kappa.low < first.kappa.value < first.kappa.high <= 1
    assert first.over == "cells"
    assert agreement.of_cells(found)[0].kappa == first.kappa


def test_over_several_cases_whole_cases_are_drawn(read, tmp_path):
    # Within a case the readers always agree or never do: cases say much less than their cells would.
    same, other = [(0, 0), (1, 1)] * 5, [(0, 1), (1, 0)] * 5
    found = read(same, other, same, same)
    (one,) = agreement.of_cells(found)
    assert (one.cells, one.cases, one.over) == (40, 4, "cases")
    assert one.kappa.value == pytest.approx(0.5)
    rng = np.random.default_rng(1)
    shares = (np.array([1, 0, 1, 1])[rng.integers(0, 4, (20_000, 4))]).mean(1)
    low, high = np.percentile(2 * shares - 1, [2.5, 97.5])
    assert (one.kappa.low, one.kappa.high) == pytest.approx((low, high), abs=0.01)
    assert agreement.of_all_cases(tmp_path)[0].kappa == one.kappa


def test_readers_who_always_say_the_same_have_no_kappa(read):
    (one,) = agreement.of_cells(read([(0, 0), (0, 0)]))
    assert np.isnan(one.kappa.value) and one.same == 2


def test_kappa_is_not_told_of_few_cells_or_of_one_sides_only_verdict():
    few, one_sided, enough = [(0, 1), (1, 0), (1, 1)], [(0, 0), (0, 1)] * 10, [(0, 0), (1, 1)] * 10
    for number, (pairs, said) in enumerate(
        (
            (few, "on 1 of 3 cells that both read; too few for Cohen's kappa, which needs at least 20."),
            (one_sided, "Cohen's kappa cannot be told, since one of the two said the same of every cell."),
            (enough, "Cohen's kappa 1.000 (1.000 to 1.000) (95% interval over cells)."),
        ),
        1,
    ):
        one = agreement.of_pairs(("Ada", "Ben"), np.array([(number, *pair) for pair in pairs]))
        assert one.is_told == (pairs is enough)
        assert case_wording.agreement(one).endswith(said)


def test_a_kappa_below_0_has_the_pages_minus():
    pairs = np.array([(1, *pair) for pair in [(0, 1), (1, 0)] * 10])
    assert "Cohen's kappa −1.000" in case_wording.agreement(agreement.of_pairs(("Ada", "Ben"), pairs))


def test_without_two_readers_there_is_nothing_to_compare(tmp_path):
    assert agreement.of_all_cases(tmp_path) == []
    case = make_case(tmp_path)
    verdicts.give(tmp_path, case.id, [1, 2], VERDICTS[0], reader="Ada")
    assert agreement.of_all_cases(tmp_path) == []
