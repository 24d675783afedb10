"""``classify`` reads files, folders, zips, Parquet tables and buckets, here or on Ray."""

import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from leukemia.cli.main import SOME_NOT, UNUSABLE, main
from leukemia.inference import decisions
from leukemia.settings import PROJECT, RESEARCH_USE
from tests.support.watch import Watch

# What is another each time.
WHEN = "classified_at"


@pytest.fixture
def places(drawn_files, tmp_path):
    """Each kind of place with some of the drawn cells; one of all images is none."""
    files = sorted(drawn_files.iterdir())
    folder = tmp_path / "folder"
    folder.mkdir()
    for path in files[:10]:
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "text.bmp").write_text("hello")
    with zipfile.ZipFile(tmp_path / "cells.zip", "w") as archive:
        for path in files[10:20]:
            archive.write(path, path.name)
    rows = {"name": [path.stem for path in files[20:50]], "image": [one.read_bytes() for one in files[20:50]]}
    pd.DataFrame(rows).to_parquet(tmp_path / "cells.parquet", row_group_size=8)
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    for path in files[50:]:
        (bucket / path.name).write_bytes(path.read_bytes())
    return [str(folder), f"{tmp_path}/cells.zip", f"{tmp_path}/cells.parquet", bucket.as_uri()]


@pytest.fixture
def short_folder():
    """A folder whose path is short enough for Ray's sockets."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        yield Path(folder)


def until(reached, seconds=120):
    """Wait for something to be so; whether it became so."""
    end = time.monotonic() + seconds
    while not (found := reached()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def table(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@pytest.mark.process
@pytest.mark.slow
def test_ray_writes_the_table_that_this_machine_alone_does_and_all_stays_here(places, tiny_bundle, tmp_path):
    watch = Watch(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    tables = []
    for executor in ("local", "ray"):
        out = tmp_path / f"{executor}.csv"
        done = watch.run(
            *("-m", "leukemia", "classify", *places, "--output", out, "--model", tiny_bundle),
            *("--executor", executor),
            LEUKEMIA_DATA=data,
            LEUKEMIA_WORKERS=2,
        )
        assert done.returncode == SOME_NOT, done.stderr
        assert done.stdout.startswith("60 of 61 images classified") and RESEARCH_USE in done.stdout
        assert "Traceback" not in done.stderr and "ray" not in done.stderr.lower()
        tables.append(table(out))
    assert list(tables[1].columns) == list(decisions.COLUMNS)
    pd.testing.assert_frame_equal(*(one.drop(columns=WHEN) for one in tables))
    assert tables[0]["file"].is_unique and len(tables[0]) == 61
    assert not (tmp_path / "ray.csv.parts").exists()
    assert any("default_worker" in one for one in watch.started)
    watch.check()


@pytest.mark.process
@pytest.mark.slow
def test_a_run_that_is_asked_to_end_goes_on_and_leaves_nothing_behind(
    drawn_files, tiny_bundle, tmp_path, short_folder
):
    out = tmp_path / "out.csv"
    # The same images again and again: enough for many batches.
    command = [sys.executable, "-m", "leukemia", "classify", *[drawn_files] * 30, "--output", out]
    command = [*map(str, command), "--model", str(tiny_bundle), "--executor", "ray"]
    environment = Watch(tmp_path).environment | {"TMPDIR": str(short_folder), "LEUKEMIA_WORKERS": "1"}
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment, stderr=subprocess.PIPE, text=True
    ) as running:
        assert until(lambda: list(tmp_path.glob("out.csv.parts/*/*.parquet")) or running.poll() is not None)
        running.terminate()
        said = running.communicate(timeout=60)[1]
    assert running.returncode not in (0, None) and "Traceback" not in said
    assert not out.exists() and list(short_folder.iterdir()) == []
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("out.csv.parts/*/*.parquet")}
    assert 0 < len(finished) < 29
    again = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    found = table(out)
    assert len(found) == 1_800 and set(found["file"].value_counts()) == {30}
    assert not list(tmp_path.glob("out.csv.parts"))


@pytest.mark.process
@pytest.mark.slow
def test_a_cluster_of_several_machines_is_joined_by_its_address(drawn_files, tiny_bundle, tmp_path):
    """Two machines that are one: each with a core of its own."""
    out = tmp_path / "out.csv"
    program = (
        "import subprocess, sys\nfrom ray.cluster_utils import Cluster\n"
        "cluster = Cluster(initialize_head=True, head_node_args={'num_cpus': 1})\n"
        "cluster.add_node(num_cpus=1)\n"
        "try:\n    done = subprocess.run([sys.executable, *sys.argv[1:], '--cluster', cluster.address])\n"
        "finally:\n    cluster.shutdown()\n"
        "sys.exit(done.returncode)\n"
    )
    classify = ["-m", "leukemia", "classify", drawn_files, "--output", out, "--model", tiny_bundle]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, (*classify, "--executor", "ray"))],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        env=Watch(tmp_path).environment | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "60 of 60 images classified" in done.stdout
    assert len(table(out)) == 60


@pytest.mark.parametrize(
    ("place", "more", "says"),
    [
        ("", ["--cluster", "127.0.0.1:6379"], "give --executor ray, too"),
        ("", ["--executor", "ray", "--fields"], "leave out --executor ray"),
        ("", ["--executor", "ray", "--output", "-"], "name a file for --output"),
        ("s3://bucket/fields", ["--fields"], "not from a bucket"),
        ("ftp://host/cells", [], "ftp://host/cells is no address that can be read"),
    ],
)
def test_what_does_not_go_together_is_said_before_anything_is_read(
    place, more, says, drawn_files, tiny_bundle, tmp_path, capsys
):
    out = tmp_path / "out.csv"
    arguments = ["classify", place or str(drawn_files), "--output", str(out), "--model", str(tiny_bundle)]
    assert main([*arguments, *more]) == UNUSABLE
    assert says in capsys.readouterr().err
    assert not out.exists()


def test_folds_take_no_cluster_without_ray(capsys):
    assert main(["crossvalidate", "--recipe", "dense-baseline", "--cluster", "127.0.0.1:6379"]) == UNUSABLE
    assert "give --executor ray, too" in capsys.readouterr().err


def test_without_ray_it_is_said_in_a_sentence(drawn_files, tiny_bundle, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    out = tmp_path / "out.csv"
    arguments = ["classify", str(drawn_files), "--output", str(out), "--model", str(tiny_bundle)]
    assert main([*arguments, "--executor", "ray"]) == UNUSABLE
    said = capsys.readouterr().err
    assert "leukemia: Ray is not installed" in said and "requirements-scale.txt" in said
    assert list(tmp_path.iterdir()) == []


def test_the_table_never_takes_the_place_of_a_zip_that_is_read(tiny_bundle, tmp_path, capsys):
    archive = tmp_path / "cells.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.bmp", b"x")
    before = archive.read_bytes()
    assert main(["classify", str(archive), "--output", str(archive)]) == UNUSABLE
    assert "is one of the files to be read" in capsys.readouterr().err
    assert archive.read_bytes() == before
