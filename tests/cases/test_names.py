"""One person is one reader, however the letters of her name are written, now or on record."""

import unicodedata
from contextlib import contextmanager

import pytest

from leukemia.cases import agreement, cells, corrections, verdicts, worklist
from leukemia.cases import case as cases
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from tests.support.case_factory import make_case
from tests.support.field_factory import make_case_of_field

# As the Vietnamese keyboard of Windows types it, it is neither composed nor decomposed.
COMPOSED, DECOMPOSED = "Zoë Lệ", unicodedata.normalize("NFD", "Zoë Lệ")
MIXED = "Zoë Lê\u0323"


@pytest.fixture(params=[COMPOSED, DECOMPOSED, MIXED])
def typed(request):
    return request.param


@pytest.fixture
def as_typed(monkeypatch):
    """Puts names on record as an earlier program did."""

    @contextmanager
    def earlier():
        with monkeypatch.context() as changed:
            for module in (verdicts, corrections):
                changed.setattr(module, "reader_name", lambda who: who)
            yield

    return earlier


def test_names_that_are_typed_otherwise_come_on_record_alike(records, typed):
    case = make_case(records)
    for name in (typed, COMPOSED, DECOMPOSED):
        verdicts.give(records, case.id, [1], ALL_LIKE, reader=name)
    assert [one.reader for one in cells.cells(records, case.id)[0].readings] == [COMPOSED]
    assert cases.history(records, case.id)[0].who == COMPOSED


def test_verdicts_under_an_old_name_are_their_readers(records, typed, as_typed):
    case = make_case(records, blind=True, hide_model=True)
    with as_typed():
        for number, name in enumerate((DECOMPOSED, MIXED, COMPOSED), 1):
            verdicts.give(records, case.id, [number], ALL_LIKE, reader=name)
    seen = cells.cells(records, case.id, reader=typed)
    assert [one.hidden for one in seen] == [False, False, False, True, True]
    assert cases.read_by(records, case.id, typed) == {1, 2, 3}
    assert worklist.overview(records, case.id, reader=typed).kept_back == 2
    verdicts.give(records, case.id, [1, 2, 3], NORMAL_LIKE, reader=typed)
    found = cells.cells(records, case.id)
    assert [(one.status, len(one.readings)) for one in found[:3]] == [(cases.READ, 1)] * 3
    assert agreement.of_cells(found) == agreement.of_all_cases(records) == []
    for _ in range(4):
        assert verdicts.undo(records, case.id, reader=typed)
    assert cases.read_by(records, case.id, typed) == set()
    assert not any(one.readings for one in cells.cells(records, case.id))


def test_a_change_of_a_field_under_an_old_name_can_be_taken_back(records, typed, as_typed):
    case = make_case_of_field(records)
    with as_typed():
        corrections.remove(records, case.id, 1, who=DECOMPOSED)
    assert corrections.can_undo(records, case.id, 1, f" {typed}")
    corrections.undo(records, case.id, 1, who=typed)
    assert not corrections.removed(records, case.id)
