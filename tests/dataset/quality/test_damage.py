"""Damage since the import is seen, whatever was cached."""

import os
import shutil

import pytest

from leukemia.dataset import manifest
from leukemia.dataset.importing import importer
from leukemia.dataset.quality import damage, file_checks
from leukemia.dataset.quality.checks import OK, PROBLEM, UNKNOWN
from leukemia.dataset.synthetic import sample_writer
from tests.support.cases import case


@pytest.fixture(scope="module")
def download(tmp_path_factory):
    folder = tmp_path_factory.mktemp("download") / "set"
    sample_writer.write_sample(folder, patients=12, cells=4)
    return folder


@pytest.fixture
def data(download, tmp_path):
    importer.prepare(download, tmp_path / "data", workers=2)
    return tmp_path / "data"


def look(data, decoded=None):
    cells = manifest.read(data)
    return damage.find(data, cells, workers=2).files, damage.glance(data, cells, workers=2)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-900])


def exchange(path, other):
    shutil.copy(other, path)


def rot(path):
    """One bit of the file changes, but neither its size nor its date."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_fresh_import_is_whole_and_nothing_is_decoded_to_say_so(data, monkeypatch):
    monkeypatch.setattr(damage.reader, "decode", lambda _: pytest.fail("decoded"))
    assert look(data) == ({}, damage.Damage({}))


def test_what_was_cut_off_or_exchanged_is_seen_at_a_glance_and_by_reading_all(data):
    first, second, third, *_ = manifest.read(data)["path"]
    cut_off(data / first)
    exchange(data / second, data / third)
    os.utime(data / second, (1, 1))
    found, glanced = look(data)
    assert found.keys() == glanced.files.keys() == {first, second}
    assert "damaged or incomplete" in found[first] and found[second] == damage.CHANGED


def test_a_bit_that_turned_is_found_by_reading_all(data):
    path = manifest.read(data)["path"].iloc[0]
    rot(data / path)
    assert look(data)[0].keys() == {path}


def test_files_of_another_date_are_read_once(data, monkeypatch):
    cells = manifest.read(data)
    for path in cells["path"]:
        os.utime(data / path, (1, 1))
    monkeypatch.setattr(damage, "FEW", len(cells) - 1)
    assert damage.glance(data, cells, workers=2) == damage.Damage({}, len(cells))
    assert damage.find(data, cells, workers=2) == damage.Damage({})
    assert damage.glance(data, cells, workers=2) == damage.Damage({})


def test_without_its_cache_all_is_decoded(data):
    path = manifest.read(data)["path"].iloc[0]
    cut_off(data / path)
    shutil.rmtree(data / "cache")
    assert look(data)[0].keys() == {path}


def test_importing_again_mends_what_was_damaged(download, data):
    first, second, *_ = manifest.read(data)["path"]
    cut_off(data / first)
    rot(data / second)
    importer.prepare(download, data, workers=2)
    assert look(data) == ({}, damage.Damage({}))


def test_the_check_says_what_is_known():
    levels = {
        PROBLEM: damage.Damage({"a.webp": damage.CHANGED}),
        UNKNOWN: damage.Damage({}, 7),
        OK: damage.Damage({}),
    }
    for level, found in levels.items():
        check = file_checks.damaged(found)
        assert (check.level, len(check.rows)) == (level, len(found.files))
    assert "verified: 7." in file_checks.damaged(levels[UNKNOWN]).finding


def test_the_real_set_with_a_file_cut_off_is_not_called_whole(tmp_path):
    data = shutil.copytree(case("08-check-blind") / "data", tmp_path / "data")
    data.chmod(0o755)
    for folder in data.rglob("*"):
        folder.chmod(0o755)
    assert len(damage.find(data, manifest.read(data), workers=2).files) == 1
