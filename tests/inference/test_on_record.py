"""Answers of a quick look are put on record; a record that cannot be written does not stop them."""

import hashlib

import pytest

from leukemia.audit import answers, trail
from leukemia.bundles import bundle as bundles
from leukemia.errors import RecordsUnavailableError
from leukemia.inference import on_record
from leukemia.inference.answer import Answer
from leukemia.operating_point import OperatingPoint
from tests.support.bundle_factory import write_bundle

POINT = OperatingPoint(0.3, 0.7, 0.5)


@pytest.fixture
def bundle(tmp_path):
    return bundles.read(write_bundle(tmp_path / "bundle"))


def answer(number, probability=0.9, **more):
    return Answer(
        f"Jane Roe {number}.bmp", probability, image_id=hashlib.sha256(b"%d" % number).hexdigest(), **more
    )


def test_an_entry_says_who_which_model_and_limits_and_no_name_of_a_file(bundle, tmp_path):
    given = [answer(1), answer(2, 0.5), answer(3, None, error="Blurred.")]
    entry = on_record.record(tmp_path, given, bundle, POINT, who="Ada", door="page Classify", version=7)
    assert (entry.event, entry.who, entry.version) == (trail.ANSWERS, "Ada", "version 7")
    assert entry.record_sha256 == bundles.checksum(bundle.folder / bundles.RECORD)
    assert (entry.low, entry.high, entry.threshold) == (0.3, 0.7, 0.5)
    assert entry.new == "1 ALL-like · 1 indeterminate · 0 Normal-like · 1 not classified"
    rows = answers.of_entry(tmp_path, entry.number)
    assert [(one.image_id, one.probability) for one in rows] == [
        (one.image_id, one.probability) for one in given
    ]
    assert [one.decision for one in rows] == ["ALL-like", "Indeterminate", "Not classified"]
    assert rows[2].error == "Blurred."
    assert "Jane" not in repr(entry) + repr(rows)


def test_without_a_name_and_a_version_the_entry_says_so(bundle, tmp_path):
    entry = on_record.record(tmp_path, [answer(1)], bundle, POINT, who="", door="x")
    assert (entry.who, entry.version) == (on_record.NO_NAME, bundle.name)


def test_a_recorder_writes_some_hundred_at_a_time_and_what_was_given_before_an_error(bundle, tmp_path):
    recorder = on_record.Recorder(tmp_path, bundle, POINT, who="Ada", door="x")
    with pytest.raises(KeyboardInterrupt), recorder:
        for number in range(on_record.PER_ENTRY + 2):
            recorder.add(answer(number))
        raise KeyboardInterrupt
    entries = trail.entries(tmp_path)
    assert [len(answers.of_entry(tmp_path, one.number)) for one in entries] == [2, on_record.PER_ENTRY]
    assert recorder.trouble == ""


def test_answers_with_a_key_are_on_record_once(bundle, tmp_path):
    def record(number, key):
        return on_record.record(tmp_path, [answer(number)], bundle, POINT, who="Ada", door="x", key=key)

    first = record(1, "run 1")
    assert record(1, "run 1") == first
    assert [record(2, key).number for key in ("run 2", None, None)] == [2, 3, 4]
    assert [one.number for one in trail.entries(tmp_path)] == [4, 3, 2, 1]
    assert len(answers.of_entry(tmp_path, first.number)) == 1


def test_a_record_that_cannot_be_written_is_tried_once_and_said(bundle, tmp_path, monkeypatch):
    tried = []

    def fails(*_):
        tried.append(1)
        raise RecordsUnavailableError("The database is gone.")

    monkeypatch.setattr(answers, "record", fails)
    with on_record.Recorder(tmp_path, bundle, POINT, who="Ada", door="x") as recorder:
        for number in range(3 * on_record.PER_ENTRY):
            recorder.add(answer(number))
    assert len(tried) == 1
    assert recorder.trouble == f"{on_record.NOT_RECORDED} The database is gone."
