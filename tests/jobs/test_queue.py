"""The queue of trainings with real processes: its order, who waits, what it takes."""

import itertools
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import psutil
import pytest

from leukemia import jobs
from leukemia.errors import JobError
from leukemia.jobs import Job, WaitingJob, launcher, queue
from leukemia.settings import PROJECT
from tests.support.job_factory import PATIENCE
from tests.support.queue_work import LONG, SHORT, ask, ended, titles

pytestmark = pytest.mark.process


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


def surroundings(process):
    """The environment of a process; for a moment after its start the system knows none."""
    until = time.monotonic() + PATIENCE
    while not (known := process.environ()) and time.monotonic() < until:
        time.sleep(0.01)
    return known


def test_trainings_stand_further_back_than_imports_and_know_who_asked(data):
    training = ask(data, "training", LONG, by="Ann")
    looking = jobs.submit(data, "similar", "Examining", ["sample", str(data / "set"), *LONG])
    process = psutil.Process(training.process.pid)
    assert surroundings(process)["LEUKEMIA_BY"] == "Ann"
    assert process.nice() == max(psutil.Process().nice(), launcher.NICENESS_OF_TRAININGS)
    assert launcher.NICENESS <= psutil.Process(looking.process.pid).nice() <= process.nice()


def test_an_ended_one_is_asked_for_again_and_waits_where_something_works(data):
    first, _ = ended(data, ask(data, "first", by="Ann").title)
    ask(data, "second", LONG)
    again = jobs.resubmit(first)
    assert isinstance(again, WaitingJob)
    assert (again.kind, again.title, again.arguments, again.by) == ("train", "first", first.arguments, "Ann")
    assert jobs.resubmit(first, "Bob").by == "Bob"
