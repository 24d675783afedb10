"""The trail only grows, has one order, and shows where it was altered."""

import hashlib
import multiprocessing
import threading

import pytest
import sqlalchemy as sa

from leukemia.audit import trail, verify
from leukemia.audit.trail import HEAD, TRAIL, Entry
from leukemia.errors import RecordsError
from leukemia.storage import database

ENTRIES = [
    Entry("answer", "Ada", case_id=1, cell=n, image_id="a" * 64, probability=n / 7, new="ALL-like 😀 <b>'\"")
    for n in range(1, 6)
]
GUARDS = ("trail", "trail_head", "answers")


def unguarded(data, *statements):
    """What somebody can do who may change the database itself."""
    with database.writing(data) as connection:
        if connection.dialect.name == "sqlite":
            for name in connection.scalars(
                sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            for table in GUARDS:
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(statement)


def test_entries_are_read_as_they_were_written_the_newest_first(records):
    written = trail.record(records, *ENTRIES)
    assert [one.number for one in written] == [1, 2, 3, 4, 5]
    assert trail.entries(records) == written[::-1]
    assert trail.entries(records, before=3, most=1) == [written[1]]
    assert trail.entries(records, case_id=2) == []
    assert trail.entries(records, events=["answer"], case_id=1, most=2) == written[:2:-1]
    found = verify.verify(records)
    assert (found.is_whole, found.count, found.head) == (True, 5, written[-1].hash)
    assert written[1].previous == written[0].hash and written[0].previous == trail.FIRST


def test_the_hash_is_that_of_the_plain_text(tmp_path):
    (one,) = trail.record(tmp_path, Entry("verdict", "Ada", case_id=4, probability=0.1))
    text = (
        f'{{"at":"{one.at}","case_id":4,"cell":null,"details":"","event":"verdict","high":null,"image_id":"",'
        '"key":null,"low":null,"new":"","number":1,"old":"",'
        f'"previous":"{"0" * 64}","probability":0.1,"reason":"","record_sha256":"","threshold":null,'
        '"version":"","who":"Ada"}'
    )
    assert one.hash == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "statement",
    [
        TRAIL.update().values(who="Eve"),
        TRAIL.delete(),
        HEAD.delete(),
        HEAD.update().values(count=1),
    ],
    ids=["altered", "removed", "count removed", "count set back"],
)
def test_the_database_refuses_to_change_an_entry(records, statement):
    trail.record(records, *ENTRIES)
    with (
        pytest.raises(RecordsError, match="never changed or removed"),
        database.writing(records) as connection,
    ):
        connection.execute(statement)
    assert verify.verify(records).count == 5


def row(number):
    return TRAIL.c.number == number


ALTERED = {
    "a name": ([TRAIL.update().where(row(3)).values(who="Eve")], 3, "altered"),
    "a probability": ([TRAIL.update().where(row(2)).values(probability=0.2857142857142858)], 2, "altered"),
    "a time": ([TRAIL.update().where(row(1)).values(at="2020-01-01T00:00:00")], 1, "altered"),
    "one removed": ([TRAIL.delete().where(row(3))], 3, "removed"),
    "the first removed": ([TRAIL.delete().where(row(1))], 1, "removed"),
    "the last removed": ([TRAIL.delete().where(row(5))], 5, "missing at the end"),
    "all removed": ([TRAIL.delete()], 1, "missing at the end"),
    "two exchanged": (
        [
            TRAIL.update().where(row(2)).values(number=99),
            TRAIL.update().where(row(3)).values(number=2),
            TRAIL.update().where(row(99)).values(number=3),
        ],
        2,
        "altered",
    ),
    "the tail cut and the count with it": (
        [TRAIL.delete().where(row(5)), HEAD.update().values(count=4)],
        5,
        "missing at the end",
    ),
    "the count removed": ([HEAD.delete()], 6, "count of entries"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_the_first_entry_that_was_tampered_with_is_named(records, what):
    statements, at, says = ALTERED[what]
    trail.record(records, *ENTRIES)
    unguarded(records, *statements)
    found = verify.verify(records)
    assert (found.is_whole, found.broken_at) == (False, at)
    assert says in found.problem


def forge(data, keep):
    """Write the trail anew after some entries, with hashes and count as they should be."""
    rows = [dict(one.__dict__) for one in trail.entries(data)[::-1]][:keep]
    rows[-1]["who"], previous = "Eve", trail.FIRST
    for one in rows:
        one["previous"] = previous
        one["hash"] = previous = trail.hash_of(one)
    unguarded(data, TRAIL.delete(), HEAD.update().values(count=keep, hash=previous))
    with database.writing(data) as connection:
        connection.execute(TRAIL.insert(), rows)


def test_a_trail_that_was_written_anew_is_known_by_what_was_noted_before(records):
    trail.record(records, *ENTRIES)
    noted = verify.verify(records)
    trail.record(records, Entry("verdict", "Ada"))
    known = verify.parse_known(f"{noted.count}:{noted.head}")
    assert verify.verify(records, known).is_whole
    forge(records, 5)
    assert verify.verify(records).is_whole
    assert verify.verify(records, known).broken_at == 5
    forge(records, 3)
    assert "there were 5 before" in verify.verify(records, known).problem


def test_what_was_noted_must_be_a_count_and_a_hash():
    for text in ("", "5", "x:" + "0" * 64, "5:abc"):
        with pytest.raises(RecordsError, match="COUNT:HASH"):
            verify.parse_known(text)


def test_a_clock_that_was_set_back_is_seen_and_the_order_stands(tmp_path, monkeypatch):
    times = iter(["2026-05-02T10:00:00", "2026-05-02T09:00:00", "2026-05-02T09:30:00"])
    monkeypatch.setattr(trail, "now", lambda: next(times))
    trail.record(tmp_path, *ENTRIES[:3])
    found = verify.verify(tmp_path)
    assert (found.is_whole, found.set_back) == (True, (2,))


def test_an_entry_and_its_change_are_there_together_or_not_at_all(records):
    trail.record(records, ENTRIES[0])

    def fail():
        with database.writing(records) as connection:
            trail.append(connection, ENTRIES[1:])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert verify.verify(records).count == 1


def append_some(data, who, count):
    for number in range(count):
        trail.record(data, Entry("x", who, cell=number), Entry("y", who, cell=number))


def is_one_chain(data, who, count):
    assert verify.verify(data).count == 2 * count * len(who)
    for name in who:
        own = [one for one in trail.entries(data)[::-1] if one.who == name]
        assert [(one.event, one.cell) for one in own] == [(e, n) for n in range(count) for e in "xy"]


def test_threads_append_to_one_chain(records):
    threads = [threading.Thread(target=append_some, args=(records, name, 10)) for name in "ABCDEF"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    is_one_chain(records, "ABCDEF", 10)


@pytest.mark.process
def test_processes_append_to_one_chain(records):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=append_some, args=(records, name, 15)) for name in "ABC"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    is_one_chain(records, "ABC", 15)


def test_a_trail_that_grows_while_it_is_read_is_whole(records):
    trail.record(records, ENTRIES[0])
    enough, counts = threading.Event(), set()

    def write():
        while not enough.is_set():
            append_some(records, "Ada", 1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(counts) < 5:
            found = verify.verify(records)
            assert found.is_whole, found
            counts.add(found.count)
    finally:
        enough.set()
        writer.join()
