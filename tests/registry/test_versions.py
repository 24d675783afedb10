import pytest

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.errors import RegistryError
from leukemia.evaluation.estimate import as_record
from leukemia.registry import promotion, promotion_log, publish, versions
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client
from leukemia.tracking.records import MODEL, RunStatus
from tests.support.bundle_factory import write_bundle
from tests.support.runs_factory import data_folder, finish_run, make_versions


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """A registry of its own, in SQLite, and a shipped bundle of known recall."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.setattr(settings, "SHIPPED", write_bundle(tmp_path / "shipped", 0.8, "shipped"))


@pytest.fixture
def data(tmp_path):
    return data_folder(tmp_path / "data")


def numbers(data):
    return [version.number for version in versions.registered(data)]


def test_a_finished_run_is_a_version_with_its_recipe_and_figures(data, tmp_path):
    run = finish_run(data, write_bundle(tmp_path / "one", 0.91, "reference-cnn"))
    (version,) = versions.registered(data)
    assert (version.number, version.run_id) == (1, run.run_id)
    assert (version.recipe, version.recall) == ("reference-cnn", 0.91)
    assert version.estimates == as_record(bundles.read(tmp_path / "one").record.estimates)
    assert version.facts["digest"] == bundles.read(tmp_path / "one").digest
    assert not version.in_service and version.events == ()
    assert versions.bundle(data, 1).record == bundles.read(tmp_path / "one").record


def test_a_run_that_is_finished_twice_is_one_version(data, tmp_path):
    run = finish_run(data, write_bundle(tmp_path / "one"))
    publish.register(run, bundles.read(tmp_path / "one"))
    assert numbers(data) == [1]


def test_a_run_that_broke_is_no_version(data):
    from leukemia.tracking import run_writer

    run_writer.start(data, "broken", {}, {}).end(RunStatus.FAILED)
    assert versions.registered(data) == []


def test_without_a_registry_there_is_no_version_and_none_is_made(tmp_path):
    assert versions.registered(tmp_path) == []
    with pytest.raises(RegistryError, match="none was registered"):
        versions.version(tmp_path, 1)
    assert not (tmp_path / "mlflow.db").exists()


def test_a_promoted_version_is_the_champion_with_who_and_why(data, tmp_path):
    make_versions(data, tmp_path, [0.9, 0.95])
    promotion.promote(data, 2, "Dr. Ada Kowalska", "finds more ALL cells")
    second, first = versions.registered(data)
    assert second.in_service and not first.in_service
    (event,) = second.events
    assert (event.by, event.reason, event.earlier) == ("Dr. Ada Kowalska", "finds more ALL cells", None)
    assert event.at.endswith("+00:00")
    client = mlflow_client.client(data)
    assert client.get_model_version_by_alias(MODEL, "champion").version in (2, "2")
    tags = client.get_model_version(MODEL, "2").tags
    assert promotion_log.events(tags) == [event]
    assert promotion_log.events(client.get_registered_model(MODEL).tags) == [event]


@pytest.mark.parametrize(("who", "reason"), [("", "why"), ("  ", "why"), ("Ada", ""), ("Ada", " \n ")])
def test_no_promotion_and_no_rollback_without_a_name_and_a_reason(who, reason, data, tmp_path):
    make_versions(data, tmp_path, [0.9])
    with pytest.raises(RegistryError, match="your name and a reason"):
        promotion.promote(data, 1, who, reason)
    promotion.promote(data, 1, "Ada", "first")
    with pytest.raises(RegistryError, match="your name and a reason"):
        promotion.roll_back(data, who, reason)
    assert [event.action for event in versions.events(data)] == [promotion_log.PROMOTED]


def test_a_reason_longer_than_the_registry_holds_is_refused_before_anything_is_written(data, tmp_path):
    make_versions(data, tmp_path, [0.9])
    with pytest.raises(RegistryError, match="at most"):
        promotion.promote(data, 1, "Ada", "x" * 2_001)
    promotion.promote(data, 1, "Ä" * 200, "ß" * 2_000)
    assert versions.events(data)[0].reason == "ß" * 2_000


def warnings(data, number):
    return promotion.warnings(data, versions.version(data, number))


def test_a_falling_recall_is_warned_of_against_the_present_champion(data, tmp_path):
    make_versions(data, tmp_path, [0.9, 0.85])
    assert not any("falls" in one for one in warnings(data, 1))
    promotion.promote(data, 1, "Ada", "first")
    warning = warnings(data, 2)[0]
    assert "falls from 0.900 (version 1) to 0.850 (version 2)" in warning
    assert "different cells" not in warning


def test_a_falling_recall_is_warned_of_against_the_shipped_bundle(data, tmp_path):
    finish_run(data, write_bundle(tmp_path / "worse", 0.7, cells=("c", "d")))
    warning = warnings(data, 1)[0]
    assert "falls from 0.800 (the built-in model) to 0.700" in warning
    assert "evaluated on different cells" in warning


def test_a_model_of_drawn_cells_and_a_leaky_one_are_warned_of(data, tmp_path):
    finish_run(data, write_bundle(tmp_path / "drawn", 0.9, synthetic=True))
    finish_run(data, write_bundle(tmp_path / "leaky", 0.95, by="image"))
    assert "synthetic cells only" in warnings(data, 1)[0]
    assert "tested on patients it was also trained on" in warnings(data, 2)[0]


def test_a_version_is_not_promoted_twice_and_an_unknown_one_not_at_all(data, tmp_path):
    make_versions(data, tmp_path, [0.9])
    promotion.promote(data, 1, "Ada", "first")
    with pytest.raises(RegistryError, match="already in service"):
        promotion.promote(data, 1, "Ada", "again")
    with pytest.raises(RegistryError, match="no model version 7"):
        promotion.promote(data, 7, "Ada", "why not")
    assert len(versions.events(data)) == 1


def test_rolling_back_walks_the_champions_back_to_the_shipped_bundle(data, tmp_path):
    make_versions(data, tmp_path, [0.9, 0.92, 0.94])
    for number in (1, 3, 2):
        promotion.promote(data, number, "Ada", f"try {number}")
    events = [promotion.roll_back(data, "Ben", "as before").event for _ in range(3)]
    assert [(event.earlier, event.version) for event in events] == [(2, 3), (3, 1), (1, None)]
    assert not any(version.in_service for version in versions.registered(data))
    with pytest.raises(RegistryError, match="nothing to roll back"):
        promotion.roll_back(data, "Ben", "once more")
    assert [event.by for event in versions.events(data)] == ["Ada"] * 3 + ["Ben"] * 3


def test_after_a_rollback_another_version_can_be_promoted_and_rolled_back_in_turn(data, tmp_path):
    make_versions(data, tmp_path, [0.9, 0.92, 0.94])
    promotion.promote(data, 1, "Ada", "one")
    promotion.promote(data, 2, "Ada", "two")
    promotion.roll_back(data, "Ada", "two was worse")
    promotion.promote(data, 3, "Ada", "three")
    assert promotion.roll_back(data, "Ada", "three was worse").event.version == 1


def test_the_challenger_is_set_taken_back_and_gone_once_it_is_promoted(data, tmp_path):
    make_versions(data, tmp_path, [0.9, 0.92])
    promotion.challenge(data, 2)
    assert versions.version(data, 2).aliases == ("challenger",)
    promotion.challenge(data, None)
    assert versions.version(data, 2).aliases == ()
    promotion.challenge(data, 2)
    promotion.promote(data, 2, "Ada", "looked at, found good")
    assert versions.version(data, 2).aliases == ("champion",)


def test_the_version_in_service_is_not_made_the_challenger(data, tmp_path):
    make_versions(data, tmp_path, [0.9, 0.92])
    promotion.promote(data, 1, "Ada", "first")
    promotion.challenge(data, 2)
    with pytest.raises(RegistryError, match="Version 1 is in service, so it cannot be the challenger"):
        promotion.challenge(data, 1)
    assert [versions.version(data, number).aliases for number in (1, 2)] == [("champion",), ("challenger",)]
    promotion.promote(data, 2, "Ada", "better")
    promotion.challenge(data, 1)
    promotion.roll_back(data, "Ada", "no")
    assert [versions.version(data, number).aliases for number in (1, 2)] == [("champion",), ()]


def test_a_damaged_bundle_is_not_promoted_and_what_answers_stays(data, tmp_path):
    make_versions(data, tmp_path, [0.9, 0.95])
    promotion.promote(data, 1, "Ada", "first")
    damage(data, 2)
    with pytest.raises(RegistryError, match=r"version 2 is damaged: engine\.bin"):
        promotion.promote(data, 2, "Ada", "better")
    assert versions.version(data, 1).in_service
    assert not [path for path in Workspace(data).serving.iterdir() if path.name.startswith(".partial")]


def test_rolling_back_passes_over_a_version_that_is_not_whole_any_more(data, tmp_path):
    import shutil

    make_versions(data, tmp_path, [0.9, 0.92, 0.94])
    for number in (1, 2, 3):
        promotion.promote(data, number, "Ada", "next")
    damage(data, 2)
    for folder in Workspace(data).serving.glob("version-2-*"):
        shutil.rmtree(folder)
    change = promotion.roll_back(data, "Ben", "as before")
    assert change.event.version == 1
    assert "Version 2 was skipped" in change.warnings[0]


def test_what_the_registry_refuses_leaves_no_word_in_the_history(data, tmp_path, monkeypatch):
    import mlflow
    from mlflow.exceptions import MlflowException

    make_versions(data, tmp_path, [0.9])

    def refuse(*_, **__):
        raise MlflowException("the disk is full")

    monkeypatch.setattr(mlflow.MlflowClient, "set_registered_model_alias", refuse)
    with pytest.raises(RegistryError, match="unchanged: the disk is full"):
        promotion.promote(data, 1, "Ada", "first")
    assert versions.events(data) == []
    assert promotion_log.events(mlflow_client.client(data).get_model_version(MODEL, "1").tags) == []


def test_a_registry_that_refuses_a_version_does_not_lose_the_training(data, tmp_path, monkeypatch, caplog):
    import mlflow
    from mlflow.exceptions import MlflowException

    def refuse(*_, **__):
        raise MlflowException("no more versions\nand a long trace")

    monkeypatch.setattr(mlflow.MlflowClient, "create_model_version", refuse)
    run = finish_run(data, write_bundle(tmp_path / "one"))
    assert run.version is None
    assert "no more versions" in caplog.text and "long trace" not in caplog.text
    assert mlflow_client.client(data).get_run(run.run_id).info.status == "FINISHED"


def test_a_full_disk_at_the_end_leaves_the_run_ended_and_unregistered(data, tmp_path, monkeypatch, caplog):
    import mlflow

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mlflow.MlflowClient, "log_artifacts", full)
    run = finish_run(data, write_bundle(tmp_path / "one"))
    assert "the disk is full" in caplog.text
    assert mlflow_client.client(data).get_run(run.run_id).info.status == "FINISHED"
    assert versions.registered(data) == []


def damage(data, number):
    """Alter a file of a version's bundle where MLflow keeps it."""
    run_id = versions.version(data, number).run_id
    (file,) = (data / "mlruns").glob(f"{run_id}/artifacts/bundle/{bundles.WEIGHTS}")
    file.write_bytes(file.read_bytes()[:-1] + b"!")
