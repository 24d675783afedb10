"""A request to end, taken: real signals to real processes."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from leukemia.jobs import progress
from leukemia.settings import PROJECT

BEGIN = """
import os, signal, time
from leukemia.jobs import signals
signals.stop_cleanly()
def ask(): os.kill(os.getpid(), signal.SIGTERM)
def say(text): print(text, flush=True)
"""
# What is raised while an object is taken down is dropped.
DROPPED = """
class Falls:
    def __del__(self): ask(); time.sleep(0.1)
one = Falls()
del one
say("dropped")
"""


def told(lines, tmp_path):
    """What a job of these lines says, and its exit status; -2 is an unhandled KeyboardInterrupt."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + lines],
        cwd=PROJECT,
        env=os.environ | {progress.FOLDER: str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return done.stdout.split(), done.returncode


@pytest.mark.process
def test_a_request_to_end_breaks_in_once_and_not_into_what_is_cleaned_up(tmp_path):
    lines = """
try:
    ask(); say("on")
except KeyboardInterrupt:
    ask(); say("cleaned")
    with signals.undisturbed():
        say("up")
    say("end")
"""
    assert told(lines, tmp_path) == (["cleaned", "up", "end"], 0)


@pytest.mark.process
def test_it_waits_for_what_must_not_be_disturbed(tmp_path):
    lines = """
try:
    with signals.undisturbed():
        with signals.undisturbed():
            ask(); say("inner")
        say("outer" if signals.asked_to_stop() else "unasked")
    say("on")
except KeyboardInterrupt:
    say("ended")
"""
    assert told(lines, tmp_path) == (["inner", "outer", "ended"], 0)


@pytest.mark.process
def test_between_two_steps_it_may_end_what_is_else_undisturbed(tmp_path):
    lines = """
signals.stop_if_asked()
try:
    with signals.undisturbed():
        for step in "abc":
            if step == "b": ask()
            say(step)
            signals.stop_if_asked()
except KeyboardInterrupt:
    say("ended")
with signals.undisturbed():
    pass
"""
    assert told(lines, tmp_path) == (["a", "b", "ended"], -signal.SIGINT)


@pytest.mark.process
def test_an_error_in_what_is_undisturbed_is_told_as_it_is(tmp_path):
    lines = """
try:
    with signals.undisturbed():
        ask(); raise OSError("disk")
except OSError as error:
    say(error)
"""
    assert told(lines, tmp_path) == (["disk"], 0)


@pytest.mark.process
def test_a_request_that_python_dropped_is_caught_up(tmp_path):
    lines = (
        DROPPED
        + """try:
    with signals.undisturbed(): say("written")
    say("on")
except KeyboardInterrupt:
    say("ended")
"""
    )
    assert told(lines, tmp_path) == (["dropped", "written", "ended"], 0)


@pytest.mark.process
def test_a_request_that_python_dropped_is_caught_up_as_progress_is_reported(tmp_path):
    lines = (
        DROPPED
        + """
from leukemia.jobs import progress
try:
    with signals.undisturbed():
        progress.current().progress(1, 3, "held")
        say("written")
    say("on")
except KeyboardInterrupt:
    progress.current().progress(2, 3, "cleaned"); say("ended")
try:
    progress.current().progress(2, 3, "on")
except KeyboardInterrupt:
    say("again")
signals.too_late_to_stop()
progress.current().progress(3, 3, "end"); say("late")
"""
    )
    assert told(lines, tmp_path) == (["dropped", "written", "ended", "again", "late"], 0)


@pytest.mark.process
@pytest.mark.parametrize(("asked", "message"), [("ask()", "Stopped."), ("pass", "Something went wrong.")])
def test_a_request_that_comes_out_of_a_library_as_another_error_has_stopped_the_job(tmp_path, asked, message):
    (tmp_path / progress.RECORD).write_text("{}")
    lines = f"""
from leukemia.cli import main
def run(_):
    try:
        {asked}
    except KeyboardInterrupt:
        pass
    raise ImportError("half of it is there")
main._run = run
main.main([])
"""
    told(lines, tmp_path)
    assert json.loads((tmp_path / progress.END).read_text())["message"].startswith(message)


@pytest.mark.process
def test_when_all_is_done_it_comes_too_late(tmp_path):
    lines = """
signals.too_late_to_stop()
ask(); say("a")
with signals.undisturbed(): say("b")
signals.stop_if_asked()
say("c")
"""
    assert told(lines, tmp_path) == (["a", "b", "c"], 0)


@pytest.mark.process
def test_a_thread_is_not_ended_in_place_of_the_command(tmp_path):
    lines = """
import threading
def work():
    with signals.undisturbed(): time.sleep(0.3)
    signals.stop_if_asked()
    say("worked")
thread = threading.Thread(target=work); thread.start()
try:
    ask(); say("on")
except KeyboardInterrupt:
    thread.join(); say("ended")
"""
    assert told(lines, tmp_path) == (["worked", "ended"], 0)


def test_a_job_waits_for_its_record(tmp_path, monkeypatch):
    monkeypatch.delenv(progress.FOLDER, raising=False)
    assert progress.is_recorded(0)
    monkeypatch.setenv(progress.FOLDER, str(tmp_path))
    assert not progress.is_recorded(0.1)
    threading.Timer(0.3, (tmp_path / progress.RECORD).touch).start()
    assert progress.is_recorded(30)
    monkeypatch.setenv(progress.FOLDER, str(tmp_path / "gone"))
    begun = time.monotonic()
    assert not progress.is_recorded(300)
    assert time.monotonic() - begun < 60


def test_the_last_word_has_room_where_the_disk_is_full(tmp_path, monkeypatch):
    room = tmp_path / progress.ROOM
    room.write_bytes(b"0" * progress.ROOM_BYTES)

    def write(path, text):
        if room.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_text(text)

    monkeypatch.setattr(progress, "write_text", write)
    progress.JobProgress(tmp_path).end(2, "The disk is full.")
    assert json.loads((tmp_path / progress.END).read_text())["message"] == "The disk is full."


@pytest.mark.process
def test_a_log_on_a_full_disk_does_not_swallow_the_last_word(tmp_path):
    (tmp_path / progress.RECORD).write_text("{}")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        subprocess.run(
            [sys.executable, "-m", "leukemia", "sample", str(tmp_path / "mine")],
            cwd=PROJECT,
            env=os.environ | {progress.FOLDER: str(tmp_path), "PYTHONUNBUFFERED": "1"},
            stderr=full,
            check=False,
        )
    end = json.loads((tmp_path / progress.END).read_text())
    assert end["status"] == 2 and "not an empty folder" in end["message"]


@pytest.mark.parametrize("by", ["", "Dr. Ada"])
def test_a_job_knows_who_asked_for_it(by, monkeypatch):
    monkeypatch.setenv(progress.BY, by)
    assert progress.asked_by() == by


def test_the_time_left_goes_by_the_pace_of_the_step_that_is_running(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    job = progress.JobProgress(tmp_path)

    def reported():
        return json.loads((tmp_path / progress.PROGRESS).read_text())

    job.step("Listing")
    assert (reported()["what"], reported()["total"], reported()["left"]) == ("Listing", 0, None)
    now[0] += 60
    job.progress(200, 1_000, "Importing")  # resumed: what was done before says nothing of the pace
    now[0] += 1
    job.progress(300, 1_000, "Importing")
    assert reported()["left"] is None, "too early to say"
    now[0] += 9
    job.progress(400, 1_000, "Importing")
    assert reported()["left"] == pytest.approx(10 / 200 * 600)
    job.progress(1_000, 1_000, "Importing")
    assert reported()["left"] == 0
    job.progress(1, 10, "Comparing")
    assert reported()["left"] is None
