"""A threshold saved as a model version: whole, or nothing of it."""

import errno
import socket

import pytest
from mlflow.exceptions import MlflowException

from leukemia.audit import trail
from leukemia.bundles import bundle as bundles
from leukemia.bundles import writer
from leukemia.cli.main import main
from leukemia.errors import BundleError, LeukemiaError, RecordsError, RegistryError
from leukemia.operating_point import OperatingPoint
from leukemia.registry import import_bundle, promotion, rethreshold, versions
from leukemia.registry.serving import Watch
from leukemia.storage.workspace import Workspace
from leukemia.tracking import run_history, run_writer
from leukemia.tracking.records import RunKind, RunStatus
from tests.support.runs_factory import data_folder, finish_run

GIVEN = {"who": "Dr. Ada", "reason": "Fewer misses", "chosen": "by hand", "target": 0.97}
SAID = {"changed_by": "Dr. Ada", "reason": "Fewer misses", "chosen": "by hand", "threshold_before": "0.5"}


@pytest.fixture
def data(tmp_path, monkeypatch, tiny_bundle):
    """A registry whose version 1 is the tiny bundle."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "data"))
    folder = data_folder(tmp_path / "data")
    finish_run(folder, tiny_bundle)
    return folder


def first(data):
    (listed,) = [one for one in versions.registered(data) if one.number == 1]
    return versions.fetch(data, listed)


def left(data):
    place = Workspace(data).unregistered
    return list(place.iterdir()) if place.is_dir() else []


def files(data):
    return [path for path in Workspace(data).mlruns.rglob("*") if path.is_file()]


def test_who_why_and_from_which_version_are_on_record_and_it_answers_when_promoted(data):
    source = first(data)
    assert rethreshold.save(data, source, OperatingPoint.of(0.3), **GIVEN) == 2
    made_from = {"made_from": "version 1", "made_from_run": source.run_id}
    newest, _ = versions.registered(data)
    assert SAID | made_from == {name: newest.facts[name] for name in SAID | made_from}
    assert newest.facts["threshold"] == "0.3"
    run, earlier = run_history.runs(data)
    assert (run.kind, run.by, run.status, run.version) == (
        RunKind.THRESHOLD,
        "Dr. Ada",
        RunStatus.FINISHED,
        2,
    )
    assert (run.recipe, run.name) == ("tiny-test", "tiny-test (threshold 0.3000)")
    assert SAID | made_from == {name: run.tags[name] for name in SAID | made_from}
    assert earlier.run_id == source.run_id
    assert run.estimates["sensitivity"]["value"] == pytest.approx(newest.recall)
    assert left(data) == []
    promotion.promote(data, 2, "Ada", "finds more ALL cells")
    answering = Watch().now()
    assert (answering.version, answering.bundle.threshold) == (2, 0.3)


def test_a_threshold_is_changed_again_and_names_what_it_was_made_from(data):
    rethreshold.save(data, first(data), OperatingPoint.of(0.3), **GIVEN)
    second = versions.fetch(data, versions.registered(data)[0])
    assert second.note == "threshold 0.3000, from version 1"
    assert rethreshold.save(data, second, OperatingPoint.of(0.2), **GIVEN) == 3
    bundle = versions.bundle(data, 3)
    assert [change.source for change in bundle.record.changes] == ["version 1", "version 2"]


def test_a_bundle_that_lies_here_is_saved_in_a_data_folder_that_is_not_there_yet(
    tiny_bundle, tmp_path, monkeypatch
):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert (
        rethreshold.save(tmp_path / "new", versions.read(tiny_bundle), OperatingPoint.of(0.3), **GIVEN) == 1
    )
    (version,) = versions.registered(tmp_path / "new")
    assert version.facts["made_from"] == tiny_bundle.name and "made_from_run" not in version.facts


def test_what_cannot_be_saved_is_said_before_the_registry_is_asked(data, monkeypatch):
    source = first(data)
    monkeypatch.setattr(versions, "registry_state", None)
    with pytest.raises(BundleError, match="and a reason"):
        rethreshold.save(data, source, OperatingPoint.of(0.3), **GIVEN | {"reason": " "})


def test_a_server_that_is_not_there_is_a_sentence_and_nothing_is_saved(tiny_bundle, tmp_path, monkeypatch):
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://localhost:{port}")
    with pytest.raises(RegistryError, match="cannot be read: it does not answer"):
        rethreshold.save(tmp_path / "data", versions.read(tiny_bundle), OperatingPoint.of(0.3), **GIVEN)
    assert left(tmp_path / "data") == []


@pytest.mark.parametrize("step", ["log_artifacts", "create_model_version", "log_batch"])
def test_what_the_registry_refuses_half_way_leaves_no_run_no_version_and_no_file(step, data, monkeypatch):
    source, before = first(data), files(data)
    made = run_writer.start

    def start(*args, **options):
        run = made(*args, **options)

        def refuse(*_, **__):
            raise MlflowException("the disk is full")

        monkeypatch.setattr(run._client, step, refuse)
        return run

    monkeypatch.setattr(run_writer, "start", start)
    with pytest.raises(RegistryError, match=r"could not be registered: the disk is full\.$"):
        rethreshold.save(data, source, OperatingPoint.of(0.3), **GIVEN)
    assert len(run_history.runs(data)) == len(versions.registered(data)) == 1
    assert left(data) == [] and files(data) == before


def test_on_a_full_disk_nothing_is_saved(data, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    source = first(data)
    monkeypatch.setattr(writer.shutil, "copyfile", full)
    with pytest.raises(LeukemiaError, match="No space left on device"):
        rethreshold.save(data, source, OperatingPoint.of(0.3), **GIVEN)
    assert left(data) == [] and len(run_history.runs(data)) == 1


def test_the_command_registers_a_changed_bundle_with_who_and_why(data, tiny_bundle, tmp_path, capsys):
    rethreshold.write_bundle(
        bundles.read(tiny_bundle), tmp_path, OperatingPoint.of(0.3), **GIVEN, source="../x y"
    )
    (folder,) = [path for path in tmp_path.iterdir() if path.name.endswith("at-0.300")]
    assert main(["register", str(folder), "--data", str(data)]) == 0
    assert "is version 2" in capsys.readouterr().out
    run = run_history.runs(data)[0]
    assert (run.kind, run.tags["changed_by"], run.tags["made_from"]) == (
        RunKind.THRESHOLD,
        "Dr. Ada",
        "../x y",
    )
    # A bundle may say of itself what is no name of a folder.
    again = rethreshold.write_bundle(bundles.read(folder), tmp_path / "data", OperatingPoint.of(0.2), **GIVEN)
    assert again.folder == tmp_path / "data" / "x-y-at-0.200"


def test_a_bundle_from_elsewhere_is_distinguished_from_a_changed_one(data, tiny_bundle):
    assert main(["register", str(tiny_bundle), "--data", str(data)]) == 0
    assert run_history.runs(data)[0].kind == RunKind.IMPORTED


def test_a_new_threshold_and_an_imported_model_are_in_the_trail(data, tiny_bundle):
    rethreshold.save(data, first(data), OperatingPoint.of(0.3), **GIVEN)
    (changed,) = trail.entries(data, events=[trail.THRESHOLD_CHANGED])
    assert (changed.who, changed.reason, changed.version) == ("Dr. Ada", "Fewer misses", "version 2")
    assert (changed.old, changed.threshold, changed.low, changed.high) == ("threshold 0.5000", 0.3, 0.3, 0.3)
    assert changed.record_sha256 == versions.version(data, 2).record_sha256
    number = import_bundle.import_bundle(data, bundles.read(tiny_bundle))
    (imported,) = trail.entries(data, events=[trail.MODEL_IMPORTED])
    assert imported.version == f"version {number}"
    assert imported.record_sha256 == bundles.checksum(tiny_bundle / bundles.RECORD)


def test_a_version_that_cannot_be_put_on_record_says_so(data, tiny_bundle, monkeypatch):
    def fail(*_):
        raise RecordsError("the disk is full")

    monkeypatch.setattr(trail, "record", fail)
    with pytest.raises(
        RegistryError, match=r"It is version 2 now, but that is not on record\. the disk is full"
    ):
        import_bundle.import_bundle(data, bundles.read(tiny_bundle))
