"""The queue of trainings with real processes; in place of trainings, drawings of cells, which are quick."""

import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from datetime import UTC, datetime

import psutil
import pytest

from leukemia import jobs
from leukemia.errors import JobError
from leukemia.jobs import Job, WaitingJob, launcher, queue
from leukemia.jobs import process as processes
from leukemia.settings import PROJECT
from leukemia.storage.workspace import Workspace
from tests.support.job_factory import PATIENCE

pytestmark = pytest.mark.process

SHORT = ("--patients", "12", "--cells", "4")
LONG = ("--patients", "24", "--cells", "200")


@pytest.fixture
def data(tmp_path):
    """A data folder; what still works on it at the end is ended, and nothing follows."""
    folder = tmp_path / "data"
    yield folder
    Workspace(folder).queue.unlink(missing_ok=True)
    for job in jobs.history(folder):
        if process := processes.find(job.process):
            process.kill()


def ask(data, name, options=SHORT, **more):
    return jobs.submit(data, "train", name, ["sample", str(data / name), *options], **more)


def titles(data):
    return [one.title for one in jobs.waiting(data)]


def ended(data, title, seconds=PATIENCE):
    """Wait for the end of the newest job of a title, whoever started it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = [job for job in jobs.history(data, jobs.TRAININGS) if job.title == title]
        if found and not jobs.state(found[0]).active:
            return found[0], jobs.state(found[0])
        time.sleep(0.1)
    raise AssertionError(f"{title} has not ended: {found}")


def command(data, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "leukemia", "queue", "--data", str(data), *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_where_nothing_works_it_starts_at_once_and_else_it_waits(data):
    first, second = ask(data, "first", LONG, by="Ann"), ask(data, "second", by="Bob")
    assert isinstance(first, Job)
    assert isinstance(second, WaitingJob)
    assert (first.by, second.by) == ("Ann", "Bob")
    assert jobs.waiting(data) == [second]
    assert jobs.running(data, jobs.Lane.CHANGE) == first
    assert jobs.advance(data) is None


def test_the_queue_moves_on_by_itself_in_its_order_with_no_dashboard_open(data):
    for name in ("first", "second", "third"):
        ask(data, name)
    assert titles(data) == ["second", "third"]
    told = [ended(data, name) for name in ("first", "second", "third")]
    assert [state.status for _, state in told] == ["done"] * 3
    assert jobs.waiting(data) == []
    # One at a time: each began when the one before had told its end.
    for (before, _), (after, _) in itertools.pairwise(told):
        began = datetime.strptime(after.folder.name.split("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        assert (before.folder / "end.json").stat().st_mtime <= began.timestamp() + 0.01


def test_a_training_waits_for_an_import_and_follows_it(data):
    jobs.submit(data, "import", "Import", ["sample", str(data / "set"), *SHORT])
    assert isinstance(ask(data, "training"), WaitingJob)
    assert ended(data, "training")[1].status == "done"


def test_dashboards_that_ask_at_the_same_instant_one_runs_and_all_others_wait(data, tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from leukemia import jobs\n"
        "data, go, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]\n"
        "Path(f'{go}-{name}').touch()\n"
        "while not go.exists(): pass\n"
        "found = jobs.submit(data, 'train', name, ['sample', f'{data}/{name}', *sys.argv[4:]])\n"
        "print(type(found).__name__)"
    )
    go, names = tmp_path / "go", ["one", "two", "three"]
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(data), str(go), name, *SHORT],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not all((tmp_path / f"go-{name}").exists() for name in names):
        time.sleep(0.02)
    go.touch()
    said = [process.communicate(timeout=PATIENCE)[0].strip() for process in asking]
    assert sorted(said) == ["Job", "WaitingJob", "WaitingJob"]
    assert [ended(data, name)[1].status for name in names] == ["done"] * 3
    assert len(jobs.history(data, jobs.TRAININGS)) == 3


def test_those_that_wait_are_moved_and_taken_out(data):
    ask(data, "works", LONG)
    a, b, c = (ask(data, name).id for name in "abc")
    jobs.move(data, c, -1)
    assert titles(data) == ["a", "c", "b"]
    jobs.move(data, a, 5)
    assert titles(data) == ["c", "b", "a"]
    jobs.move(data, a, -9)
    assert titles(data) == ["a", "c", "b"]
    jobs.drop(data, c)
    assert titles(data) == ["a", "b"]
    for change in (lambda: jobs.drop(data, c), lambda: jobs.move(data, c, 1)):
        with pytest.raises(JobError, match="no longer waiting"):
            change()
    assert [one.id for one in jobs.waiting(data)] == [a, b]


def test_after_a_kill_whoever_looks_starts_the_next(data):
    first = ask(data, "first", LONG)
    ask(data, "second")
    os.kill(first.process.pid, signal.SIGKILL)
    assert ended(data, "first")[1].status == "lost"
    assert titles(data) == ["second"]
    # Who asks now is not served before the one that waits.
    assert isinstance(ask(data, "third"), WaitingJob)
    assert [ended(data, name)[1].status for name in ("second", "third")] == ["done", "done"]


def test_the_command_lists_the_queue_and_moves_it_on(data):
    first = ask(data, "first", LONG, by="Ann")
    for name in ("second", "third", "fourth"):
        ask(data, name, LONG)
    said = command(data, "--drop", "2")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("Running: first (since 20")
    assert "UTC by Ann)" in said.stdout
    assert "  1  second" in said.stdout and "  2  fourth" in said.stdout and "third" not in said.stdout
    os.kill(first.process.pid, signal.SIGKILL)
    assert ended(data, "first")[1].status == "lost"
    said = command(data, "--first", "2")
    assert "Running: fourth" in said.stdout and "  1  second" in said.stdout
    said = command(data, "--drop", "7")
    assert (said.returncode, said.stderr) == (2, "leukemia: No training is waiting at position 7.\n")


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


def test_a_full_queue_says_so(data, monkeypatch):
    monkeypatch.setattr(queue, "MOST", 2)
    ask(data, "works", LONG)
    ask(data, "a"), ask(data, "b")
    with pytest.raises(JobError, match=r"2 trainings are waiting already. Remove one"):
        ask(data, "c")
    assert titles(data) == ["a", "b"]


def test_titles_and_names_are_one_line_of_text_that_shows(data):
    ask(data, "works", LONG)
    asked = jobs.submit(
        data, "sweep", " a\n\n## b\x1b[31m\u202e\ud800c " + "x" * 500, ["sample"], by="A\tnn\x00" + "y" * 500
    )
    assert asked.title.startswith("a ## b[31mc xxx") and len(asked.title) == queue.TITLE
    assert asked.by.startswith("A nnyyy") and len(asked.by) == queue.NAME
    assert jobs.waiting(data) == [asked]
    assert jobs.submit(data, "sweep", "\n", ["sample"]).title == "sweep"


@pytest.mark.parametrize(
    "kind, arguments",
    [
        ("../../train", ["sample"]),
        ("train", ["sample", "a\x00b"]),
        ("train", ["x"] * 201),
        ("train", ["x" * 5_000]),
        ("train", ["sample", 3]),
    ],
)
def test_what_is_no_training_does_not_wait(data, kind, arguments):
    with pytest.raises(JobError, match=r"no kind of job|at most 200|printable text"):
        jobs.submit(data, kind, "title", arguments)
    assert not data.exists()


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


def test_trainings_stand_further_back_than_imports_and_know_who_asked(data):
    training = ask(data, "training", LONG, by="Ann")
    looking = jobs.submit(data, "similar", "Examining", ["sample", str(data / "set"), *LONG])
    process = psutil.Process(training.process.pid)
    assert process.environ()["LEUKEMIA_BY"] == "Ann"
    assert process.nice() == max(psutil.Process().nice(), launcher.NICENESS_OF_TRAININGS)
    assert launcher.NICENESS <= psutil.Process(looking.process.pid).nice() <= process.nice()


def test_an_ended_one_is_asked_for_again_and_waits_where_something_works(data):
    first, _ = ended(data, ask(data, "first", by="Ann").title)
    ask(data, "second", LONG)
    again = jobs.resubmit(first)
    assert isinstance(again, WaitingJob)
    assert (again.kind, again.title, again.arguments, again.by) == ("train", "first", first.arguments, "Ann")
    assert jobs.resubmit(first, "Bob").by == "Bob"
