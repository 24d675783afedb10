"""Answers outside of a case: on record by the hundred, each covered by the hash of its entry."""

import pytest
import sqlalchemy as sa

from leukemia.audit import answers, trail, verify
from leukemia.audit.answers import ANSWERS, Given
from leukemia.audit.trail import TRAIL, Entry
from leukemia.errors import RecordsError
from leukemia.storage import database
from tests.audit.test_trail import unguarded

GIVEN = [
    Given("a" * 64, 1 / 3, "Indeterminate", ""),
    Given("b" * 64, 0.91, "ALL-like", ""),
    Given("", None, "Not classified", "No image 😀"),
]


@pytest.fixture
def written(records):
    """Three entries: answers, something else, answers."""
    answers.record(records, Entry("", "Ada", new="x"), GIVEN)
    trail.record(records, Entry("x", "Ada"))
    answers.record(records, Entry("", "Ben"), GIVEN[:1])
    return records


def test_answers_are_read_as_they_were_given(written):
    assert answers.of_entry(written, 1) == GIVEN
    assert answers.of_entry(written, 2) == []
    assert answers.of_entry(written, 3) == GIVEN[:1]
    (entry,) = trail.entries(written, events=[trail.ANSWERS], before=3)
    assert (entry.who, entry.new, entry._details()["answers"]) == ("Ada", "x", 3)
    assert (verify.verify(written).is_whole, verify.verify(written).count) == (True, 3)


@pytest.mark.parametrize(
    "statement", [ANSWERS.update().values(decision="x"), ANSWERS.delete()], ids=["altered", "removed"]
)
def test_the_database_refuses_to_change_an_answer(written, statement):
    with (
        pytest.raises(RecordsError, match="never changed or removed"),
        database.writing(written) as connection,
    ):
        connection.execute(statement)


def row(number, place):
    return (ANSWERS.c.number == number) & (ANSWERS.c.place == place)


ADDED = {"image_id": "c" * 64, "probability": 0.5, "decision": "ALL-like", "error": ""}
TAMPERED = {
    "a probability": (ANSWERS.update().where(row(1, 1)).values(probability=0.33333333333333337), 1),
    "a decision": (ANSWERS.update().where(row(3, 1)).values(decision="Normal-like"), 3),
    "an image": (ANSWERS.update().where(row(1, 2)).values(image_id="d" * 64), 1),
    "a reason": (ANSWERS.update().where(row(1, 3)).values(error=""), 1),
    "one removed": (ANSWERS.delete().where(row(1, 3)), 1),
    "all of an entry removed": (ANSWERS.delete().where(ANSWERS.c.number == 3), 3),
    "one added": (ANSWERS.insert().values(number=1, place=4, **ADDED), 1),
    "one added to another entry": (ANSWERS.insert().values(number=2, place=1, **ADDED), 2),
    "one added without an entry": (ANSWERS.insert().values(number=9, place=1, **ADDED), 4),
    "the entry": (TRAIL.update().where(TRAIL.c.number == 1).values(details="{}"), 1),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_an_answer_that_was_altered_added_or_removed_is_found(written, what):
    statement, at = TAMPERED[what]
    unguarded(written, statement)
    found = verify.verify(written)
    assert (found.is_whole, found.broken_at) == (False, at), found.problem


def test_two_that_changed_places_are_found(written):
    changes = [((1, 1), 9), ((1, 2), 1), ((1, 9), 2)]
    unguarded(written, *(ANSWERS.update().where(row(*at)).values(place=to) for at, to in changes))
    assert verify.verify(written).broken_at == 1


def test_nothing_is_there_without_its_entry(written, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(answers.ANSWERS, "insert", lambda: sa.text("INSERT INTO nowhere VALUES (1)"))
        with pytest.raises(RecordsError, match="Nothing was saved"):
            answers.record(written, Entry("", "Cy"), GIVEN)
    assert verify.verify(written).count == 3
