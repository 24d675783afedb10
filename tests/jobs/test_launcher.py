"""Jobs are real processes here: started, watched, cancelled, killed, gone on with."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from leukemia import jobs
from leukemia.errors import BusyError, JobError
from leukemia.jobs import launcher, progress
from leukemia.jobs import process as processes
from leukemia.jobs.facts import ImportFacts
from leukemia.jobs.job import LOG
from leukemia.jobs.process import ProcessId
from leukemia.settings import PROJECT
from leukemia.storage.workspace import Workspace
from tests.support.job_factory import PATIENCE

pytestmark = pytest.mark.process

LONG = ["--patients", "24", "--cells", "200"]


def wait(job, phases=("done", "stopped", "failed", "lost"), seconds=PATIENCE):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = jobs.state(job)
        if state.status in phases:
            return state
        time.sleep(0.1)
    raise AssertionError(f"Still {state.status}: {jobs.log_tail(job)}")


def at_work(job, seconds=PATIENCE):
    """Wait until the command has told of its work."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not jobs.state(job).total:
        time.sleep(0.1)
    state = jobs.state(job)
    assert state.status == "running", (state, jobs.log_tail(job))
    return state


@pytest.fixture
def start(tmp_path):
    """Start a drawing of many cells; whatever is left over at the end is ended."""
    started = []

    def begin(name="drawn", options=LONG, kind="import", **more):
        job = jobs.submit(tmp_path, kind, "Drawing", ["sample", str(tmp_path / name), *options], **more)
        started.append(job)
        return job

    yield begin
    for job in started:
        if process := processes.find(job.process):
            process.kill()
            process.wait(10)


def test_a_job_runs_to_its_end_and_tells_how_far_it_is(start, tmp_path):
    job = start(options=["--patients", "12", "--cells", "4"])
    assert at_work_or_done(job)
    state = wait(job)
    assert (state.status, state.message, state.what) == ("done", "", "Drawing")
    assert state.done == state.total > 40
    assert (tmp_path / "drawn" / "SYNTHETIC.txt").is_file()
    assert "synthetic drawings" in jobs.log_tail(job)
    assert jobs.running(tmp_path) is None


def at_work_or_done(job):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and not (state := jobs.state(job)).total:
        time.sleep(0.05)
    return state.status in ("running", "done")


def test_whoever_reads_the_folder_knows_the_job(start, tmp_path):
    job = start()
    at_work(job)
    code = (
        "import sys; from leukemia import jobs\n"
        "job = jobs.latest(sys.argv[1], 'import'); print(jobs.state(job).status, job.process.pid)"
    )
    told = subprocess.check_output([sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT, text=True)
    assert told.split() == ["running", str(job.process.pid)]


def test_a_job_outlives_the_process_that_started_it(tmp_path):
    code = (
        "import sys; from leukemia import jobs\n"
        "job = jobs.submit(sys.argv[1], 'import', 'Drawing', ['sample', sys.argv[1] + '/drawn',"
        " '--patients', '12', '--cells', '8']); print(jobs.state(job).status)"
    )
    told = subprocess.check_output([sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT, text=True)
    assert told.strip() == "running"
    assert wait(jobs.latest(tmp_path, "import")).status == "done"


def test_a_second_start_on_the_same_folder_is_busy_and_another_lane_or_folder_is_not(start, tmp_path):
    first = start()
    with pytest.raises(BusyError, match=r"Busy: an import or a training is running .* \(Drawing\)"):
        start("other")
    assert jobs.running(tmp_path, jobs.Lane.CHANGE) == first
    assert jobs.running(tmp_path, jobs.Lane.EXAMINE) is None
    looking = start("look", ["--patients", "12", "--cells", "4"], kind="similar")
    assert wait(looking).status == "done"
    elsewhere = jobs.submit(tmp_path / "b", "import", "Elsewhere", ["sample", str(tmp_path / "c"), "--help"])
    wait(elsewhere)


def test_a_cancelled_job_ends_cleanly_and_another_may_start(start, tmp_path):
    job = start()
    at_work(job)
    jobs.cancel(job)
    state = wait(job, ("stopped",))
    assert state.message == "Stopped."
    assert not (tmp_path / "drawn").exists()
    assert not list(tmp_path.glob(".partial-*"))
    assert jobs.state(start()).status == "running"


def test_a_job_that_does_not_end_is_forced_after_the_grace_time(start):
    job = start()
    at_work(job)
    # A process that is stopped does not take notice of a request.
    psutil.Process(job.process.pid).suspend()
    jobs.cancel(job, grace=1.0)
    assert jobs.state(job).status == "stopping"
    assert "forced" in wait(job, ("stopped",)).message


def test_a_killed_job_is_lost_and_its_command_can_be_started_again(start, tmp_path):
    job = start(options=["--patients", "12", "--cells", "30"])
    at_work(job)
    os.kill(job.process.pid, signal.SIGKILL)
    assert "ended without a message" in wait(job, ("lost",)).message
    second = jobs.resubmit(job)
    assert (second.arguments, second.kind) == (job.arguments, job.kind)
    assert second.folder != job.folder
    assert wait(second).status == "done"
    assert jobs.latest(tmp_path, "import") == second


def test_another_process_of_the_same_number_is_not_the_job(start):
    job = start()
    assert jobs.state(job).status == "running"
    process = dataclasses.replace(job.process, born=job.process.born - 100, start="")
    before = dataclasses.replace(job, process=process)
    assert jobs.state(before).status == "lost"
    jobs.cancel(before)
    assert jobs.state(job).status == "running"


def test_a_command_that_fails_says_why_in_a_sentence(start, tmp_path):
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "mine.txt").write_text("mine")
    state = wait(start())
    assert state.status == "failed"
    assert state.message.endswith("drawn exists and is not an empty folder: choose a new one.")
    assert "Traceback" not in state.message


def test_an_unforeseen_end_is_told_without_details_and_the_log_has_them(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(
        "import leukemia.dataset.synthetic.sample_writer as s\n"
        "def fail(*_, **__): raise ZeroDivisionError('secret')\n"
        "s.write_sample = fail\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{PROJECT}")
    job = jobs.submit(tmp_path / "data", "import", "Drawing", ["sample", str(tmp_path / "x")])
    state = wait(job)
    assert state.status == "failed"
    assert "secret" not in state.message
    # Python writes it down after the job's own last word.
    until = time.monotonic() + PATIENCE
    while "ZeroDivisionError: secret" not in jobs.log_tail(job) and time.monotonic() < until:
        time.sleep(0.1)
    assert "ZeroDivisionError: secret" in jobs.log_tail(job)


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("a file, not a folder")
    with pytest.raises(JobError, match="No job can be started in"):
        jobs.submit(tmp_path / "file", "import", "Drawing", ["sample", "x"])


def test_a_damaged_record_is_no_job(tmp_path):
    folder = Workspace(tmp_path).jobs / "20260101T000000000000-import-abc"
    folder.mkdir(parents=True)
    (folder / progress.RECORD).write_text('{"kind": "sam')
    assert jobs.latest(tmp_path, "import") is None


def test_folders_of_long_ended_jobs_are_removed(start, tmp_path, monkeypatch):
    monkeypatch.setattr(launcher, "KEPT", 2)
    for number in range(5):
        folder = Workspace(tmp_path).jobs / f"2026010{number}T000000000000-import-abc"
        folder.mkdir(parents=True)
        record = {
            "kind": "import",
            "title": "",
            "arguments": [],
            "lane": "change",
            "pid": 1,
            "born": 0.0,
        }
        record |= {"folder": folder.name, "started": ""}
        (folder / progress.RECORD).write_text(json.dumps(record))
    job = start()
    kept = sorted(path.name[:8] for path in Workspace(tmp_path).jobs.iterdir() if path.is_dir())
    assert kept[:2] == ["20260103", "20260104"]
    assert len(kept) == 3
    assert jobs.latest(tmp_path, "import") == job


def old_job(data, kind, day, **more):
    folder = Workspace(data).jobs / f"202601{day:02d}T000000000000-{kind}-abc"
    folder.mkdir(parents=True)
    record = {"kind": kind, "title": "", "arguments": [], "lane": "change", "pid": 1, "born": 0.0}
    (folder / progress.RECORD).write_text(json.dumps(record | {"folder": folder.name, "started": ""} | more))
    return folder


def test_jobs_of_one_kind_do_not_drive_out_those_of_another(start, tmp_path, monkeypatch):
    monkeypatch.setattr(launcher, "KEPT", 2)
    trained = old_job(tmp_path, "train", 1, by="Ann")
    for day in range(2, 9):
        old_job(tmp_path, "measure", day)
    start()
    (job,) = jobs.history(tmp_path, ("train",))
    assert (job.folder, job.by) == (trained, "Ann")
    assert len(jobs.history(tmp_path, ("measure",))) == 2


def test_history_has_the_kinds_asked_for_the_newest_first(tmp_path):
    for day, kind in enumerate(("train", "import", "sweep", "train", "similar"), 1):
        old_job(tmp_path, kind, day)
    assert [job.kind for job in jobs.history(tmp_path, ("train", "sweep"))] == ["train", "sweep", "train"]
    assert [job.kind for job in jobs.history(tmp_path, {"similar"})] == ["similar"]
    assert jobs.history(tmp_path, ()) == []


def test_a_folder_that_never_became_a_jobs_is_removed_when_it_is_old(start, tmp_path):
    new, old = (Workspace(tmp_path).jobs / f"20260101T000000000000-train-{name}" for name in ("new", "old"))
    for folder in (new, old):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    start()
    assert new.is_dir() and not old.exists()


def test_a_record_of_another_make_is_no_job(tmp_path):
    old_job(tmp_path, "import", 1, invented=True)
    kept = old_job(tmp_path, "import", 2)
    assert [job.folder for job in jobs.history(tmp_path, ("import",))] == [kept]


def test_who_asked_is_kept_when_it_is_started_again(start):
    job = start(options=["--patients", "12", "--cells", "4"], by="Ann")
    wait(job)
    assert jobs.resubmit(job).by == "Ann"


def test_a_progress_bar_in_the_log_is_its_last_state(tmp_path):
    (tmp_path / LOG).write_bytes(b"begin\n 1/3\r 2/3\r 3/3\nend\n\n")
    job = jobs.Job(tmp_path, jobs.JobKind.IMPORT, "", (), ProcessId(0, 0.0), "")
    assert jobs.log_tail(job) == "begin\n 3/3\nend"
    assert jobs.log_tail(job, lines=1) == "end"


def test_the_reporter_counts_all_problems_and_keeps_the_first(tmp_path):
    told = progress.JobProgress(tmp_path)
    for number in range(progress.KEPT + 5):
        told.problem(f"problem {number}")
        told.count("ALL")
    told.facts(ImportFacts(["a", "b"]))
    state = json.loads((tmp_path / progress.PROGRESS).read_text())
    assert state["problem_count"] == progress.KEPT + 5
    assert state["problems"] == [f"problem {number}" for number in range(progress.KEPT)]
    assert state["counts"] == {"ALL": progress.KEPT + 5}
    assert state["facts"] == {"report": ["a", "b"]}


def test_a_reporter_writes_seldom_and_a_full_disk_does_not_stop_the_work(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(progress, "write_text", lambda path, text: written.append(path.name))
    told = progress.JobProgress(tmp_path)
    for done in range(1_000):
        told.progress(done, 1_000, "Working")
    assert 1 <= len(written) < 20

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress, "write_text", full)
    told.progress(1_000, 1_000, "Working")
    told.end(0, "")


def test_started_by_hand_a_command_tells_nobody(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = progress.JobProgress(None)
    told.progress(1, 2, "Working")
    told.problem("nothing")
    told.end(0, "")
    assert not list(tmp_path.iterdir())


def test_a_linked_folder_of_jobs_belongs_to_the_data_folder_that_links_it(tmp_path):
    old_job(tmp_path / "elsewhere", "import", 1)
    data = tmp_path / "data"
    data.mkdir()
    Workspace(data).jobs.symlink_to(Workspace(tmp_path / "elsewhere").jobs)
    assert jobs.latest(data, "import").data == data
