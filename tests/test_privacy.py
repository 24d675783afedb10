"""Nothing leaves the machine, and nothing is written to the home folder: each command, watched.

The pages are watched in ``tests/browser/test_privacy_of_pages.py``.
"""

import argparse
import json
import socket

import pytest
from PIL import Image

from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cli.main import parser
from leukemia.settings import PROJECT
from leukemia.verification import store
from tests.support.bundle_factory import copy_bundle
from tests.support.fields import PIXEL_SIZE, draw
from tests.support.labelled_cells import write_folders
from tests.support.rest import Running
from tests.support.slides import write as write_slide
from tests.support.watch import Watch

WRONG = {
    "import socket; socket.getaddrinfo('example.org', 80)": "looks up example.org",
    "import socket; socket.gethostbyname('example.org')": "looks up example.org",
    "import socket; socket.create_connection(('192.0.2.1', 80), 1)": "192.0.2.1",
    "import urllib.request as u; u.urlopen('http://192.0.2.1/', timeout=1)": "192.0.2.1",
    "import pathlib; pathlib.Path('~/intel').expanduser().mkdir()": "makes",
    "import pathlib; pathlib.Path('~/id').expanduser().write_text('1')": "opens",
    "import sqlite3, os; sqlite3.connect(os.path.expanduser('~/runs.db'))": "makes",
    "import os, tempfile; os.rename(tempfile.mkstemp()[1], os.path.expanduser('~/moved'))": "makes",
}
TRAINING = ["--recipe", "dense-baseline", "--epochs", "1", "--cells-per-epoch", "32"]


@pytest.fixture
def watch(tmp_path):
    return Watch(tmp_path)


def commands():
    """The names of all commands."""
    (several,) = [one for one in parser()._actions if isinstance(one, argparse._SubParsersAction)]
    return set(several.choices)


@pytest.mark.parametrize("code", WRONG)
@pytest.mark.process
def test_the_watch_sees_what_it_should_also_in_a_child(code, watch):
    for command in (code, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"):
        before = len(watch.notes)
        watch.run("-c", command)
        assert WRONG[code] in watch.notes[-1] and len(watch.notes) == before + 1
    assert list(watch.home.iterdir()) == []


@pytest.mark.slow
@pytest.mark.process
def test_no_command_asks_another_machine_or_leaves_anything_at_home(
    watch, tiny_bundle, drawn_files, tmp_path
):
    data, second = tmp_path / "data", copy_bundle(tiny_bundle, tmp_path / "second", recipe="second")
    cells = write_folders(tmp_path / "cells")
    run = set()

    def go(*arguments, status=(0,)):
        done = watch.run("-m", "leukemia", *arguments, LEUKEMIA_DATA=data)
        assert done.returncode in status, (arguments, done.stderr[-2_000:])
        assert watch.notes == [], arguments
        run.add(arguments[0])
        return done.stdout

    signed = ["--by", "Ada", "--reason", "to see"]
    least = ["--min-sensitivity", "0.2", "--min-specificity", "0.2", "--site", "Lab", "--by", "Ada"]
    go("sample", tmp_path / "drawn", "--patients", 12, "--cells", 8)
    go("prepare", tmp_path / "drawn", "--output", data)
    go("measure")
    go("check")
    go("recipes")
    go("pace", "--recipe", "dense-baseline")
    go("train", *TRAINING, "--output", tmp_path / "trained")
    go("crossvalidate", *TRAINING, "--folds", 4, "--views", 1, "--in-registry")
    go("sweep", *TRAINING, "--vary", "dropout=0:0.5", "--trials", 2, "--in-registry")
    go("register", second)
    go("versions")
    go("promote", 1, *signed, "--read")
    go("promote", 2, *signed, "--read")
    go("rollback", *signed, "--read")
    go("evaluate", tiny_bundle)
    go("evaluate", tmp_path / "trained", "--data", data)
    go("classify", drawn_files, "--output", tmp_path / "out.csv", "--model", tiny_bundle)
    smear = tmp_path / "smear.png"
    Image.fromarray(draw()).save(smear)
    go("segment", smear, "--output", tmp_path / "segmented", "--pixel-size", PIXEL_SIZE)
    slide = write_slide(tmp_path / "slide.svs", draw())
    case = cases.create(data, "P-1", who="Ada")
    go("add-slide", slide, "--case", case.id)
    for kind in ("fhir.json", "dicom.zip"):
        go("report", "P-1", "--kind", kind, "--output", tmp_path)
    with socket.socket() as nobody:
        nobody.bind(("localhost", 0))
        there = f"localhost:{nobody.getsockname()[1]}"
        go("send", "P-1", there, status=(2,))
        go("send", "P-1", there, "--kind", "dicom", status=(2,))
    go("map", "--model", tiny_bundle)
    go("verify", cells, "--model", tiny_bundle, *least, "--report", tmp_path / "report.html", status=(0, 1))
    (verified,) = store.every(data)
    go("accept", verified.id, "--model", tiny_bundle, *signed)
    stated = store.state(data, bundles.read(tiny_bundle), "tiny", "Lab", verified.stated.criterion, "Ada")
    go("verify-stated", stated.id, cells, "--model", tiny_bundle)
    go("queue")
    go("monitor")
    go("keys", "add", "lab")
    go("keys", "list")
    with Running(tmp_path, tiny_bundle, watch.environment, data):
        run.add("serve")
    assert watch.notes == [], "serve"
    go("backup", tmp_path / "backup")
    go("restore", tmp_path / "backup", "--data", tmp_path / "again")
    go("audit", "verify")
    go("audit", "list")
    assert run == commands()
    watch.check()
    assert sum("-m leukemia" in one for one in watch.started) >= len(run)


@pytest.mark.process
def test_a_job_is_silent_too(watch, drawn_set, tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom leukemia import jobs\n"
        "data = sys.argv[1]\n"
        "job = jobs.submit(Path(data), jobs.JobKind.MEASURE, 'Measure', ['measure', '--data', data])\n"
        "while jobs.state(job).active: time.sleep(0.1)\n"
        "print(jobs.state(job).status)\n"
    )
    done = watch.run("-c", code, drawn_set, LEUKEMIA_DATA=drawn_set)
    assert done.returncode == 0, done.stderr
    assert "measure --data" in watch.started[-1], watch.started
    watch.check()


@pytest.mark.process
def test_openvino_its_converter_and_nncf_are_imported_without_telemetry(watch):
    code = (
        "import json, sys, leukemia, openvino, nncf\n"
        "from openvino.tools.ovc import telemetry_utils\n"
        "print(json.dumps([telemetry_utils.tm.__name__, sys.modules['openvino_telemetry']]))\n"
    )
    done = watch.run("-c", code)
    assert json.loads(done.stdout.splitlines()[-1]) == ["openvino.tools.ovc.telemetry_stub", None], (
        done.stderr
    )
    watch.check()


@pytest.mark.parametrize(
    "module",
    sorted(
        ".".join(path.relative_to(PROJECT).with_suffix("").parts)
        for path in PROJECT.glob("benchmarks/[a-z]*.py")
    ),
)
@pytest.mark.process
def test_each_benchmark_is_silent_before_the_first_library(module, watch):
    """Each imports the package before a library that reports, in whatever order its lines are sorted."""
    code = (
        "import sys\n"
        "class First:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name in ('openvino', 'nncf', 'mlflow', 'keras', 'tensorflow', 'matplotlib', 'numba'):\n"
        "            assert 'openvino_telemetry' in sys.modules, name\n"
        "sys.meta_path.insert(0, First())\n"
        f"import {module}\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
    )
    done = watch.run("-c", code)
    assert done.returncode == 0, done.stderr[-2_000:]
    watch.check()
