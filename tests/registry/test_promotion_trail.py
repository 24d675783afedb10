"""Each change of the model in service is an entry of the trail; those of earlier programs, too."""

import pytest

from leukemia import settings
from leukemia.audit import trail, verify
from leukemia.cli.main import main
from leukemia.errors import RecordsError, RegistryError
from leukemia.registry import promotion, promotion_log, promotion_trail, versions
from leukemia.storage import database
from leukemia.tracking import registry_writer
from tests.support.bundle_factory import write_bundle
from tests.support.old_data import unpack
from tests.support.runs_factory import make_versions

EVENTS = (trail.PROMOTED, trail.ROLLED_BACK)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.setattr(settings, "SHIPPED", write_bundle(tmp_path / "shipped", 0.8, "shipped"))
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def told(data):
    return [
        (one.event, one.who, one.old, one.new, one.reason) for one in trail.entries(data, events=EVENTS)[::-1]
    ]


def test_a_promotion_and_a_rollback_are_on_record(data, tmp_path):
    (number,) = make_versions(data, tmp_path, [0.9])
    event = promotion.promote(data, number, "Ada", "better").event
    promotion.roll_back(data, "Ben", "worse")
    assert told(data) == [
        (trail.PROMOTED, "Ada", settings.BUILT_IN, f"version {number}", "better"),
        (trail.ROLLED_BACK, "Ben", f"version {number}", settings.BUILT_IN, "worse"),
    ]
    promoted = trail.entries(data, events=EVENTS)[-1]
    assert promoted.record_sha256 == event.record_sha256 != ""
    assert not promoted.imported_from
    promotion_trail.bring_over(data, versions.registry_state(data).tags)
    assert len(told(data)) == 2


def test_a_history_that_is_on_record_is_brought_over_without_writing(data, tmp_path, monkeypatch):
    (number,) = make_versions(data, tmp_path, [0.9])
    promotion.promote(data, number, "Ada", "better")
    tags = versions.registry_state(data).tags

    def fail(*_):
        raise RecordsError("Nothing was saved.")

    monkeypatch.setattr(database, "writing", fail)
    promotion_trail.bring_over(data, tags)
    further = {"history.n000000002.abcdef01": tags[next(key for key in tags if key.startswith("history."))]}
    with pytest.raises(RecordsError):
        promotion_trail.bring_over(data, tags | further)
    monkeypatch.setattr(database, "is_read_only", lambda _: True)
    promotion_trail.bring_over(data, tags | further)


def test_without_the_record_nothing_is_put_in_service(data, tmp_path, monkeypatch):
    (number,) = make_versions(data, tmp_path, [0.9])

    def fail(*_):
        raise RecordsError("Nothing was saved. The records cannot be written: the disk is full.")

    monkeypatch.setattr(trail, "append", fail)
    with pytest.raises(RegistryError, match=r"in service is unchanged\. Nothing was saved"):
        promotion.promote(data, number, "Ada", "better")
    assert versions.registry_state(data).champion is None and versions.events(data) == []


def test_what_the_registry_did_not_take_is_not_on_record(data, tmp_path, monkeypatch):
    (number,) = make_versions(data, tmp_path, [0.9])

    def fail(*_):
        raise OSError("no")

    monkeypatch.setattr(registry_writer, "set_alias", fail)
    with pytest.raises(RegistryError, match="is unchanged"):
        promotion.promote(data, number, "Ada", "better")
    assert told(data) == []


def test_the_history_of_an_earlier_program_is_brought_over_once_in_order(data, tmp_path, capsys, monkeypatch):
    old = unpack(tmp_path / "old")
    monkeypatch.setenv("LEUKEMIA_DATA", str(old))
    history = versions.events(old)
    assert main(["audit", "list", "--data", str(old)]) == 0
    assert "brought over from mlflow, made " in capsys.readouterr().out
    assert [(who, reason) for _, who, _, _, reason in told(old)] == [(one.by, one.reason) for one in history]
    assert [one.imported_at for one in trail.entries(old, events=EVENTS)[::-1]] == [one.at for one in history]
    promotion.promote(old, 4, "Ada", "the best of the sweep")
    assert main(["audit", "list", "--data", str(old)]) == 0
    assert [one.imported_from for one in trail.entries(old, events=EVENTS)[::-1]] == ["mlflow"] * 2 + [""]
    corrected = trail.entries(old, events=[trail.CORRECTED])
    assert len(corrected) == 2 and all(one.imported_from == "corrections.db" for one in corrected)
    assert versions.events(old)[:2] == history and verify.verify(old).is_whole
    assert promotion_log.events({}) == [] and not database.is_absent(old)
