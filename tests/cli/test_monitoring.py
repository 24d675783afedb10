"""``monitor``: what it prints, the exit status, the table."""

import csv
import io

import pytest

from leukemia.audit import trail
from leukemia.cli.main import UNUSABLE, main
from leukemia.settings import RESEARCH_USE
from tests.support.monitoring_factory import add_cases, darker_and_larger, record


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def bundle(tmp_path, data, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tmp_path / "bundle"))
    return record(tmp_path / "bundle", data)


def monitor(data, *arguments):
    return main(["monitor", "--data", str(data), *arguments])


def test_cases_like_the_record_end_with_0(data, bundle, capsys):
    add_cases(data, bundle, 20)
    assert monitor(data) == 0
    printed = capsys.readouterr().out
    assert "Version 3" in printed and ", 20 cases" in printed
    assert "OK. Recent cases are like the patients" in printed
    assert "Brightness of the mean colour" in printed
    assert printed.rstrip().endswith(RESEARCH_USE)
    assert trail.entries(data, events=[trail.ALERT]) == []


def test_one_case_is_one_case(data, bundle, capsys):
    add_cases(data, bundle, 1)
    assert monitor(data) == 0
    assert ", 1 case\n" in capsys.readouterr().out


def test_an_alert_ends_with_1_and_is_on_record_once(data, bundle, capsys):
    add_cases(data, bundle, 30, change=darker_and_larger)
    assert monitor(data) == monitor(data) == 1
    assert "Stop and check." in capsys.readouterr().out
    assert len(trail.entries(data, events=[trail.ALERT])) == 2  # brightness and area, each once


def test_the_table_is_a_csv_that_replaces_only_its_own(data, bundle, tmp_path, capsys):
    add_cases(data, bundle, 20)
    target = tmp_path / "out.csv"
    assert monitor(data, "--output", str(target), "--window", "5") == 0
    rows = {row["measure"]: row for row in csv.DictReader(target.open(encoding="utf-8"))}
    assert rows["hue"]["cases"] == "5"
    assert rows["hue"]["state"] == "OK"
    assert (
        float(rows["hue"]["stop_low"]) < float(rows["hue"]["weighted_mean"]) < float(rows["hue"]["stop_high"])
    )
    assert rows["missed"]["state"] == "Too few cases"
    assert all(row["notice"] == RESEARCH_USE for row in rows.values())
    assert monitor(data, "--output", str(target)) == 0
    target.write_text("mine")
    assert monitor(data, "--output", str(target)) == UNUSABLE
    assert target.read_text() == "mine"
    capsys.readouterr()
    assert monitor(data, "--output", "-") == 0
    out = capsys.readouterr().out
    assert len(list(csv.DictReader(io.StringIO(out)))) == len(rows)


def test_a_version_is_chosen_and_one_that_never_answered_says_so(data, bundle, capsys):
    add_cases(data, bundle, 20, change=darker_and_larger)
    add_cases(data, bundle, 12, seed=2, version=4)
    assert monitor(data) == 0
    assert monitor(data, "--version", "3") == 1
    capsys.readouterr()
    assert monitor(data, "--version", "9") == 0
    assert "No case has an answer of version 9 yet." in capsys.readouterr().out


def test_without_cases_it_says_so_and_makes_no_file(tmp_path, capsys):
    assert monitor(tmp_path / "data") == 0
    assert "No case has an answer yet." in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
