"""``classify`` puts its answers on record, also where there was no data folder, and litters nowhere."""

import pytest

from leukemia.audit import answers, trail
from leukemia.bundles import bundle as bundles
from leukemia.cli.main import ANSWERED, UNUSABLE, main
from leukemia.dataset import manifest
from leukemia.dataset.synthetic import sample_writer
from leukemia.errors import RecordsUnavailableError
from leukemia.inference import on_record
from leukemia.storage.workspace import Workspace


@pytest.fixture
def classify(tiny_bundle, drawn_files, tmp_path, monkeypatch):
    """Classify sixty drawn cells; the data folder is not made."""
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "data"))

    def run():
        out = tmp_path / "out" / "cells.csv"
        out.parent.mkdir(exist_ok=True)
        return main(["classify", str(drawn_files), "--output", str(out), "--model", str(tiny_bundle)])

    return run


def test_answers_are_on_record_in_a_data_folder(classify, tmp_path, tiny_bundle, monkeypatch, capsys):
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setattr(on_record, "PER_ENTRY", 25)
    assert classify() == ANSWERED
    assert "on record" not in capsys.readouterr().err
    entries = trail.entries(data, events=[trail.ANSWERS])
    given = [answers.of_entry(data, one.number) for one in entries]
    assert [len(some) for some in given] == [10, 25, 25]
    table = (tmp_path / "out" / "cells.csv").read_text()
    assert all(f"{one.decision}" in table and one.image_id in table for some in given for one in some)
    record = bundles.checksum(tiny_bundle / bundles.RECORD)
    assert {(one.record_sha256, one.reason) for one in entries} == {(record, "command classify")}
    assert all(one.who for one in entries)
    assert main(["audit", "verify", "--data", str(data)]) == ANSWERED
    assert main(["audit", "list", "--data", str(data), "--last", "1"]) == ANSWERED
    printed = capsys.readouterr().out
    assert "answers; tiny-test" in printed and "command classify" in printed and "limits 0.500" in printed
    assert main(["audit", "answers", str(entries[0].number), "--data", str(data)]) == ANSWERED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "image_id,probability,decision,error" and len(lines) == 11
    assert main(["audit", "answers", "99", "--data", str(data)]) == UNUSABLE


def test_without_a_data_folder_one_is_made_and_the_answers_are_on_record(classify, tmp_path, capsys):
    data, before = tmp_path / "data", set(tmp_path.iterdir())
    assert classify() == ANSWERED
    assert "on record" not in capsys.readouterr().err
    assert set(tmp_path.iterdir()) - before == {tmp_path / "out", data}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cells.csv"]
    assert {path.name.lstrip(".").split(".")[0] for path in data.iterdir()} == {"records"}
    (entry,) = trail.entries(data, events=[trail.ANSWERS])
    assert len(answers.of_entry(data, entry.number)) == 60
    # The settings of a first start, too.
    assert len(trail.entries(data, events=[trail.SETTINGS_CHANGED])) == 1
    assert main(["audit", "verify", "--data", str(data)]) == ANSWERED


@pytest.fixture(scope="module")
def download(tmp_path_factory):
    """A drawn set as it is downloaded."""
    top = tmp_path_factory.mktemp("download") / "set"
    sample_writer.write_sample(top, patients=12, cells=4, seed=2)
    return top


def test_a_data_folder_of_records_only_takes_an_import(classify, tmp_path, download):
    assert classify() == ANSWERED
    data = tmp_path / "data"
    assert main(["prepare", str(download), "--output", str(data)]) == ANSWERED
    assert len(trail.entries(data, events=[trail.ANSWERS])) == 1
    assert len(manifest.read(data)) >= 40


def test_a_data_folder_that_cannot_be_made_stops_no_answer_and_is_said(classify, tmp_path, capsys):
    (tmp_path / "data").write_text("a file is in the way")
    assert classify() == ANSWERED
    assert capsys.readouterr().err.count(on_record.NOT_RECORDED) == 1
    assert len((tmp_path / "out" / "cells.csv").read_text().splitlines()) == 61


def test_records_that_cannot_be_written_stop_no_answer(classify, tmp_path, monkeypatch, capsys):
    (tmp_path / "data").mkdir()
    Workspace(tmp_path / "data").records.write_bytes(b"no database at all" * 100)
    assert classify() == ANSWERED
    said = capsys.readouterr().err
    assert said.count(on_record.NOT_RECORDED) == 1
    assert "their file is damaged" in said
    assert len((tmp_path / "out" / "cells.csv").read_text().splitlines()) == 61

    def fails(*_):
        raise RecordsUnavailableError("gone")

    monkeypatch.setattr(answers, "record", fails)
    assert classify() == ANSWERED
