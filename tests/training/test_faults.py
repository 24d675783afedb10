"""What a training survives, with real processes: kills, a dashboard that dies, a full disk, a cancel."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from leukemia import jobs
from leukemia.bundles import bundle as bundles
from leukemia.jobs import process as processes
from leukemia.settings import PROJECT
from leukemia.storage.workspace import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.process]

EPOCHS = 3
# Seconds without any work after which a job is given up, and of a processor's time that none of them needs.
IDLE, ENOUGH = 120, 900
# Intervals of figures are not what is looked at here: few resamples do.
QUICK = """
from leukemia.evaluation import bootstrap
drawn = bootstrap.resampled
bootstrap.resampled = lambda predictions, resamples, *rest: drawn(predictions, 20, *rest)
"""
# Holds the training in the middle of its second epoch: a batch was learned from, another one not.
HOLD = """
import time
from pathlib import Path
from leukemia.training.epoch import EpochBatches
here, whole = Path({here!r}), EpochBatches.__getitem__
def held(self, index):
    while self.epoch == 1 and index == 1 and not (here / "go").exists():
        (here / "held").touch()
        time.sleep(0.02)
    return whole(self, index)
EpochBatches.__getitem__ = held
"""
# While "full" is there, a disk that takes half of the second epoch's network.
FULL = """
import errno, keras
from pathlib import Path
here, whole = Path({here!r}), keras.Model.save
def save(self, path, *more, **named):
    whole(self, path, *more, **named)
    if (here / "full").exists() and list(Path(path).parent.glob("epoch-001.keras")):
        content = Path(path).read_bytes()
        Path(path).write_bytes(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))
keras.Model.save = save
"""
# A dashboard: asks for a training, and for a drawing that waits; then stands there.
DASHBOARD = """
import os, sys, time
from pathlib import Path
from leukemia import jobs
from leukemia.tracking.records import EXPERIMENT
data = Path(sys.argv[2])
os.environ["PYTHONPATH"] = sys.argv[1]
jobs.submit(data, "train", "Training", sys.argv[3:], by="Ann")
drawing = ["sample", str(data / "drawn"), "--patients", "12", "--cells", "4"]
print(type(jobs.submit(data, "train", "Drawing", drawing)).__name__, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def unbroken(drawn_set, tmp_path_factory):
    """A data folder in which a training ran from start to end."""
    folder = tmp_path_factory.mktemp("unbroken")
    data = shutil.copytree(drawn_set, folder / "data")
    with pytest.MonkeyPatch.context() as patches:
        patch(folder, patches, QUICK)
        job = jobs.submit(data, "train", "Training", arguments(data))
    assert ended(job, data).status == "done", jobs.log_tail(job)
    return data


@pytest.fixture
def data(unbroken, tmp_path):
    """A copy in which nothing ran yet, but crops and registry are there; what works at the end is ended."""
    left = shutil.ignore_patterns("jobs", "out", "checkpoints", "mlruns", "serving")
    folder = shutil.copytree(unbroken, tmp_path / "data", ignore=left)
    yield folder
    Workspace(folder).queue.unlink(missing_ok=True)
    for job in jobs.history(folder, jobs.TRAININGS):
        if process := processes.find(job.process):
            process.kill()


@pytest.fixture
def patched(tmp_path, monkeypatch):
    """Have processes that are started run a few lines first."""
    return lambda lines: patch(tmp_path, monkeypatch, QUICK + lines.format(here=str(tmp_path)))


def patch(folder, patches, lines):
    (folder / "sitecustomize.py").write_text(lines)
    patches.setenv("PYTHONPATH", f"{folder}{os.pathsep}{PROJECT}")


def arguments(data):
    short = ["--epochs", str(EPOCHS), "--cells-per-epoch", "64"]
    return ["train", "--recipe", "dense-baseline", *short, "--data", str(data), "--output", str(data / "out")]


def until(condition, data):
    """What a condition gives once it holds; None where the jobs of a data folder do nothing more for it.

    They are given up by what they do and not by the clock: a machine that has much else to do is only slow.
    """
    used, since = 0.0, time.monotonic()
    while time.monotonic() - since < IDLE and used < ENOUGH:
        if outcome := condition():
            return outcome
        if (now := processor_time(data)) != used:
            used, since = now, time.monotonic()
        time.sleep(0.1)
    return condition()


def processor_time(data):
    """Seconds that the running jobs of a data folder have used of a processor."""
    total = 0.0
    for job in jobs.history(data, jobs.TRAININGS):
        with contextlib.suppress(psutil.Error):
            if process := processes.find(job.process):
                times = process.cpu_times()
                total += times.user + times.system
    return total


def ended(job, data):
    assert until(lambda: not jobs.state(job).active, data), jobs.log_tail(job)
    return jobs.state(job)


def in_mid_epoch(job, tmp_path):
    data = tmp_path / "data"
    assert until(lambda: (tmp_path / "held").exists() or not jobs.state(job).active, data)
    state = jobs.state(job)
    assert state.status == "running", (state, jobs.log_tail(job))


def epochs_kept(data):
    """Finished epochs, as the checkpoint has them."""
    (state,) = (data / "checkpoints").glob("*/state.json")
    kept = json.loads(state.read_text())
    assert (state.parent / kept["last"]).is_file() and (state.parent / kept["best"]).is_file()
    return len(kept["history"])


def recorded(data):
    """Status of the newest run in MLflow, and how many epochs it has."""
    from leukemia.tracking import mlflow_client
    from leukemia.tracking.records import EXPERIMENT

    client = mlflow_client.client(data)
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    run, *earlier = client.search_runs([experiment], order_by=["attributes.start_time DESC"])
    assert len(earlier) == 1  # the unbroken one
    return run.info.status, len(client.get_metric_history(run.info.run_id, "val_loss"))


def same_result(data, unbroken):
    found, whole = bundles.read(data / "out"), bundles.read(unbroken / "out")
    assert len(found.record.history) == EPOCHS
    for one, other in zip(found.record.history, whole.record.history, strict=True):
        assert one["val_loss"] == pytest.approx(other["val_loss"], abs=1e-4)
    assert found.predictions["image_id"].tolist() == whole.predictions["image_id"].tolist()
    assert np.allclose(found.predictions["probability"], whole.predictions["probability"], atol=1e-3)
    estimates, expected = found.record.estimates, whole.record.estimates
    assert estimates.keys() == expected.keys()
    for name in ("auroc", "sensitivity", "specificity"):
        assert estimates[name].value == pytest.approx(expected[name].value, abs=1e-2)


def test_killed_in_mid_epoch_it_goes_on_from_its_last_epoch_to_the_same_end(
    data, unbroken, tmp_path, patched
):
    patched(HOLD)
    job = jobs.submit(data, "train", "Training", arguments(data))
    in_mid_epoch(job, tmp_path)
    os.kill(job.process.pid, signal.SIGKILL)
    assert ended(job, data).status == "lost"
    assert epochs_kept(data) == 1
    (tmp_path / "go").touch()
    second = jobs.resubmit(job)
    assert ended(second, data).status == "done", jobs.log_tail(second)
    assert "epoch 1/3" not in jobs.log_tail(second, 500)
    assert "epoch 2/3" in jobs.log_tail(second, 500)
    assert recorded(data) == ("FINISHED", EPOCHS)
    same_result(data, unbroken)


def test_cancelled_in_mid_epoch_it_ends_by_itself_and_goes_on_later(data, unbroken, tmp_path, patched):
    patched(HOLD)
    job = jobs.submit(data, "train", "Training", arguments(data))
    in_mid_epoch(job, tmp_path)
    jobs.cancel(job, grace=3_600)
    assert jobs.state(job).status == "stopping"
    (tmp_path / "go").touch()
    state = ended(job, data)
    assert (state.status, "forced" in state.message) == ("stopped", False), jobs.log_tail(job)
    assert epochs_kept(data) == 1
    assert not list((data / "checkpoints").rglob(".partial-*"))
    assert recorded(data) == ("KILLED", 1)
    second = jobs.resubmit(job)
    assert ended(second, data).status == "done", jobs.log_tail(second)
    assert recorded(data) == ("FINISHED", EPOCHS)
    same_result(data, unbroken)


@pytest.fixture
def dashboard(data, tmp_path, patched):
    """A dashboard whose training is held in mid-epoch, and the training."""
    patched(HOLD)
    patches = os.environ.pop("PYTHONPATH")
    process = subprocess.Popen(
        [sys.executable, "-c", DASHBOARD, patches, str(data), *arguments(data)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout.readline().strip() == "WaitingJob"
        job = jobs.running(data, jobs.Lane.CHANGE)
        in_mid_epoch(job, tmp_path)
        yield process, job
    finally:
        process.kill()
        process.wait()


def seen_anew(data):
    """What a process finds that knows nothing: status, title and who asked of each job; what waits."""
    code = (
        "import sys; from pathlib import Path; from leukemia import jobs\n"
        "data = Path(sys.argv[1])\n"
        "for job in jobs.history(data, jobs.TRAININGS):\n"
        "    print(jobs.state(job).status, job.title, job.by, sep='|')\n"
        "for one in jobs.waiting(data):\n"
        "    print('waits', one.title, one.by, sep='|')"
    )
    return subprocess.check_output(
        [sys.executable, "-c", code, str(data)], cwd=PROJECT, text=True
    ).splitlines()


def test_the_dashboard_killed_the_training_runs_to_its_end_and_the_next_one_follows(
    dashboard, data, unbroken, tmp_path
):
    process, job = dashboard
    process.kill()
    process.wait()
    assert seen_anew(data) == ["running|Training|Ann", "waits|Drawing|"]
    (tmp_path / "go").touch()
    assert ended(job, data).status == "done", jobs.log_tail(job)
    assert until(lambda: seen_anew(data) == ["done|Drawing|", "done|Training|Ann"], data), seen_anew(data)
    assert recorded(data) == ("FINISHED", EPOCHS)
    same_result(data, unbroken)


def test_both_killed_the_next_dashboard_sees_the_loss_and_goes_on(dashboard, data, tmp_path):
    process, job = dashboard
    process.kill()
    os.kill(job.process.pid, signal.SIGKILL)
    process.wait()
    assert until(lambda: seen_anew(data) == ["lost|Training|Ann", "waits|Drawing|"], data), seen_anew(data)
    (tmp_path / "go").touch()
    # Asked for again it waits behind the one that waits, and follows it by itself.
    assert isinstance(jobs.resubmit(job), jobs.WaitingJob)
    second = until(lambda: next((one for one in jobs.history(data, ["train"]) if one.waited), None), data)
    assert second.title == "Drawing"
    goes_on = until(
        lambda: [one for one in jobs.history(data, ["train"]) if one.title == "Training"][1:], data
    )
    assert goes_on, jobs.waiting(data)
    third = jobs.history(data, ["train"])[0]
    assert ended(third, data).status == "done", jobs.log_tail(third)
    assert "epoch 1/3" not in jobs.log_tail(third, 500)
    assert bundles.read(data / "out").record.epochs.run == EPOCHS
    assert recorded(data) == ("FINISHED", EPOCHS)


def test_a_full_disk_at_a_checkpoint_is_a_sentence_and_it_goes_on_when_there_is_space(
    data, unbroken, tmp_path, patched
):
    patched(FULL)
    (tmp_path / "full").touch()
    job = jobs.submit(data, "train", "Training", arguments(data))
    state = ended(job, data)
    assert state.status == "failed", jobs.log_tail(job)
    assert state.message == "The disk is full. Free some space, then run the same command again to resume."
    assert epochs_kept(data) == 1
    assert not list((data / "checkpoints").rglob(".partial-*"))
    assert recorded(data) == ("FAILED", 1)
    assert not (data / "out").exists()
    (tmp_path / "full").unlink()
    second = jobs.resubmit(job)
    assert ended(second, data).status == "done", jobs.log_tail(second)
    assert "epoch 1/3" not in jobs.log_tail(second, 500)
    assert recorded(data) == ("FINISHED", EPOCHS)
    same_result(data, unbroken)
