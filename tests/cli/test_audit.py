"""``audit verify`` and ``audit list``: what they print, and the exit status."""

import sqlite3

import pytest

from leukemia.access import keys
from leukemia.access.users import Role
from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.cases import keeping, signing, verdicts
from leukemia.cli import audit as audit_cli
from leukemia.cli.main import UNUSABLE, main
from leukemia.storage import database
from leukemia.storage.workspace import Workspace
from tests.support import read_only
from tests.support.case_factory import make_case


@pytest.fixture
def data(tmp_path):
    make_case(tmp_path, "P-1")
    make_case(tmp_path, "P-2", first=10)
    verdicts.give(tmp_path, 1, [2], "ALL-like", reader="Dr. Ada\x1b[31m\u200d")
    return tmp_path


def audit(data, *arguments):
    return main(["audit", *arguments, "--data", str(data)])


def test_a_whole_trail_prints_what_to_note_and_is_known_by_it_later(data, capsys):
    assert audit(data, "verify") == 0
    printed = capsys.readouterr().out
    assert "13 entries, each as it was written." in printed
    noted = printed.split()[-1]
    trail.record(data, Entry("x", "Ada"))
    assert audit(data, "verify", "--known", noted) == 0
    assert audit(data, "verify", "--known", "13:" + "0" * 64) == 1
    assert audit(data, "verify", "--known", "nonsense") == UNUSABLE


def test_an_altered_entry_is_named_and_shows_in_the_status(data, capsys):
    with sqlite3.connect(Workspace(data).records) as file:
        file.execute("DROP TRIGGER trail_no_update")
        file.execute("UPDATE trail SET new = 'Normal-like' WHERE number = 3")
    assert audit(data, "verify") == 1
    assert "Broken at entry 3. Entry 3 was altered." in capsys.readouterr().out


def test_entries_are_listed_the_newest_first_or_those_of_a_case(data, capsys):
    assert audit(data, "list", "--last", "1") == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert "Dr. Ada[31m\u200d: verdict; case 1; cell 2; version 3; ALL-like; P(ALL) 0.500" in printed
    assert audit(data, "list", "--case", "P-2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6 and all("case 2" in line for line in lines)
    assert audit(data, "list", "--case", "P-3") == UNUSABLE
    assert "no case with this identifier" in capsys.readouterr().err


def test_the_list_keeps_back_what_an_open_case_keeps_back(data, capsys):
    hidden = make_case(data, "P-3", (0.91, 0.92), first=30, hide_model=True)
    blind = make_case(data, "P-4", (0.93,), first=40, blind=True)
    verdicts.give(data, hidden.id, [1, 2], "Normal-like", reader="Ben")
    verdicts.give(data, blind.id, [1], verdicts.REJECTED, reader="Ben", reason="Blurred")
    assert audit(data, "list", "--case", "P-3") == 0
    printed = capsys.readouterr().out
    assert "0.91" not in printed and "ALL-like" not in printed and "Normal-like" in printed
    assert audit(data, "list", "--case", "P-4") == 0
    printed = capsys.readouterr().out
    assert "P(ALL) 0.930" in printed and "Rejected" not in printed and "Blurred" not in printed
    assert keeping.KEPT_BACK in printed
    assert audit(data, "list", "--case", "P-4", "--all") == 0
    assert "Rejected" in capsys.readouterr().out
    signing.sign(data, hidden.id, who="Ben", meaning="x")
    assert audit(data, "list", "--case", "P-3") == 0
    assert "P(ALL) 0.910" in capsys.readouterr().out


def test_the_record_is_listed_and_checked_where_nothing_can_be_written(capsys, monkeypatch):
    monkeypatch.delenv("LEUKEMIA_DATABASE_URL", raising=False)
    with read_only.folder() as data:
        trail.record(data, Entry("x", "Ada"), Entry("y", "Ada"))
        keys.add(data, "lab", [Role.VIEWER], who="Ada")
        commands = [["audit", "verify"], ["audit", "list"], ["keys", "list"], ["monitor"]]
        assert [main([*command, "--data", str(data)]) for command in commands] == [0] * 4
        capsys.readouterr()
        monkeypatch.setenv("LEUKEMIA_WORKERS", "3")
        database._engine(database.address(data)).dispose()
        before = sorted(data.iterdir())
        with read_only.closed(data):
            assert [main([*command, "--data", str(data)]) for command in commands] == [0] * 4
            printed = capsys.readouterr()
            assert main(["keys", "add", "other", "--data", str(data)]) == UNUSABLE
        assert sorted(data.iterdir()) == before
    assert "4 entries, each as it was written." in printed.out and "Ada: y" in printed.out
    assert "lab: viewer" in printed.out and printed.err == ""
    assert "Nothing was saved." in capsys.readouterr().err


def test_the_record_is_listed_where_the_registry_does_not_answer(data, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert audit(data, "list", "--last", "2") == 0
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 2 and "verdict" in printed.out
    assert printed.err.startswith("leukemia: The registry of model versions cannot be read")
    assert (printed.err.count("\n"), audit_cli.NOT_BROUGHT_OVER in printed.err) == (1, True)


def test_where_nothing_is_on_record_it_says_so_and_makes_no_file(tmp_path, capsys):
    assert audit(tmp_path, "list") == 0
    assert "Nothing is on record" in capsys.readouterr().out
    assert audit(tmp_path, "verify") == 0
    assert list(tmp_path.iterdir()) == []
