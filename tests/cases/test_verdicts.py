"""A case from its first cell to its signature: states, verdicts, disagreement, undo; what may go wrong."""

import multiprocessing
import os
import random
import signal
import sqlite3
import threading
import time

import pytest
import sqlalchemy as sa

from leukemia.access import acting
from leukemia.access.users import Role, User
from leukemia.audit import trail, verify
from leukemia.cases import case as cases
from leukemia.cases import cells, disagreements, signing, summary, verdicts, worklist
from leukemia.cases.tables import CELLS, READINGS
from leukemia.cases.verdicts import REJECTED
from leukemia.errors import AccessError, RecordsError
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, UNCLASSIFIED
from leukemia.storage import database
from leukemia.storage.workspace import Workspace
from tests.support.case_factory import make_case


def state(data, case):
    return worklist.overview(data, case.id).state


def statuses(data, case):
    return [(cell.status, cell.verdict) for cell in cells.cells(data, case.id)]


def test_a_case_is_reviewed_settled_signed_and_reopened(records):
    case = make_case(records)
    assert [cell.decision for cell in cells.cells(records, case.id)] == [
        ALL_LIKE,
        INDETERMINATE,
        NORMAL_LIKE,
        UNCLASSIFIED,
        UNCLASSIFIED,
    ]
    assert state(records, case) == worklist.TO_REVIEW
    with pytest.raises(RecordsError, match=r"1 indeterminate \(cell 2\), 2 not classified \(cells 4, 5\)"):
        signing.sign(records, case.id, who="Ada", meaning=signing.MEANINGS[0])

    verdicts.give(records, case.id, [2], ALL_LIKE, reader="Ada")
    verdicts.give(records, case.id, [4, 5], REJECTED, reader="Ada", reason="Blurred")
    assert state(records, case) == worklist.READY
    verdicts.give(records, case.id, [2], NORMAL_LIKE, reader="Ben")
    assert state(records, case) == worklist.IN_DISPUTE
    with pytest.raises(RecordsError, match=r"1 disputed \(cell 2\)"):
        signing.sign(records, case.id, who="Ada", meaning="x")
    (disputed,) = [cell for cell in cells.cells(records, case.id) if cell.status == cases.DISPUTED]
    assert [(one.reader, one.verdict) for one in disputed.readings] == [
        ("Ada", ALL_LIKE),
        ("Ben", NORMAL_LIKE),
    ]
    settled = disagreements.settle(records, case.id, 2, ALL_LIKE, who="Cleo", reason="seen together")
    assert (settled.status, settled.verdict, len(settled.readings)) == ("settled", ALL_LIKE, 2)

    signed = signing.sign(records, case.id, who="Ada", meaning="I have reviewed the cells.")
    assert (signed.signed_by, signed.signed_meaning) == ("Ada", "I have reviewed the cells.")
    for change in (
        lambda: verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ben"),
        lambda: verdicts.undo(records, case.id, reader="Ada"),
        lambda: disagreements.settle(records, case.id, 2, NORMAL_LIKE, who="Ben", reason="x"),
        lambda: signing.sign(records, case.id, who="Ben", meaning="x"),
    ):
        with pytest.raises(RecordsError, match="signed by Ada"):
            change()
    signing.reopen(records, case.id, who="Ben", reason="a cell was missed")
    assert state(records, case) == worklist.READY
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ben")
    told = [entry.event for entry in cases.history(records, case.id)]
    assert told[:4] == [trail.VERDICT, trail.REOPENED, trail.SIGNED, trail.SETTLED]
    assert told[-1] == trail.CASE_CREATED
    assert verify.verify(records).is_whole


def test_verdicts_are_taken_back_act_by_act(records):
    case = make_case(records)
    verdicts.give(records, case.id, [1, 2, 3], NORMAL_LIKE, reader="Ada")
    verdicts.give(records, case.id, [2, 4], ALL_LIKE, reader="Ada")
    verdicts.give(records, case.id, [2], INDETERMINATE, reader="Ben")
    after_two = statuses(records, case)
    assert after_two[1] == ("disputed", "")
    undone = verdicts.undo(records, case.id, reader="Ada")
    assert undone == [cell for cell in cells.cells(records, case.id) if cell.number in (2, 4)]
    assert [cell.number for cell in undone] == [2, 4]
    assert [cell.by("Ada") and cell.by("Ada").verdict for cell in undone] == [NORMAL_LIKE, None]
    assert [cell.number for cell in verdicts.undo(records, case.id, reader="Ada")] == [1, 2, 3]
    assert verdicts.undo(records, case.id, reader="Ada") == []
    assert statuses(records, case) == [("unread", ""), ("read", INDETERMINATE), *[("unread", "")] * 3]


def test_a_verdict_that_is_sent_again_is_written_once(records):
    case = make_case(records)
    for _ in range(2):
        verdicts.give(records, case.id, [1, 2], ALL_LIKE, reader="Ada", key="k1")
    verdicts.give(records, case.id, [2], NORMAL_LIKE, reader="Ada", key="k2")
    verdicts.give(records, case.id, [1, 2], ALL_LIKE, reader="Ada", key="k1")
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada", key="k3")
    given = [one for one in cases.history(records, case.id) if one.event == trail.VERDICT]
    assert [(one.cell, one.old, one.new) for one in reversed(given)] == [
        (1, "", ALL_LIKE),
        (2, "", ALL_LIKE),
        (2, ALL_LIKE, NORMAL_LIKE),
    ]


def is_consistent(data):
    """Whether trail, readings and what they come to tell the same; returns the readings' count."""
    assert verify.verify(data).is_whole
    entries = {one.number: one for one in trail.entries(data)}
    with database.reading(data) as connection:
        rows = connection.execute(sa.select(READINGS)).all()
        case_ids = connection.scalars(sa.select(CELLS.c.case_id).distinct()).all()
        for case_id in case_ids:
            for cell in cells.cells_of(connection, case_id):
                assert (cell.status, cell.verdict) == verdicts.judge(cell.readings, cell.settlement)
    events = (trail.VERDICT, trail.VERDICT_UNDONE)
    assert {row.number for row in rows} == {one.number for one in entries.values() if one.event in events}
    for row in rows:
        entry = entries[row.number]
        assert (entry.case_id, entry.cell, entry.who, entry.new) == (
            row.case_id,
            row.cell,
            row.reader,
            row.verdict,
        )
    return len(rows)


def test_of_many_at_once_all_or_none_are_given(records):
    case = make_case(records)
    with pytest.raises(RecordsError, match="no cell 9"):
        verdicts.give(records, case.id, [1, 9], ALL_LIKE, reader="Ada")
    assert is_consistent(records) == 0
    given = verdicts.give(records, case.id, range(1, 5), INDETERMINATE, reader="Ada")
    assert [(cell.number, cell.status) for cell in given] == [(n, "read") for n in range(1, 5)]
    assert given == cells.cells(records, case.id)[:4]
    assert is_consistent(records) == 4


def test_what_has_no_picture_can_only_be_rejected(records):
    case = make_case(records)
    for verdict in (ALL_LIKE, NORMAL_LIKE, INDETERMINATE):
        with pytest.raises(RecordsError, match="Cell 5 has no picture"):
            verdicts.give(records, case.id, range(1, 6), verdict, reader="Ada")
    assert is_consistent(records) == 0
    (cell,) = verdicts.give(records, case.id, [5], REJECTED, reader="Ada", reason="no picture")
    verdicts.give(records, case.id, [5], REJECTED, reader="Ben", reason="a letter")
    assert (cell.status, cell.verdict) == ("read", REJECTED)
    assert summary.summarise(cells.cells(records, case.id)).reviewed == 3


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"verdict": "Blast"}, "A verdict can be"),
        ({"verdict": REJECTED}, "why the cell is rejected"),
        ({"reader": "  "}, "give your name"),
        ({"reader": "x" * 201}, "at most 200"),
        ({"verdict": REJECTED, "reason": "x" * 2_001}, "at most 2,000"),
        ({"case_id": 99}, "no case number 99"),
    ],
)
def test_what_cannot_be_given_is_refused(tmp_path, given, says):
    case = make_case(tmp_path)
    asked = {"case_id": case.id, "numbers": [1], "verdict": ALL_LIKE, "reader": "Ada"} | given
    with pytest.raises(RecordsError, match=says):
        verdicts.give(tmp_path, **asked)
    assert is_consistent(tmp_path) == 0


def test_a_settlement_holds_until_a_reader_says_otherwise_after_it(records):
    case = make_case(records)
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(records, case.id, [1], NORMAL_LIKE, reader="Ben")
    with pytest.raises(RecordsError, match="no longer disagree on cell 2"):
        disagreements.settle(records, case.id, 2, ALL_LIKE, who="Cleo", reason="x")
    with pytest.raises(RecordsError, match="name and a reason"):
        disagreements.settle(records, case.id, 1, ALL_LIKE, who="Cleo", reason="")
    disagreements.settle(records, case.id, 1, NORMAL_LIKE, who="Cleo", reason="small nucleus")
    verdicts.give(records, case.id, [1], NORMAL_LIKE, reader="Ada")
    assert statuses(records, case)[0] == ("settled", NORMAL_LIKE)
    (cell,) = verdicts.give(records, case.id, [1], INDETERMINATE, reader="Dan")
    assert (cell.status, cell.verdict, cell.final) == ("disputed", "", "")
    assert cell.needs_verdict and cell.settlement.who == "Cleo"
    settled = disagreements.settle(records, case.id, 1, ALL_LIKE, who="Eva", reason="second look")
    assert settled == cells.cells(records, case.id)[0]
    assert (settled.status, settled.verdict, settled.settlement.who) == ("settled", ALL_LIKE, "Eva")
    assert is_consistent(records) == 4


def test_two_readers_on_one_cell_at_the_same_moment_both_count(records):
    case = make_case(records)
    together = threading.Barrier(2)
    failed = []

    def read(reader, choices):
        try:
            for verdict in choices:
                together.wait()
                verdicts.give(records, case.id, [2], verdict, reader=reader)
        except Exception as error:
            failed.append(error)

    choices = [ALL_LIKE, NORMAL_LIKE] * 5
    threads = [
        threading.Thread(target=read, args=("Ada", choices)),
        threading.Thread(target=read, args=("Ben", choices[::-1])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert is_consistent(records) == 20
    (cell,) = [cell for cell in cells.cells(records, case.id) if cell.number == 2]
    assert cell.status == "disputed"
    assert {(one.reader, one.verdict) for one in cell.readings} == {("Ada", NORMAL_LIKE), ("Ben", ALL_LIKE)}


def test_a_signature_and_a_verdict_at_the_same_moment_do_not_both_pass_unseen(records):
    case = make_case(records, probabilities=(0.9, 0.8))
    seen = cases.find(records, case.id).changed
    verdicts.give(records, case.id, [1], NORMAL_LIKE, reader="Ben")
    with pytest.raises(RecordsError, match="changed in the meantime"):
        signing.sign(records, case.id, who="Ada", meaning="x", seen=seen)
    signing.sign(records, case.id, who="Ada", meaning="x", seen=cases.find(records, case.id).changed)


def test_a_case_without_cells_cannot_be_signed_and_an_open_one_not_reopened(tmp_path):
    case = cases.create(tmp_path, "P-1", who="Ada")
    with pytest.raises(RecordsError, match="has no cells"):
        signing.sign(tmp_path, case.id, who="Ada", meaning="x")
    with pytest.raises(RecordsError, match="not signed"):
        signing.reopen(tmp_path, case.id, who="Ada", reason="x")


def read_on(data, case_id):
    choices = random.Random(os.getpid())
    number = 0
    while True:
        number += 1
        verdicts.give(
            data,
            case_id,
            [choices.randint(1, 4)],
            choices.choice(verdicts.VERDICTS),
            reader="Ada",
            reason="x",
        )


@pytest.mark.process
def test_a_server_that_is_killed_in_mid_review_leaves_whole_verdicts_only(records):
    case = make_case(records)
    context = multiprocessing.get_context("spawn")
    before = 0
    for _ in range(3):
        reader = context.Process(target=read_on, args=(records, case.id))
        reader.start()
        until = time.monotonic() + 60
        while len(trail.entries(records, events=[trail.VERDICT])) < before + 5 and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(reader.pid, signal.SIGKILL)
        reader.join()
        assert is_consistent(records) >= before + 5
        verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ben")
        verdicts.undo(records, case.id, reader="Ben")
        before = is_consistent(records)


def test_a_full_disk_leaves_the_verdict_unsaved_and_says_so(tmp_path, monkeypatch):
    case = make_case(tmp_path)
    with sqlite3.connect(Workspace(tmp_path).records) as file:
        pages = file.execute("PRAGMA page_count").fetchone()[0]
    opened = database._open

    def full(file):
        connection = opened(file)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(database, "_open", full)
    database._engine.cache_clear()
    given = 0
    with pytest.raises(RecordsError, match=r"Nothing was saved\. .*disk is full"):
        for given in range(10_000):
            verdicts.give(tmp_path, case.id, [1], REJECTED, reader="Ada", reason=f"long reason {given} " * 50)
    monkeypatch.undo()
    database._engine.cache_clear()
    assert is_consistent(tmp_path) == given
    verdicts.give(tmp_path, case.id, [1], ALL_LIKE, reader="Ada")
    assert is_consistent(tmp_path) == given + 1


def test_a_database_that_stops_in_mid_case_says_that_nothing_was_saved(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", postgres.new_database())
    case = make_case(tmp_path)
    verdicts.give(tmp_path, case.id, [1], ALL_LIKE, reader="Ada", key="a")
    postgres.stop()
    try:
        with pytest.raises(RecordsError, match=r"Nothing was saved\. .*does not answer"):
            verdicts.give(tmp_path, case.id, [2], ALL_LIKE, reader="Ada", key="b")
        with pytest.raises(RecordsError, match=r"cannot be read.*does not answer"):
            cells.cells(tmp_path, case.id)
    finally:
        postgres.start()
    for key in "abb":  # what is sent again once it answers is there once
        verdicts.give(tmp_path, case.id, [1 if key == "a" else 2], ALL_LIKE, reader="Ada", key=key)
    assert is_consistent(tmp_path) == 2


def test_names_and_reasons_are_text_whatever_they_are_made_of(records):
    case = make_case(records, probabilities=(0.9,))
    verdicts.give(records, case.id, [1], REJECTED, reader="Ada\x00 <b>", reason="'; --\x00 \ud800 👩‍⚕️")
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ben")
    settled = disagreements.settle(records, case.id, 1, ALL_LIKE, who="<i>\x00", reason="$x$ \x00")
    assert [(one.reader, one.reason) for one in settled.readings] == [("Ada <b>", "'; -- 👩‍⚕️"), ("Ben", "")]
    signing.sign(records, case.id, who="Ada \x00", meaning="read \x00 all")
    assert signing.reopen(records, case.id, who="\x00Ada", reason="\x00a").signed_by is None
    assert is_consistent(records) == 2


def test_an_undo_that_is_sent_again_takes_back_once(records):
    case = make_case(records)
    for number in (1, 2):
        verdicts.give(records, case.id, [number], ALL_LIKE, reader="Ada")
    assert [cell.number for cell in verdicts.undo(records, case.id, reader="Ada", key="u")] == [2]
    assert verdicts.undo(records, case.id, reader="Ada", key="u") == []
    assert statuses(records, case)[:2] == [("read", ALL_LIKE), ("unread", "")]
    assert is_consistent(records) == 3


def test_what_changed_nothing_changes_nothing_when_it_is_sent_again_later(records):
    case = make_case(records)

    def act():
        verdicts.undo(records, case.id, reader="Ada", key="k1")  # there is nothing to take back
        verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada", key="k2")
        verdicts.give(records, case.id, [1, 2], ALL_LIKE, reader="Ada", key="k3")  # of cell 1 nothing new
        verdicts.give(records, case.id, [1], NORMAL_LIKE, reader="Ada", key="k4")

    for _ in range(2):
        act()
        assert statuses(records, case)[:2] == [("read", NORMAL_LIKE), ("read", ALL_LIKE)]
    assert is_consistent(records) == 3


def test_another_verdict_under_a_key_that_was_used_is_refused(records):
    case = make_case(records)
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada", key="k")
    for numbers, verdict, reason in (([1], NORMAL_LIKE, ""), ([2], ALL_LIKE, ""), ([1], ALL_LIKE, "sure")):
        with pytest.raises(RecordsError, match="Another verdict was sent before under the same key"):
            verdicts.give(records, case.id, numbers, verdict, reader="Ada", reason=reason, key="k")
    with pytest.raises(RecordsError, match="Another verdict was sent before"):
        verdicts.undo(records, case.id, reader="Ada", key="k")
    assert statuses(records, case)[:2] == [("read", ALL_LIKE), ("unread", "")]
    # Of another case, it is another key.
    other = make_case(records, "P-2", first=10)
    assert verdicts.give(records, other.id, [1], NORMAL_LIKE, reader="Ada", key="k")[0].verdict == NORMAL_LIKE


def test_a_settlement_holds_again_once_what_came_after_it_is_taken_back(records):
    case = make_case(records)
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(records, case.id, [1], NORMAL_LIKE, reader="Ben")
    disagreements.settle(records, case.id, 1, NORMAL_LIKE, who="Cleo", reason="small nucleus")
    for _ in range(2):
        (cell,) = verdicts.give(records, case.id, [1], INDETERMINATE, reader="Ada")
        assert (cell.status, cell.decided) == ("disputed", None)
        (cell,) = verdicts.undo(records, case.id, reader="Ada")
        assert (cell.status, cell.verdict, cell.decided.who) == ("settled", NORMAL_LIKE, "Cleo")
        assert cells.cells(records, case.id)[0] == cell
    # Before the settlement, a verdict that was taken back does not count.
    verdicts.undo(records, case.id, reader="Ben")
    assert statuses(records, case)[0] == ("settled", NORMAL_LIKE)
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ben")
    (cell, *_) = cells.cells(records, case.id)
    assert (cell.status, cell.verdict, cell.settlement.who, cell.decided) == ("read", ALL_LIKE, "Cleo", None)


def test_only_cells_without_a_verdict_are_rejected_where_that_is_asked_for(records):
    case = make_case(records)
    verdicts.give(records, case.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(records, case.id, [2], NORMAL_LIKE, reader="Ben")
    asked = {"reader": "Ada", "reason": "Stain", "only_unread": True}
    assert [cell.number for cell in verdicts.give(records, case.id, [1, 2, 3], REJECTED, **asked)] == [3]
    assert statuses(records, case)[:3] == [("read", ALL_LIKE), ("read", NORMAL_LIKE), ("read", REJECTED)]
    assert verdicts.give(records, case.id, [1, 2, 3], REJECTED, **asked) == []
    # Of a case in which she is not to know of others' verdicts, only her own keep her from it.
    blind = make_case(records, "P-2", first=10, blind=True)
    verdicts.give(records, blind.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(records, blind.id, [2], NORMAL_LIKE, reader="Ben")
    found = verdicts.give(records, blind.id, [1, 2, 3], REJECTED, **asked)
    assert [cell.number for cell in found] == [2, 3]


def test_a_verdict_stands_under_the_name_of_whoever_is_signed_in(records):
    case = make_case(records)
    reader = User.of("Ada Lovelace", "https://id.example#1", {Role.READER})
    with acting.acting_as(reader):
        (cell,) = verdicts.give(records, case.id, [1], "ALL-like", reader="Somebody else")
        assert [one.reader for one in cell.readings] == ["Ada Lovelace"]
        assert verdicts.undo(records, case.id, reader="Somebody else")[0].readings == ()
    viewer = User.of("Eve", "https://id.example#2", {Role.VIEWER})
    with acting.acting_as(viewer), pytest.raises(AccessError, match="reader"):
        verdicts.give(records, case.id, [1], "ALL-like", reader="Ada Lovelace")
