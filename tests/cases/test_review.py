"""A case from its first cell to its signature: states, verdicts, disagreement, undo."""

import pytest

from leukemia.audit import trail, verify
from leukemia.cases import case as cases
from leukemia.cases import cells, disagreements, signing, verdicts
from leukemia.cases.verdicts import REJECTED
from leukemia.errors import RecordsError
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, UNCLASSIFIED
from tests.support.case_factory import make_case


def state(data, case):
    return cases.overview(data, case.id).state


def statuses(data, case):
    return [(cell.status, cell.verdict) for cell in cells.cells(data, case.id)]


def test_a_case_is_reviewed_settled_signed_and_reopened(tmp_path):
    case = make_case(tmp_path)
    assert [cell.decision for cell in cells.cells(tmp_path, case.id)] == [
        ALL_LIKE,
        INDETERMINATE,
        NORMAL_LIKE,
        UNCLASSIFIED,
        UNCLASSIFIED,
    ]
    assert state(tmp_path, case) == cases.TO_REVIEW
    with pytest.raises(RecordsError, match=r"1 indeterminate \(cell 2\), 2 not classified \(cells 4, 5\)"):
        signing.sign(tmp_path, case.id, who="Ada", meaning=signing.MEANINGS[0])

    verdicts.give(tmp_path, case.id, [2], ALL_LIKE, reader="Ada")
    verdicts.give(tmp_path, case.id, [4, 5], REJECTED, reader="Ada", reason="Blurred")
    assert state(tmp_path, case) == cases.READY
    verdicts.give(tmp_path, case.id, [2], NORMAL_LIKE, reader="Ben")
    assert state(tmp_path, case) == cases.IN_DISPUTE
    with pytest.raises(RecordsError, match=r"1 disputed \(cell 2\)"):
        signing.sign(tmp_path, case.id, who="Ada", meaning="x")
    (disputed,) = disagreements.disputed(tmp_path, case.id)
    assert [(one.reader, one.verdict) for one in disputed.readings] == [
        ("Ada", ALL_LIKE),
        ("Ben", NORMAL_LIKE),
    ]
    settled = disagreements.settle(tmp_path, case.id, 2, ALL_LIKE, who="Cleo", reason="seen together")
    assert (settled.status, settled.verdict, len(settled.readings)) == ("settled", ALL_LIKE, 2)

    signed = signing.sign(tmp_path, case.id, who="Ada", meaning="I have reviewed the cells.")
    assert (signed.signed_by, signed.signed_meaning) == ("Ada", "I have reviewed the cells.")
    for change in (
        lambda: verdicts.give(tmp_path, case.id, [1], ALL_LIKE, reader="Ben"),
        lambda: verdicts.undo(tmp_path, case.id, reader="Ada"),
        lambda: disagreements.settle(tmp_path, case.id, 2, NORMAL_LIKE, who="Ben", reason="x"),
        lambda: signing.sign(tmp_path, case.id, who="Ben", meaning="x"),
    ):
        with pytest.raises(RecordsError, match="signed by Ada"):
            change()
    signing.reopen(tmp_path, case.id, who="Ben", reason="a cell was missed")
    assert state(tmp_path, case) == cases.READY
    verdicts.give(tmp_path, case.id, [1], ALL_LIKE, reader="Ben")
    told = [entry.event for entry in cases.history(tmp_path, case.id)]
    assert told[:4] == [trail.VERDICT, trail.REOPENED, trail.SIGNED, trail.SETTLED]
    assert told[-1] == trail.CASE_CREATED
    assert verify.verify(tmp_path).is_whole


def test_verdicts_are_taken_back_act_by_act(tmp_path):
    case = make_case(tmp_path)
    verdicts.give(tmp_path, case.id, [1, 2, 3], NORMAL_LIKE, reader="Ada")
    verdicts.give(tmp_path, case.id, [2, 4], ALL_LIKE, reader="Ada")
    verdicts.give(tmp_path, case.id, [2], INDETERMINATE, reader="Ben")
    after_two = statuses(tmp_path, case)
    assert after_two[1] == ("disputed", "")
    undone = verdicts.undo(tmp_path, case.id, reader="Ada")
    assert [cell.number for cell in undone] == [2, 4]
    assert [cell.by("Ada") and cell.by("Ada").verdict for cell in undone] == [NORMAL_LIKE, None]
    assert [cell.number for cell in verdicts.undo(tmp_path, case.id, reader="Ada")] == [1, 2, 3]
    assert verdicts.undo(tmp_path, case.id, reader="Ada") == []
    assert statuses(tmp_path, case) == [("unread", ""), ("read", INDETERMINATE), *[("unread", "")] * 3]


def test_a_verdict_that_is_sent_again_is_written_once(tmp_path):
    case = make_case(tmp_path)
    for _ in range(2):
        verdicts.give(tmp_path, case.id, [1, 2], ALL_LIKE, reader="Ada", key="k1")
    verdicts.give(tmp_path, case.id, [2], NORMAL_LIKE, reader="Ada", key="k2")
    verdicts.give(tmp_path, case.id, [1, 2], ALL_LIKE, reader="Ada", key="k1")
    verdicts.give(tmp_path, case.id, [1], ALL_LIKE, reader="Ada", key="k3")
    given = [one for one in cases.history(tmp_path, case.id) if one.event == trail.VERDICT]
    assert [(one.cell, one.old, one.new) for one in reversed(given)] == [
        (1, "", ALL_LIKE),
        (2, "", ALL_LIKE),
        (2, ALL_LIKE, NORMAL_LIKE),
    ]
