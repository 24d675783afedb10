"""``classify --executor ray`` puts each answer of its table on record once, wherever it is ended."""

import csv
import errno
import hashlib
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from leukemia.audit import answers, trail
from leukemia.cli.main import ANSWERED, main
from leukemia.errors import RecordsUnavailableError
from leukemia.inference import decisions, on_ray, on_record
from leukemia.inference.answer import Answer
from leukemia.settings import PROJECT

IMAGES, PER_ENTRY = 60, 25


@pytest.fixture
def classify(tiny_bundle, drawn_files, tmp_path, monkeypatch):
    """Classify sixty drawn cells on workers that need no Ray; returns the status."""
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    without_ray(monkeypatch.setattr)
    arguments = ["classify", drawn_files, "--output", tmp_path / "cells.csv", "--model", tiny_bundle]
    return lambda: main([*map(str, arguments), "--executor", "ray"])


def without_ray(replace):
    replace(on_ray, "BATCH", 16)
    replace(on_record, "PER_ENTRY", PER_ENTRY)
    replace(on_ray.cluster, "opened", lambda *_: nullcontext(2))
    replace(on_ray.team, "work", answered)


def answered(kind, arguments, batches, workers, instead):
    for number, images in batches:
        yield number, [Answer(one.name, 0.9, image_id=digest(one.name)) for one in images]


def digest(name):
    return hashlib.sha256(str(name).encode()).hexdigest()


def on_record_now(data):
    """The images on record, in their order."""
    entries = trail.entries(data, events=[trail.ANSWERS])[::-1]
    return [one.image_id for entry in entries for one in answers.of_entry(data, entry.number)]


def in_table(table):
    with table.open(newline="") as file:
        return [digest(row["file"]) for row in csv.DictReader(file)]


def nth(number, function, error, counts=lambda *_: True):
    """A function that fails at the n-th call that counts."""
    calls = []

    def fails(*given, **more):
        calls.extend([1] * counts(*given))
        if len(calls) == number:
            raise error
        return function(*given, **more)

    return fails


def check_whole(tmp_path):
    """One row and one answer on record for each image; nothing is left, and the record is sound."""
    recorded = on_record_now(tmp_path / "data")
    assert recorded == in_table(tmp_path / "cells.csv")
    assert len(recorded) == len(set(recorded)) == IMAGES
    assert not (tmp_path / "cells.csv.parts").exists()
    assert main(["audit", "verify", "--data", str(tmp_path / "data")]) == ANSWERED


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("error", [FULL, KeyboardInterrupt()])
@pytest.mark.parametrize("row", [1, 55, None])
def test_a_table_that_never_came_leaves_no_answer_on_record(classify, tmp_path, monkeypatch, row, error):
    with monkeypatch.context() as patch:
        if row:
            patch.setattr(decisions, "row", nth(row, decisions.row, error))
        else:
            fails = nth(1, Path.replace, error, lambda _, target: target.name == "cells.csv")
            patch.setattr(Path, "replace", fails)
        assert classify() != ANSWERED
    assert not (tmp_path / "cells.csv").exists()
    assert on_record_now(tmp_path / "data") == []
    monkeypatch.setattr(on_ray.team, "work", None)  # all is answered
    assert classify() == ANSWERED
    check_whole(tmp_path)


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_run_that_is_ended_while_it_records_goes_on_where_it_was(classify, tmp_path, monkeypatch, call):
    with monkeypatch.context() as patch:
        patch.setattr(answers, "record", nth(call, answers.record, KeyboardInterrupt()))
        assert classify() != ANSWERED
    assert len(on_record_now(tmp_path / "data")) == (call - 1) * PER_ENTRY
    assert classify() == ANSWERED
    check_whole(tmp_path)


def test_answers_that_could_not_be_recorded_are_when_the_command_is_started_again(
    classify, tmp_path, monkeypatch, capsys
):
    with monkeypatch.context() as patch:
        patch.setattr(answers, "record", nth(2, answers.record, RecordsUnavailableError("The disk is full.")))
        assert classify() == ANSWERED
    said = capsys.readouterr().err
    assert f"{on_record.NOT_RECORDED} The disk is full. What is finished stays" in said
    assert len(on_record_now(tmp_path / "data")) == PER_ENTRY
    assert classify() == ANSWERED
    assert on_record.NOT_RECORDED not in capsys.readouterr().err
    check_whole(tmp_path)


def test_the_same_images_asked_about_again_are_on_record_again(classify, tmp_path):
    assert [classify(), classify()] == [ANSWERED, ANSWERED]
    assert len(on_record_now(tmp_path / "data")) == 2 * IMAGES


PROGRAM = """
import os, sys
from pathlib import Path
from tests.cli import test_classify_on_ray_record as test
from leukemia.audit import answers
from leukemia.cli.main import main
from leukemia.inference import decisions
test.without_ray(setattr)
where, call = sys.argv[1], int(sys.argv[2])
place = {"row": decisions, "record": answers}[where]
function, calls = getattr(place, where), []
def ends(*given, **more):
    calls.append(1)
    if len(calls) == call:
        os._exit(9)
    return function(*given, **more)
setattr(place, where, ends)
sys.exit(main(sys.argv[3:]))
"""


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize(("where", "call", "recorded"), [("row", 55, 0), ("record", 1, 0), ("record", 3, 50)])
def test_a_process_that_is_killed_puts_nothing_on_record_twice(
    classify, drawn_files, tiny_bundle, tmp_path, where, call, recorded
):
    arguments = ["classify", drawn_files, "--output", tmp_path / "cells.csv", "--model", tiny_bundle]
    command = [sys.executable, "-c", PROGRAM, where, call, *arguments, "--executor", "ray"]
    done = subprocess.run(
        [*map(str, command)], cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, check=False
    )
    assert done.returncode == 9
    assert (tmp_path / "cells.csv").exists() is (where == "record")
    assert len(on_record_now(tmp_path / "data")) == recorded
    assert classify() == ANSWERED
    check_whole(tmp_path)


def test_recording_holds_few_answers_at_a_time(classify, monkeypatch):
    held = []

    def record(data, entry, given):
        held.append(len(given))

    monkeypatch.setattr(answers, "record", record)
    assert classify() == ANSWERED
    assert held == [25, 25, 10]
