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


@pytest.mark.parametrize("secret", ["geheim", "gehe#im", "gehe?im", "gehe@im", "gehe/im", "gehe:im"])
def test_no_password_of_a_setting_is_on_record(tmp_path, monkeypatch, secret):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ada:{secret}@mlflow:5000")
    settings_log.record_changes(tmp_path, COMMAND_LINE, who="ada")
    (entry,) = recorded(tmp_path)
    assert "MLFLOW_TRACKING_URI=http://" in entry.new
    assert "geh" not in entry.new + entry.details and "im@" not in entry.new + entry.details


def test_every_setting_is_recorded(tmp_path, monkeypatch):
    names = {
        line.split()[0] for line in settings.__doc__.splitlines() if line.startswith(("LEUKEMIA_", "MLFLOW_"))
    }
    assert set(settings_log.described(settings.load())) == names
