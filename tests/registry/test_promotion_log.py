"""The history of the model in service, as its tags were written by earlier programs, too."""

import json

from leukemia.registry import promotion_log
from leukemia.registry.promotion_log import PROMOTED, ROLLED_BACK, Event

OLD = {
    "action": "promoted",
    "version": 2,
    "earlier": None,
    "by": "Ada",
    "reason": "better",
    "at": "2026-01-01T00:00:00+00:00",
    "seal": "a" * 64,
}
EVENT = Event(PROMOTED, 2, None, "Ada", "better", "2026-01-01T00:00:00+00:00", "a" * 64)


def change(action, version):
    return Event(action, version, None, "Ada", "why", "2026-01-01T00:00:00+00:00", f"{version or ''}")


def test_a_tag_of_an_earlier_program_is_read_and_a_new_one_is_written_as_it_was():
    assert promotion_log.events({"history.20260101T000000000000.0": json.dumps(OLD)}) == [EVENT]
    key, value = EVENT.tag([])
    assert key.startswith("history.") and json.loads(value) == OLD


def test_an_event_comes_behind_all_others_whatever_the_clock_says():
    tags = {"history.20991231T000000000000.0": json.dumps(OLD), "other": "", "history.1": "no JSON"}
    for version in range(1, 13):
        key, value = change(PROMOTED, version).tag(tags)
        assert key not in tags
        tags[key] = value
    assert [event.version for event in promotion_log.events(tags)] == [2, *range(1, 13)]


def test_tags_that_are_no_events_are_ignored():
    wrong = {
        "history.1": "no JSON",
        "history.2": "[]",
        "history.3": '{"by": "Ada"}',
        "other": json.dumps(OLD),
    }
    assert promotion_log.events(wrong) == []


def test_what_was_rolled_back_is_not_before_the_present_version():
    history = [change(PROMOTED, 1), change(PROMOTED, 2), change(ROLLED_BACK, 1), change(PROMOTED, 3)]
    assert promotion_log.before(history, 3) == [1]
    assert promotion_log.checksums(history) == {1: "1", 2: "2", 3: "3"}
