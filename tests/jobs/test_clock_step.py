"""The system clock is set while a job runs: Linux then reports another boot time, played here."""

import json
import subprocess
import sys
import time

import psutil
import pytest

from leukemia import jobs
from leukemia.errors import BusyError
from leukemia.jobs import process as processes
from leukemia.jobs import progress
from leukemia.jobs.clock import Moment
from leukemia.storage.workspace import Workspace
from tests.support.job_factory import PATIENCE

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system clock decides"),
]
LONG = ["--patients", "24", "--cells", "200"]
STEPS = (10.0, -3600.0)


@pytest.fixture
def step(monkeypatch):
    """Set the system clock forward by some seconds, for this process and what it reads of others."""
    import psutil._pslinux as linux

    boot_time, now = linux.boot_time, time.time

    def by(seconds):
        monkeypatch.setattr(linux, "boot_time", lambda: boot_time() + seconds)
        monkeypatch.setattr(time, "time", lambda: now() + seconds)

    return by


@pytest.fixture
def job(tmp_path):
    """A job that draws many cells; nothing is left of it and what follows it."""
    one = jobs.submit(tmp_path, "import", "Import one", ["sample", str(tmp_path / "drawn"), *LONG])
    yield one
    Workspace(tmp_path).queue.unlink(missing_ok=True)
    for other in jobs.history(tmp_path):
        if process := processes.find(other.process):
            process.kill()


def until(reached, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize("seconds", STEPS)
def test_a_running_job_stays_one_is_cancelled_and_no_second_one_starts(job, step, tmp_path, seconds):
    until(lambda: jobs.state(job).total)
    step(seconds)
    # What the job was known by before does not find it any more.
    assert abs(psutil.Process(job.process.pid).create_time() - job.process.born) > processes.SAME_START
    assert jobs.state(job).status == jobs.JobStatus.RUNNING
    assert jobs.running(tmp_path, jobs.Lane.CHANGE) == job
    with pytest.raises(BusyError):
        jobs.submit(tmp_path, "import", "Import two", ["sample", str(tmp_path / "two"), *LONG])
    waits = jobs.submit(tmp_path, "train", "A training", ["sample", str(tmp_path / "three"), *LONG])
    assert isinstance(waits, jobs.WaitingJob)
    jobs.drop(tmp_path, waits.id)
    jobs.cancel(job)
    until(lambda: not jobs.state(job).active)
    assert jobs.state(job).status == jobs.JobStatus.STOPPED
    assert jobs.state(job).message == "Stopped."


@pytest.mark.parametrize("seconds", [*STEPS, 3600.0])
def test_how_long_it_runs_and_the_time_to_stop_do_not_follow_the_system_clock(job, step, tmp_path, seconds):
    until(lambda: jobs.state(job).total)
    # It takes no notice of the request.
    psutil.Process(job.process.pid).suspend()
    jobs.cancel(job, grace=600)
    step(seconds)
    assert 0 <= job.elapsed < 300
    assert 300 < jobs.time_to_stop(job) <= 600
    jobs.advance(tmp_path)
    assert jobs.state(job).status == jobs.JobStatus.STOPPING
    (read,) = jobs.history(tmp_path)
    assert read == job


def test_a_cancel_of_an_older_program_ends_by_the_system_clock(job):
    request = job.folder / "cancel.json"
    request.write_text(json.dumps({"at": "2026-01-01T00:00:00+00:00", "until": time.time() - 5}))
    assert -60 < jobs.time_to_stop(job) < -4
    request.write_text("{")
    assert jobs.time_to_stop(job) is None


def test_the_newest_is_the_one_started_last_where_the_clock_was_set_back(job, tmp_path):
    until(lambda: jobs.state(job).total)
    jobs.cancel(job, grace=0.1)
    until(lambda: not jobs.state(job).active)
    ahead = job.folder.with_name("29990101T000000000000-import-abcdef")
    job.folder.rename(ahead)
    (Workspace(tmp_path).jobs / "not-a-job").mkdir()
    for name in ("second", "third"):
        last = jobs.submit(
            tmp_path, "import", name, ["sample", str(tmp_path / name), "--patients", "12", "--cells", "4"]
        )
        assert jobs.latest(tmp_path, "import") == last
        until(lambda last=last: not jobs.state(last).active)
    assert [one.title for one in jobs.history(tmp_path)] == ["third", "second", "Import one"]


def test_a_record_of_an_older_program_is_read(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        folder = Workspace(tmp_path).jobs / "20260101T000000000000-train-abcdef"
        folder.mkdir(parents=True)
        record = {
            "folder": folder.name,
            "kind": "train",
            "title": "A training",
            "arguments": ["train"],
            "lane": "change",
            "pid": process.pid,
            "born": psutil.Process(process.pid).create_time(),
            "started": "2026-01-01T00:00:00+00:00",
            "by": "Ann",
            "waited": "abc",
        }
        (folder / progress.RECORD).write_text(json.dumps(record))
        job = jobs.running(tmp_path, jobs.Lane.CHANGE)
        assert (job.title, job.by, job.waited, job.process.pid) == ("A training", "Ann", "abc", process.pid)
        assert jobs.state(job).status == jobs.JobStatus.RUNNING
        assert job.elapsed > 0
        process.kill()
        process.wait(10)
        assert jobs.state(job).status == jobs.JobStatus.LOST
    finally:
        process.kill()


def test_after_a_restart_of_the_machine_the_system_clock_counts(step):
    before = Moment(time.time() - 50, "another-boot", 10.0)
    assert 50 <= before.elapsed() < 60
    step(-3600)
    assert before.elapsed() == 0
