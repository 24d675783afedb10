"""The registry's versions on the Performance page: listed unfetched, fetched when chosen, told where not."""

import sqlite3

import pytest

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.registry import promotion, versions
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client, run_history, run_writer
from tests.support.app import fill, open_page, press, said
from tests.support.bundle_factory import copy_bundle
from tests.support.performance_page import fill_shelf, matrix, pick
from tests.support.runs_factory import data_folder, finish_run


@pytest.fixture
def shelved(tiny_bundle, tmp_path):
    return fill_shelf(tiny_bundle, tmp_path)


@pytest.fixture
def data(shelved, tiny_bundle, tmp_path, monkeypatch):
    """A registry of three versions: the first one is the shipped bundle itself, the others see otherwise."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.setattr(settings, "SHIPPED", shelved)
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "data"))
    folder = data_folder(tmp_path / "data")
    predictions = bundles.read(tiny_bundle).predictions
    for number, factor in enumerate((None, 0.9, 0.8)):
        made = shelved
        if factor:
            moved = predictions.assign(probability=(predictions["probability"] * factor).round(6))
            made = copy_bundle(tiny_bundle, tmp_path / "made" / f"bundle-{number}", predictions=moved)
        finish_run(folder, made, f"run {number}")
    return folder


@pytest.fixture
def visit(data):
    def start(section="threshold", **query):
        return open_page("performance", section=section, **query)

    return start


def fetched(data):
    return sorted(path.name.rsplit("-", 1)[0] for path in Workspace(data).serving.glob("version-*"))


def test_registered_versions_are_listed_and_none_is_fetched_before_it_is_chosen(visit, data):
    promotion.challenge(data, 3)
    page = visit()
    assert page.selectbox[0].options == [
        "version 1 (tiny-test, in service)",
        "version 3 (tiny-test, challenger)",
        "version 2 (tiny-test)",
        f"other (tiny-test {bundles.read(settings.SHIPPED).digest[:8]})",
    ]
    assert fetched(data) == []
    before = matrix(page)
    page.selectbox[0].select_index(1).run()
    assert not page.exception
    assert fetched(data) == ["version-3"]
    assert matrix(page)["fn"] >= before["fn"]
    assert page.query_params["version"] in ("3", ["3"])


def test_the_champion_is_marked_and_comes_first(visit, data):
    promotion.promote(data, 2, "Ada", "better")
    page = visit()
    assert page.selectbox[0].options[:2] == ["version 2 (tiny-test, champion)", "version 3 (tiny-test)"]
    assert sum("version 2" in name for name in page.selectbox[0].options) == 1


@pytest.mark.parametrize("word", ["2", "other"])
def test_an_address_names_a_version_by_its_number_or_its_folder(word, visit):
    page = visit(version=word)
    (chosen,) = [one for one in page.selectbox[0].options if word in one.split(" (")[0]]
    assert page.selectbox[0].value == dict(zip(page.selectbox[0].options, folders(page), strict=True))[chosen]


def folders(page):
    from pages.sections.performance import resources

    return [str(one.folder) for one in resources.versions()[0]]


def test_registered_versions_are_compared(visit, data):
    page = visit("compare", version="2")
    (third,) = [one for one in folders(page) if "version-3" in one]
    page.multiselect[0].select(third).run()
    assert not page.exception
    assert fetched(data) == ["version-2", "version-3"]
    assert "version 3 against version 2" in said(page).replace("**", "")
    assert "points, 95%" in said(page)


def test_a_version_whose_bundle_was_altered_is_a_sentence_and_the_others_are_shown(visit, data):
    for place in Workspace(data).mlruns.glob("*/artifacts/bundle"):
        (place / bundles.WEIGHTS).write_bytes(b"altered")
    page = visit(version="3")
    assert "version 3" in page.error[0].value.replace("\\", "")
    assert "is damaged" in page.error[0].value
    assert len(page.selectbox[0].options) == 4
    page.selectbox[0].select_index(0).run()
    assert matrix(page)
    page = visit("compare")
    (third,) = [one for one in folders(page) if "version-3" in one]
    page.multiselect[0].select(third).run()
    assert not page.exception
    assert any("is damaged" in error.value for error in page.error)


def test_a_version_altered_on_this_machine_is_fetched_anew(visit, data):
    visit(version="3")
    (place,) = Workspace(data).serving.glob("version-3-*")
    (place / bundles.WEIGHTS).write_bytes(b"altered")
    page = visit(version="3")
    assert matrix(page)
    assert bundles.read(place).folder == place


@pytest.mark.slow
def test_a_registry_that_is_locked_is_a_sentence_and_what_lies_here_is_shown(visit, data):
    with sqlite3.connect(Workspace(data).mlflow_db) as other:
        other.execute("BEGIN EXCLUSIVE")
        page = visit()
        other.rollback()
    other.close()
    assert any(
        "locked by another process" in one.value and "missing from this list" in one.value
        for one in page.warning
    )
    assert matrix(page)
    assert [name.split(" (")[0] for name in page.selectbox[0].options] == ["The built-in model", "other"]


def test_a_version_that_another_program_registered_is_a_sentence(visit, data):
    client = mlflow_client.client(data)
    run = run_writer.start(data, "elsewhere", {}, {})
    client.create_model_version("leukemia", f"runs:/{run.run_id}/model", run.run_id)
    page = visit(version="4")
    assert "was not registered by this program" in page.error[0].value


def save(page, threshold=0.3):
    """Pick a threshold by hand, and save it with a name and a reason."""
    pick(page, "By hand")
    page.select_slider[0].set_range(threshold, threshold).run()
    fill(page, "Your name", "Dr. Ada <b>")
    fill(page, "Reason", "Misses cost more")
    press(page, f"Save {threshold:.4f} as a new version")
    assert not page.exception
    return page


@pytest.mark.slow
def test_a_threshold_is_saved_as_a_version_promoted_and_then_answers(visit, data):
    page = save(visit(version="2"))
    assert "Saved as version 4" in said(page)
    assert page.query_params["version"] in ("4", ["4"])
    assert "version 4 (tiny-test, threshold 0.3000, from version 2)" in page.selectbox[0].options
    assert "version 4" in page.selectbox[0].value.replace("version-4", "version 4")
    assert "Misses cost more" in said(page) and "Dr. Ada <b>" in said(page)
    new, source = versions.bundle(data, 4), versions.bundle(data, 2)
    assert (new.threshold, source.threshold, new.digest) == (0.3, 0.5, source.digest)
    (change,) = new.record.changes
    assert (change.who, change.reason, change.source) == (
        "Dr. Ada <b>",
        "Misses cost more",
        "version 2",
    )
    # Nothing but the registry's copy is left.
    assert not list(Workspace(data).unregistered.iterdir())

    page.switch_page("pages/training.py")
    page.query_params.clear()
    page.query_params["section"] = "runs"
    (run,) = [one for one in run_history.runs(data) if one.version == 4]
    page.query_params["run"] = run.run_id
    page.run()
    assert not page.exception
    (table,) = [one.value for one in page.dataframe if "Kind" in one.value]
    assert list(table.iloc[0][["Version", "Kind", "Who", "Status"]]) == [
        "4",
        "New threshold",
        "Dr. Ada <b>",
        "finished",
    ]
    assert "New threshold for version 2" in said(page) and "Misses cost more" in said(page)
    fill(page, "Your name", "Ada")
    fill(page, "Reason", "finds more")
    for box in page.checkbox:
        box.check()
    press(page, "Promote version 4")
    assert not page.exception
    assert versions.registry_state(data).champion == 4
    page.switch_page("pages/classify.py").run()
    assert not page.exception
    assert "ALL-like at 0.300 or above. These are the model's own limits." in said(page)


@pytest.mark.slow
def test_with_a_registry_that_is_locked_no_threshold_is_saved_and_what_was_typed_stays(visit, data):
    page = visit(version="other")
    with sqlite3.connect(Workspace(data).mlflow_db) as other:
        other.execute("BEGIN EXCLUSIVE")
        save(page)
        other.rollback()
    other.close()
    assert "Not saved" in said(page) and "locked by another process" in said(page)
    assert [one.value for one in page.text_input if one.label == "Reason"] == ["Misses cost more"]
    assert len(versions.registered(data)) == len(run_history.runs(data)) == 3
    assert not Workspace(data).unregistered.exists()
    press(page, "Save 0.3000 as a new version")
    assert "Saved as version 4" in said(page)
