"""``classify`` puts its answers on record where there is a data folder, and litters nowhere."""

import pytest

from leukemia.audit import answers, trail
from leukemia.bundles import bundle as bundles
from leukemia.cli import inference
from leukemia.cli.main import ANSWERED, UNUSABLE, main
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


def test_without_a_data_folder_nothing_is_made_and_it_is_said(classify, tmp_path, capsys):
    before = set(tmp_path.iterdir())
    assert classify() == ANSWERED
    assert inference.NO_RECORDS in capsys.readouterr().err
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "out"}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cells.csv"]


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
