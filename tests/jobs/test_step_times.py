"""A step that cannot be counted is said to take as long as it took the last time."""

import json

import pytest

from leukemia import jobs
from leukemia.jobs import clock, progress, step_times
from pages.components import job_status
from tests.support import job_factory

LOADING, WRITING = "Loading a library", "Writing"


@pytest.fixture
def now(monkeypatch):
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(clock.time, "clock_gettime", lambda _: now[0])
    monkeypatch.setattr(clock.time, "time", lambda: now[0])
    return now


def ran(data, now, seconds, *, status=0, title="A training", kind="train", ago=0):
    """A job whose two steps took so long, ended with this status."""
    job = job_factory.write(data, kind, title, ago=ago)
    teller = progress.JobProgress(job.folder)
    teller.step(LOADING)
    now[0] += seconds
    teller.step(WRITING)
    now[0] += 2 * seconds
    teller.end(status, "")
    return job


def test_it_counts_down_from_what_the_step_took_before_and_then_says_no_more(tmp_path, now):
    ran(tmp_path, now, 60, ago=100)
    job = job_factory.write(tmp_path)
    teller = progress.JobProgress(job.folder)
    teller.step(LOADING)
    assert jobs.state(job).left == pytest.approx(60)
    now[0] += 40
    assert jobs.state(job).left == pytest.approx(20)
    assert job_status.how_far(jobs.state(job)) == f"{LOADING}, about 20 seconds left …"
    now[0] += 21
    assert jobs.state(job).left is None
    assert job_status.how_far(jobs.state(job)) == f"{LOADING} …"
    teller.step(WRITING)
    assert jobs.state(job).left == pytest.approx(120)
    teller.progress(0, 10, "Counted")
    now[0] += 10
    teller.progress(5, 10, "Counted")
    assert jobs.state(job).left == pytest.approx(10)
    teller.end(0, "")
    told = json.loads((job.folder / progress.PROGRESS).read_text())
    assert told[step_times.TOOK] == {LOADING: 61, WRITING: 0}


def test_a_step_that_comes_again_takes_as_long_as_it_just_did(tmp_path, now):
    ran(tmp_path, now, 60, ago=100)
    job = job_factory.write(tmp_path)
    teller = progress.JobProgress(job.folder)
    teller.step(LOADING)
    now[0] += 25
    teller.step(WRITING)
    teller.step(LOADING)
    assert jobs.state(job).left == pytest.approx(25)


def test_the_same_title_goes_before_others_and_the_latest_before_those_before_it(tmp_path, now):
    ran(tmp_path, now, 10, ago=400)
    ran(tmp_path, now, 20, ago=300)
    ran(tmp_path, now, 30, ago=200, title="Another training")
    ran(tmp_path, now, 40, ago=100, kind="map", title="A training")
    expected = {"A training": 20, "Another training": 30, "A third training": 30}
    for number, (title, seconds) in enumerate(expected.items()):
        job = job_factory.write(tmp_path, title=title, ago=50 - number)
        assert step_times.before(job.folder)[LOADING] == seconds, title


def test_a_step_that_was_broken_off_says_nothing_of_its_length(tmp_path, now):
    ran(tmp_path, now, 60, status=130, ago=100)
    assert step_times.before(job_factory.write(tmp_path).folder) == {LOADING: 60}


@pytest.mark.parametrize("took", [None, [1], {LOADING: "long"}, {LOADING: None}])
def test_a_damaged_record_says_nothing(tmp_path, now, took):
    job = ran(tmp_path, now, 60, ago=100)
    (job.folder / progress.PROGRESS).write_text(json.dumps({step_times.TOOK: took}))
    assert step_times.before(job_factory.write(tmp_path).folder) == {}


@pytest.mark.parametrize("at", [None, 7, {"wall": "noon"}, {"hour": 1}])
def test_a_beginning_that_is_none_gives_no_time(tmp_path, at):
    job = job_factory.write(tmp_path)
    told = {"what": LOADING, "total": 0, "left": 60.0, "at": at}
    (job.folder / progress.PROGRESS).write_text(json.dumps(told))
    assert jobs.state(job).left is None
