"""Settings that differ from those of the last start are on record, without a secret."""

import platform

import pytest

from leukemia import settings
from leukemia.audit import settings_log, trail, verify
from leukemia.audit.settings_log import COMMAND_LINE, DASHBOARD


def recorded(data):
    return trail.entries(data, events=[trail.SETTINGS_CHANGED])


def test_only_what_changed_since_the_last_start_is_recorded_with_old_and_new_values(records, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_WORKERS", "2")
    first = settings_log.record_changes(records, DASHBOARD, who="ada")
    assert (first.event, first.who, first.old) == (trail.SETTINGS_CHANGED, "ada", "")
    assert "LEUKEMIA_WORKERS=2" in first.new and "LEUKEMIA_MODEL=not set" in first.new
    assert settings_log.record_changes(records, DASHBOARD, who="ben") is None
    monkeypatch.setenv("LEUKEMIA_WORKERS", "3")
    second = settings_log.record_changes(records, DASHBOARD, who="ben")
    assert (second.who, second.old, second.new) == ("ben", "LEUKEMIA_WORKERS=2", "LEUKEMIA_WORKERS=3")
    assert len(recorded(records)) == 2
    assert verify.verify(records).is_whole


def test_each_program_and_machine_has_settings_of_its_own(tmp_path, monkeypatch):
    for program, machine in ((DASHBOARD, "a"), (COMMAND_LINE, "a"), (DASHBOARD, "b")):
        monkeypatch.setattr(platform, "node", lambda machine=machine: machine)
        assert settings_log.record_changes(tmp_path, program, who="")
        assert settings_log.record_changes(tmp_path, program, who="") is None
    assert [one.who for one in recorded(tmp_path)] == [
        f"the {name}" for name in (DASHBOARD, COMMAND_LINE, DASHBOARD)
    ]


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("", ""),
        (
            "postgresql://ada:open@sesame/x@db.example:5432/records",
            "postgresql://ada@db.example:5432/records",
        ),
        ("postgresql://ada@db/records?password=opensesame", "postgresql://ada@db/records"),
        ("https://opensesame@mlflow.example/x", "https://mlflow.example/x"),
        ("https://ada:opensesame@mlflow.example", "https://mlflow.example"),
        ("sqlite:////srv/records.db", "sqlite:////srv/records.db"),
        ("runs", "runs"),
    ],
)
def test_no_secret_is_kept_of_an_address(address, kept):
    assert settings_log.without_secrets(address) == kept


def test_every_setting_is_recorded(tmp_path, monkeypatch):
    names = {
        line.split()[0] for line in settings.__doc__.splitlines() if line.startswith(("LEUKEMIA_", "MLFLOW_"))
    }
    assert set(settings_log.described(settings.load())) == names
