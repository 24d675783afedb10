"""What a killed writer left is swept, and nothing that is being written."""

import os
import subprocess
import sys
import time

import pytest

from leukemia.settings import PROJECT
from leukemia.storage import atomic

WRITE = """
import sys, time
from pathlib import Path
from leukemia.storage import atomic
place = Path(sys.argv[1])
with atomic.whole_file(place / "big.npy") as file, atomic.partial_folder(place) as folder:
    file.write_bytes(b"x" * 1000)
    (folder / "part").write_bytes(b"x")
    print("writing", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def at_once(monkeypatch):
    """What nobody holds counts as left, however new."""
    monkeypatch.setattr(atomic, "NEW", -1.0)
    atomic._sweep_once.cache_clear()
    yield
    atomic._sweep_once.cache_clear()


def partials(folder):
    return [path for path in folder.rglob(".partial-*") if path.parent.name != path.name]


@pytest.mark.process
def test_what_a_killed_writer_left_is_swept_and_what_a_living_one_writes_stays(tmp_path, at_once):
    folder = tmp_path / "cache" / "deep"
    folder.mkdir(parents=True)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(folder)], stdout=subprocess.PIPE, cwd=PROJECT, text=True
    )
    try:
        assert writer.stdout.readline() == "writing\n"
        atomic.sweep(tmp_path)
        assert len(partials(tmp_path)) == 2
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    atomic.sweep(tmp_path)
    assert partials(tmp_path) == []


def test_the_first_write_into_a_folder_sweeps_it(tmp_path, at_once):
    (tmp_path / f".partial-{'0' * 16}.npy").write_bytes(b"left")
    (tmp_path / ".partial-abcdefgh.csv").write_bytes(b"left by an earlier version")
    (tmp_path / f".partial-{'1' * 16}").mkdir()
    (tmp_path / ".partial-notes-of-mine.txt").write_bytes(b"somebody's")
    atomic.write_text(tmp_path / "a.txt", "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".partial-notes-of-mine.txt", "a.txt"]


def test_what_is_new_is_left_alone(tmp_path):
    atomic._sweep_once.cache_clear()
    new, old = tmp_path / f".partial-{'0' * 16}", tmp_path / f".partial-{'1' * 16}"
    for path in (new, old):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 60,) * 2)
    atomic.sweep(tmp_path)
    assert partials(tmp_path) == [new]


def test_a_link_is_not_followed(tmp_path, at_once):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.txt").write_bytes(b"x")
    (tmp_path / f".partial-{'0' * 16}").symlink_to(tmp_path / "elsewhere")
    atomic.sweep(tmp_path)
    assert (tmp_path / "elsewhere" / "a.txt").is_file()
