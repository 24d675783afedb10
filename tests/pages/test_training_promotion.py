"""The section Runs of the page Training: versions promoted and rolled back; a registry that fails."""

import shutil
import sqlite3

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.registry import promotion, promotion_log, serving, versions
from leukemia.storage.workspace import Workspace
from tests.support import runs_page
from tests.support.app import fill, press, said, widget
from tests.support.runs_page import register, table, told

alone, data, visit = runs_page.alone, runs_page.data, runs_page.visit


def promote(page, number, name="Ada", reason="finds more ALL cells", read=True):
    fill(page, "Your name", name)
    fill(page, "Reason", reason)
    for box in page.checkbox:
        if box.label == "I have read the warnings" and read:
            box.check()
    press(page, f"Promote version {number}")
    assert not page.exception
    return page


ROLLBACK_READ = "I have read the warnings about rolling back"


def roll_back(page, name="Ben", reason="too many false alarms", read=True):
    fill(page, "Rolled back by", name)
    fill(page, "Reason for rolling back", reason)
    page = press(page, "Roll back")
    boxes = [box for box in page.checkbox if box.label == ROLLBACK_READ]
    if not boxes or not read:
        return page
    # The first time, it says what speaks against what was before.
    boxes[0].check()
    return press(page, "Roll back")


def test_a_version_is_promoted_and_rolled_back_with_who_and_why(visit, data, tiny_bundle, tmp_path):
    first = register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    second = register(data, tiny_bundle, tmp_path / "two", "dense-baseline")
    page = promote(visit(first.run_id), 1, "Dr. Ada <b>", "finds *more*")
    assert "Version 1 was put in service in place of the built-in model" in told(page)
    assert "Now in service: version 1 (reference-cnn" in told(page)
    assert serving.find().version == 1
    assert not [button for button in page.button if button.label.startswith("Promote")]
    page = promote(visit(second.run_id), 2)
    assert serving.find().version == 2
    page = visit()
    assert table(page)["Version"].tolist() == ["2, champion", "1"]
    roll_back(page)
    assert "Rolled back from version 2 to version 1. Now in service: version 1" in told(page)
    assert serving.find().version == 1
    events = versions.events(data)
    assert [(event.action, event.by) for event in events][:2] == [
        (promotion_log.PROMOTED, "Dr. Ada <b>"),
        (promotion_log.PROMOTED, "Ada"),
    ]
    assert (events[-1].action, events[-1].reason) == (
        promotion_log.ROLLED_BACK,
        "too many false alarms",
    )
    changes = table(page, "Why")
    assert list(changes["In service"]) == ["version 1", "version 2", "version 1"]
    roll_back(page)
    assert serving.find().version is None
    assert "nothing to roll back" in said(page)


@pytest.mark.parametrize(("name", "reason"), [("", "worse"), ("Ada", ""), (" ", " ")])
def test_nothing_is_rolled_back_without_a_name_and_a_reason(name, reason, visit, data, tiny_bundle, tmp_path):
    register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    promotion.promote(data, 1, "Ada", "first")
    page = roll_back(visit(), name, reason)
    assert "Not rolled back. Please give your name and a reason" in told(page)
    assert serving.find().version == 1
    roll_back(page)
    last = versions.events(data)[-1]
    assert (last.by, last.reason) == ("Ben", "too many false alarms")


def test_a_rollback_to_what_is_worse_is_done_only_by_who_has_read_of_it(visit, data, tiny_bundle, tmp_path):
    for number, (recipe, recall) in enumerate((("reference-cnn", 0.7), ("dense-baseline", 0.97)), 1):
        register(data, tiny_bundle, tmp_path / recipe, recipe, recall=recall)
        promotion.promote(data, number, "Ada", "next")
    page = visit()
    assert "falls from" not in told(page)
    page = roll_back(page, read=False)
    assert "Not rolled back yet. Please read the warnings" in told(page)
    assert "falls from 0.970 (version 2) to 0.700 (version 1)" in told(page)
    assert "does not check whether an image is like the cells" in told(page)
    page = press(page, "Roll back")
    assert serving.find().version == 2
    widget(page.checkbox, ROLLBACK_READ).check()
    page = press(page, "Roll back")
    assert serving.find().version == 1
    assert "Rolled back from version 2 to version 1" in told(page)
    assert not [box for box in page.checkbox if box.label == ROLLBACK_READ]


@pytest.mark.parametrize(("name", "reason"), [("", "better"), ("Ada", ""), (" ", " ")])
def test_nothing_is_promoted_without_a_name_and_a_reason(name, reason, visit, data, tiny_bundle, tmp_path):
    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    page = promote(visit(run.run_id), 1, name, reason)
    assert "give your name and a reason" in told(page)
    assert versions.events(data) == []


def test_a_falling_recall_is_promoted_only_by_who_has_read_of_it(visit, data, tiny_bundle, tmp_path):
    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn", recall=0.7)
    page = visit(run.run_id)
    assert "Held-out sensitivity (recall) falls" in told(page)
    promote(page, 1, read=False)
    assert "read the warnings" in told(page)
    assert versions.events(data) == []
    promote(page, 1)
    assert serving.find().version == 1


def test_what_is_new_to_be_wary_of_since_the_page_was_read_is_read_first(visit, data, tiny_bundle, tmp_path):
    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn", recall=0.9)
    register(data, tiny_bundle, tmp_path / "two", "dense-baseline", recall=0.97)
    page = visit(run.run_id)
    promotion.promote(data, 2, "Ben", "meanwhile")
    promote(page, 1)
    assert "has just changed" in told(page)
    assert serving.find().version == 2


def test_a_rollback_that_somebody_else_was_quicker_with_is_not_done_twice(visit, data, tiny_bundle, tmp_path):
    for number, recipe in enumerate(("reference-cnn", "dense-baseline"), 1):
        register(data, tiny_bundle, tmp_path / recipe, recipe)
        promotion.promote(data, number, "Ada", "next")
    page = visit()
    promotion.roll_back(data, "Ben", "quicker")
    roll_back(page)
    assert "nothing was rolled back" in told(page)
    assert serving.find().version == 1


def test_the_challenger_is_set_and_taken_back(visit, data, tiny_bundle, tmp_path):
    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    page = visit(run.run_id)
    press(page, "Mark as challenger")
    assert "is now the challenger" in told(page)
    assert table(page)["Version"].tolist() == ["1, challenger"]
    press(page, "Remove the challenger mark")
    assert table(page)["Version"].tolist() == ["1"]


def test_a_version_whose_bundle_was_altered_is_refused_and_what_answers_stays(
    visit, data, tiny_bundle, tmp_path
):
    register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    promotion.promote(data, 1, "Ada", "first")
    run = register(data, tiny_bundle, tmp_path / "two", "dense-baseline")
    (file,) = (data / "mlruns").glob(f"{run.run_id}/artifacts/bundle/{bundles.WEIGHTS}")
    file.write_bytes(b"altered")
    page = visit(run.run_id)
    assert "version 2 is damaged: engine.bin is not the file that was written" in told(page)
    assert not [button for button in page.button if button.label == "Promote version 2"]
    assert serving.find().version == 1


def test_a_version_whose_bundle_is_missing_is_a_sentence(visit, data, tiny_bundle, tmp_path):
    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    shutil.rmtree(data / "mlruns" / run.run_id)
    shutil.rmtree(Workspace(data).serving, ignore_errors=True)
    page = visit(run.run_id)
    assert "bundle of version 1" in told(page)
    assert table(page, "Setting") is not None


@pytest.mark.slow
def test_a_locked_registry_is_a_sentence_and_nothing_is_lost(visit, data, tiny_bundle, tmp_path):
    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    database = sqlite3.connect(Workspace(data).mlflow_db, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    try:
        page = visit(run.run_id)
        assert "locked by another process" in told(page)
        assert page.title[0].value == "Training"
    finally:
        database.close()
    page.run()
    assert list(table(page)["Run"]) == ["reference-cnn (patient split)"]


@pytest.mark.slow
def test_a_registry_that_is_locked_at_the_press_leaves_what_answers(visit, data, tiny_bundle, tmp_path):
    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    page = visit(run.run_id)
    database = sqlite3.connect(Workspace(data).mlflow_db, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    try:
        promote(page, 1)
        assert "Not promoted" in told(page)
        assert "locked" in told(page)
    finally:
        database.close()
    assert versions.events(data) == []
    # What was typed is not lost.
    press(page.run(), "Promote version 1")
    assert serving.find().version == 1
    assert versions.events(data)[0].reason == "finds more ALL cells"


@pytest.mark.parametrize("fault", ["gone", "damaged"])
def test_a_registry_that_is_gone_or_damaged_is_a_sentence(fault, visit, data, tiny_bundle, tmp_path):
    register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    promotion.promote(data, 1, "Ada", "first")
    serving.find()
    file = Workspace(data).mlflow_db
    file.unlink() if fault == "gone" else file.write_bytes(b"no database " * 500)
    page = visit()
    assert ("missing" if fault == "gone" else "is damaged") in said(page)


def test_a_model_named_outright_is_said_to_answer(visit, data, tiny_bundle, tmp_path, monkeypatch):
    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
    page = visit(run.run_id)
    assert "LEUKEMIA_MODEL sets the bundle in service" in said(page)
    promote(page, 1)
    assert "Now in service: the bundle set by LEUKEMIA_MODEL (tiny-test" in told(page)
