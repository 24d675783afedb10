"""The commands verify and accept, as a laboratory types them."""

import pytest

from leukemia.cli.main import main
from leukemia.registry import versions
from leukemia.settings import RESEARCH_USE
from leukemia.verification import store
from tests.support.labelled_cells import write_folders


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path / "data"


@pytest.fixture
def cells(tmp_path):
    return write_folders(tmp_path / "cells")


def verify(cells, data, tiny_bundle, least="0.2", *more):
    named = ["--site", "St. Elsewhere", "--by", "Dr. Ada", "--model", str(tiny_bundle), "--data", str(data)]
    limits = ["--min-sensitivity", least, "--min-specificity", "0.2"]
    return main(["verify", str(cells), *limits, *named, *more])


def test_a_met_criterion_is_printed_reported_and_accepted(cells, data, tiny_bundle, tmp_path, capsys):
    report = tmp_path / "report.html"
    assert verify(cells, data, tiny_bundle, "0.2", "--report", str(report)) == 0
    printed = capsys.readouterr().out
    (one,) = store.every(data)
    assert "The criterion is met at the version's own threshold." in printed
    assert f"Verification {one.id}. {RESEARCH_USE}" in printed
    written = report.read_text()
    assert "Verification at St. Elsewhere" in written and written.count('class="chart"') == 7
    assert "http-equiv" in written and RESEARCH_USE in written
    given = ["--by", "Grace", "--reason", "Agrees", "--model", str(tiny_bundle), "--data", str(data)]
    assert main(["accept", one.id, *given]) == 0
    assert "Accepted for St. Elsewhere as version 1." in capsys.readouterr().out
    assert versions.registered(data)[0].facts[versions.SITE] == "St. Elsewhere"
    assert main(["accept", one.id, *given]) == 2


def test_a_report_replaces_reports_only_and_can_be_printed(cells, data, tiny_bundle, tmp_path, capfd):
    report, archive = tmp_path / "report.html", tmp_path / "notes.html"
    archive.write_text("<!doctype html>\n<p>Notes of the ward")
    assert verify(cells, data, tiny_bundle, "0.2", "--report", str(archive)) == 2
    assert "notes.html exists and is not a report written by this program" in capfd.readouterr().err
    assert archive.read_text().endswith("Notes of the ward") and store.every(data) == []
    for _ in range(2):
        assert verify(cells, data, tiny_bundle, "0.2", "--report", str(report)) == 0
    capfd.readouterr()
    assert verify(cells, data, tiny_bundle, "0.2", "--report", "-") == 0
    printed = capfd.readouterr()
    assert printed.out.startswith("<!doctype html>") and printed.out.endswith("</html>\n")
    assert "The criterion is met" in printed.err


def test_one_that_is_not_met_ends_with_1_and_cannot_be_accepted(cells, data, tiny_bundle, capsys):
    assert verify(cells, data, tiny_bundle, "0.99") == 1
    assert "more patients like these would not change that" in capsys.readouterr().out
    (one,) = store.every(data)
    given = ["--by", "Grace", "--reason", "Agrees", "--model", str(tiny_bundle), "--data", str(data)]
    assert main(["accept", one.id, *given, "--own-threshold"]) == 2
    assert "criterion is not met" in capsys.readouterr().err


def test_without_a_criterion_nothing_is_read(cells, data, tiny_bundle, capsys):
    with pytest.raises(SystemExit) as refused:
        main(["verify", str(cells), "--site", "Lab", "--by", "Ada", "--min-sensitivity", "0.9"])
    assert refused.value.code == 2
    assert "--min-specificity" in capsys.readouterr().err
    assert verify(cells, data, tiny_bundle, "90") == 2
    assert "must be above 0 and below 1, not 90" in capsys.readouterr().err
    assert store.every(data) == []


def test_cells_that_cannot_be_used_leave_no_verification(data, tiny_bundle, tmp_path, capsys):
    few = write_folders(tmp_path / "few", patients=2, cells=1)
    assert verify(few, data, tiny_bundle) == 2
    assert "Too few patients" in capsys.readouterr().err
    assert verify(tmp_path / "absent", data, tiny_bundle) == 2
    assert store.every(data) == []
