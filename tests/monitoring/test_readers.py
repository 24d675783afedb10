"""Readers of signed cases: how far they agree, over time, and what the model missed."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from leukemia.cases import cells, verdicts
from leukemia.monitoring import readers, recent
from leukemia.monitoring.control import State
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from tests.support.monitoring_factory import as_the_model, read, sign


def the_opposite(cell):
    return {ALL_LIKE: NORMAL_LIKE, NORMAL_LIKE: ALL_LIKE}.get(cell.decision, cell.decision)


def of_model(data, promised=0.05):
    return readers.of_model(data, recent.cells(data).models[-1], promised)


def test_only_signed_cases_count(data, add):
    numbers = add(3, cells=4)
    for number in numbers:
        read(data, number, "Ada", as_the_model)
    found = of_model(data)
    assert (found.signed, found.with_model, found.blocks) == (0, None, ())
    sign(data, numbers[:2])
    found = of_model(data)
    assert found.signed == found.with_model.cases == 2


def test_agreement_is_cohens_kappa_on_cells_that_the_model_called(data, add):
    (number,) = add(1, cells=60)
    rng = np.random.default_rng(0)
    given = {cell: rng.choice([ALL_LIKE, NORMAL_LIKE, INDETERMINATE]) for cell in range(1, 61)}
    read(data, number, "Ada", lambda cell: str(given[cell.number]))
    sign(data, [number])
    called = [cell for cell in cells.cells(data, number) if cell.decision in (ALL_LIKE, NORMAL_LIKE)]
    expected = cohen_kappa_score([one.decision for one in called], [given[one.number] for one in called])
    found = of_model(data).with_model
    assert found.cells == len(called)
    assert found.kappa.value == pytest.approx(expected)


def test_the_last_verdict_of_each_reader_counts_and_a_withdrawn_one_does_not(data, add):
    (number,) = add(1, cells=6)
    read(data, number, "Ada", lambda cell: ALL_LIKE)
    read(data, number, "Ada", lambda cell: NORMAL_LIKE)
    read(data, number, "Ben", lambda cell: NORMAL_LIKE if cell.number < 4 else None)
    verdicts.give(data, number, [4], ALL_LIKE, reader="Ben")
    verdicts.undo(data, number, reader="Ben")
    sign(data, [number])
    found = of_model(data).between
    assert (found.cells, found.same) == (3, 3)


def test_one_reader_whose_name_is_on_record_in_two_ways_is_no_two_readers(data, add, monkeypatch):
    (number,) = add(1, cells=6)
    # As an earlier program put it there.
    monkeypatch.setattr(verdicts, "reader_name", lambda who: who)
    for reader, verdict in (("Zoe\u0308", ALL_LIKE), ("Zo\u00eb", NORMAL_LIKE)):
        read(data, number, reader, lambda cell, given=verdict: given)
    sign(data, [number])
    assert of_model(data).between is None


def test_agreement_that_falls_is_seen(data, add):
    numbers = add(22, cells=12)
    for place, number in enumerate(numbers):
        read(data, number, "Ada", as_the_model if place < 10 else the_opposite)
    sign(data, numbers)
    found = of_model(data)
    assert [(one.first, one.last) for one in found.blocks] == [(1, 10), (11, 22)]
    assert found.blocks[0].with_model.kappa.value == pytest.approx(1)
    assert found.agreement_state == State.WATCH
    calm = readers.of_model(data, recent.cells(data).models[-1])
    assert calm.missed_state == State.UNKNOWN  # nothing was promised


def test_what_the_model_missed_in_signed_cases_stops(data, add):
    numbers = add(14, cells=12)
    for number in numbers:
        read(data, number, "Ada", lambda cell: ALL_LIKE if cell.decision == NORMAL_LIKE else cell.decision)
    sign(data, numbers[:9])
    assert of_model(data).missed_state == State.TOO_FEW
    sign(data, numbers)
    found = of_model(data)
    assert found.missed.low > 0.05
    assert found.missed_state == State.STOP


def test_cells_that_nobody_read_count_as_the_model_called_them_once_signed(data, add):
    numbers = add(12, cells=12, ill=1.0)
    sign(data, numbers)
    found = of_model(data)
    assert (found.missed.value, found.missed_cases) == (0.0, 12)
    assert found.with_model is None
    assert found.missed_state == State.OK


def test_cells_that_the_model_learned_from_count_nowhere(data, add):
    numbers = add(14, cells=12)
    for place, number in enumerate(numbers):
        read(data, number, "Ada", as_the_model if place < 12 else the_opposite)
        read(data, number, "Ben", as_the_model)
    sign(data, numbers[:12])
    without, table = of_model(data), recent.cells(data).table
    sign(data, numbers)
    known = set(table.loc[table["case_id"].isin(numbers[12:]), "image_id"])
    model = recent.cells(data).models[-1]
    found = readers.of_model(data, model, 0.05, known)
    assert (found.signed, found.missed_cases) == (without.signed, without.missed_cases)
    assert found.with_model.table.tolist() == without.with_model.table.tolist()
    assert found.missed == without.missed
    some = sorted(known)[:5]
    found = readers.of_model(data, model, 0.05, some)
    whole = of_model(data)
    assert found.signed == whole.signed == 14
    assert found.with_model.cells < whole.with_model.cells
    none = readers.of_model(data, model, 0.05, set(table["image_id"]))
    assert (none.signed, none.unseen, none.missed_cases, none.with_model) == (0, 0, 0, None)
    assert none.missed_state == none.agreement_state == State.TOO_FEW
