"""The queue with real processes where one is killed, cancelled, not started, or its file is damaged."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple

import psutil
import pytest

from leukemia import jobs
from leukemia.errors import JobError
from leukemia.jobs import WaitingJob, launcher, queue
from leukemia.jobs import process as processes
from leukemia.settings import PROJECT
from leukemia.storage.workspace import Workspace
from tests.support.job_factory import PATIENCE
from tests.support.queue_work import LONG, SHORT, ask, ended, titles

pytestmark = pytest.mark.process


def test_after_a_kill_whoever_looks_starts_the_next(data):
    first = ask(data, "first", LONG)
    ask(data, "second")
    os.kill(first.process.pid, signal.SIGKILL)
    assert ended(data, "first")[1].status == "lost"
    assert titles(data) == ["second"]
    # Who asks now is not served before the one that waits.
    assert isinstance(ask(data, "third"), WaitingJob)
    assert [ended(data, name)[1].status for name in ("second", "third")] == ["done", "done"]


def test_a_cancelled_one_makes_room_whether_it_ends_by_itself_or_is_forced(data):
    first = ask(data, "first", LONG)
    second = ask(data, "second", LONG)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not jobs.state(first).total:
        time.sleep(0.05)
    jobs.cancel(first)
    assert ended(data, "first")[1].status == "stopped"
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and jobs.waiting(data):
        time.sleep(0.05)
    running = jobs.running(data, jobs.Lane.CHANGE)
    assert running.waited == second.id
    ask(data, "third")
    psutil.Process(running.process.pid).suspend()
    jobs.cancel(running, grace=0.5)
    assert ended(data, "third")[1].status == "done"
    assert "forced" in ended(data, "second")[1].message


def test_a_cancelled_one_is_forced_by_whoever_looks_when_the_dashboard_is_gone(data):
    first = ask(data, "first", LONG)
    ask(data, "second")
    psutil.Process(first.process.pid).suspend()
    code = (
        "import sys; from leukemia import jobs\njobs.cancel(jobs.running(sys.argv[1], 'change'), grace=600)"
    )
    subprocess.run([sys.executable, "-c", code, str(data)], cwd=PROJECT, check=True)
    assert jobs.advance(data) is None
    assert jobs.state(first).status == "stopping"
    # Its time is up.
    request = first.folder / "cancel.json"
    request.write_text(json.dumps(json.loads(request.read_text()) | {"grace": 0}))
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not jobs.advance(data):
        time.sleep(0.1)
    assert ended(data, "second")[1].status == "done"


def test_what_a_job_started_for_another_session_is_not_forced_with_it():
    code = (
        "import subprocess, sys, time\n"
        "own = subprocess.Popen(['sleep', '60'])\n"
        "other = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "print(own.pid, other.pid, flush=True); time.sleep(60)"
    )
    job = psutil.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    own, other = (psutil.Process(int(pid)) for pid in job.stdout.readline().split())
    processes.force(psutil.Process(job.pid))
    assert job.wait(PATIENCE)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and own.is_running() and own.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.05)
    assert not own.is_running() or own.status() == psutil.STATUS_ZOMBIE
    assert other.is_running() and other.status() != psutil.STATUS_ZOMBIE
    other.kill()


def test_a_command_that_is_not_understood_fails_and_the_next_one_runs(data):
    jobs.submit(data, "import", "Import", ["sample", str(data / "set"), *SHORT])
    jobs.submit(data, "train", "wrong", ["train", "--recipe", "x", "--epochs", "many"])
    ask(data, "right")
    job, state = ended(data, "wrong")
    assert (state.status, state.message) == (
        "failed",
        "The command is not valid. See the job's log for the reason.",
    )
    assert "--epochs: must be a whole number" in jobs.log_tail(job)
    assert ended(data, "right")[1].status == "done"


def test_a_queue_that_cannot_move_on_does_not_spoil_a_good_end(data, tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(
        "import leukemia.jobs.scheduler as w\n"
        "def fail(*_): raise ZeroDivisionError('in the queue')\n"
        "w._start_next = fail\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{PROJECT}")
    first = ask(data, "first", ("--patients", "12", "--cells", "12"))
    monkeypatch.undo()
    ask(data, "second")
    assert ended(data, "first")[1].status == "done"
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and processes.find(first.process):
        time.sleep(0.05)
    assert "could not be started: in the queue" in jobs.log_tail(first)
    assert "Traceback" not in jobs.log_tail(first)
    assert titles(data) == ["second"]
    assert jobs.advance(data).title == "second"


def test_one_that_cannot_be_started_waits_on_and_the_reason_is_told(data, monkeypatch):
    first = ask(data, "first", LONG)
    ask(data, "second")
    os.kill(first.process.pid, signal.SIGKILL)
    assert ended(data, "first")[1].status == "lost"

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = sorted((data / "jobs").glob("*/"))
    for module, name in ((processes, "begin"), (launcher, "write_text")):
        monkeypatch.setattr(module, name, full)
        with pytest.raises(JobError, match=r"No job can be started in .*: No space left on device\."):
            jobs.advance(data)
        monkeypatch.undo()
        assert titles(data) == ["second"]
        assert sorted((data / "jobs").glob("*/")) == before
        assert jobs.running(data) is None
    usage = namedtuple("Usage", "total used free")(10**9, 10**9, 5 * 1024**2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(
        JobError, match=r"second cannot start: the disk is nearly full \(5 MB are free, 256 MB"
    ):
        jobs.advance(data)
    assert titles(data) == ["second"]
    monkeypatch.undo()
    jobs.advance(data)
    assert ended(data, "second")[1].status == "done"


def test_one_that_was_started_is_not_started_again_where_the_queue_could_not_be_written(data):
    jobs.submit(data, "import", "Import", ["sample", str(data / "set"), *SHORT])
    ask(data, "once")
    file = Workspace(data).queue
    kept = file.read_text()
    assert ended(data, "once")[1].status == "done"
    file.write_text(kept)
    assert jobs.waiting(data) == []
    assert jobs.advance(data) is None
    assert len(jobs.history(data, jobs.TRAININGS)) == 1


def test_a_process_whose_starter_died_before_it_wrote_that_down_does_not_begin(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "leukemia", "sample", str(tmp_path / "drawn"), *SHORT],
        cwd=PROJECT,
        env=os.environ | {"LEUKEMIA_JOB": str(tmp_path / "nothing")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    assert "before the job was recorded" in done.stderr
    assert not (tmp_path / "drawn").exists()


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(JobError, match="No job can be started in"):
        ask(tmp_path / "file", "first")


def test_of_a_damaged_queue_the_whole_entries_are_kept(data):
    ask(data, "works", LONG)
    kept = ask(data, "kept")
    file = Workspace(data).queue
    whole = json.loads(file.read_text())
    for broken in (
        {},
        3,
        whole[0] | {"asked": "soon"},
        whole[0] | {"kind": "rm"},
        whole[0] | {"kind": "import"},
        whole[0] | {"kind": "import"},
        whole[0] | {"more": 1},
    ):
        file.write_text(json.dumps([broken, *whole]))
        assert jobs.waiting(data) == [kept]
    file.write_text('[{"id": "a')
    assert jobs.waiting(data) == []
    ask(data, "next")
    assert titles(data) == ["next"]
    assert (Workspace(data).jobs / queue.DAMAGED).read_text() == '[{"id": "a'
