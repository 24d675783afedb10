"""The section Runs of the page Training: runs listed and opened, versions compared, promoted, rolled back."""

import os
import shutil
import sqlite3

import pytest
from streamlit import dataframe_util

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.dataset import training_set
from leukemia.markdown import plain
from leukemia.registry import promotion, promotion_log, publish, serving, versions
from leukemia.storage.workspace import Workspace
from leukemia.tracking import mlflow_client, run_history, run_writer
from leukemia.tracking.records import BEST_OF, START, RunKind, RunStatus
from tests.support.app import fill, open_page, press, said, widget
from tests.support.bundle_factory import blurred, copy_bundle
from tests.support.performance_page import traces
from tests.support.runs_factory import data_folder

OWN = {"recipe": "reference-cnn", "split": "patient", "seed": 0, "epochs": 16, "learning_rate": 5e-4}


@pytest.fixture(autouse=True)
def alone(tiny_bundle, tmp_path, monkeypatch):
    """A registry of its own, and another bundle shipped."""
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(settings, "SHIPPED", copy_bundle(tiny_bundle, tmp_path / "shipped", "came-with-it"))


@pytest.fixture
def data(drawn_set, tmp_path, monkeypatch):
    """The drawn set with an empty registry."""
    folder = data_folder(tmp_path / "data")
    shutil.copytree(drawn_set, folder, dirs_exist_ok=True)
    monkeypatch.setenv("LEUKEMIA_DATA", str(folder))
    return folder


@pytest.fixture
def visit(data):
    def start(run="", **query):
        query = {"section": "runs", **({"run": run} if run else {}), **query}
        return open_page("training", **query)

    return start


def train(data, name="a run", epochs=3, parameters=OWN, fingerprint="f" * 64, **options):
    """What a training records until its last epoch."""
    run = run_writer.start(
        data, name, parameters, {"data_fingerprint": fingerprint, "git_revision": "abc1234"}, **options
    )
    for epoch in range(epochs):
        run.epoch(
            epoch,
            {
                "loss": 0.6 - epoch / 10,
                "recall": 0.8 + epoch / 50,
                "specificity": 0.7,
                "val_loss": 0.5 + abs(epoch - 1) / 10,
                "val_recall": 0.75,
                "val_specificity": 0.65,
            },
        )
    return run


def register(data, bundle, folder, recipe, **changes):
    """A finished run that became a version; returns the run."""
    made = copy_bundle(bundle, folder, recipe, **changes)
    run = train(data, f"{recipe} (patient split)", parameters={**OWN, "recipe": recipe})
    publish.register(run, bundles.read(made))
    return run


def table(page, column="Run"):
    (found,) = [one.value for one in page.dataframe if column in one.value]
    return found


def promote(page, number, name="Ada", reason="finds more ALL cells", read=True):
    fill(page, "Your name", name)
    fill(page, "Reason", reason)
    for box in page.checkbox:
        if box.label == "I have read the warnings" and read:
            box.check()
    press(page, f"Promote version {number}")
    assert not page.exception
    return page


def told(page):
    return " ".join(
        one.value.replace("\\", "") for kind in ("success", "warning", "error") for one in page.get(kind)
    )


def test_without_a_run_the_section_says_how_one_is_started(visit):
    page = visit()
    assert "No runs yet" in said(page)
    assert "the built-in model" in said(page)
    assert "nothing to roll back" in said(page)


def test_runs_are_listed_whoever_started_them_the_newest_first(visit, data, tiny_bundle, tmp_path):
    register(data, tiny_bundle, tmp_path / "one", "reference-cnn")
    train(data, "at work")
    train(data, "broke").end(RunStatus.FAILED)
    gone = train(data, "killed")
    mlflow_client.client(data).set_tag(gone.run_id, START, "another-boot/100")
    page = visit()
    found = table(page)
    assert list(found["Run"]) == ["killed", "broke", "at work", "reference-cnn (patient split)"]
    assert list(found["Status"]) == ["interrupted", "failed", "running", "finished"]
    assert list(found["Version"]) == ["", "", "", "1"]
    expected = str(bundles.read(tmp_path / "one").record.estimates["sensitivity"])
    assert found["Sensitivity (95%)"].iloc[-1] == expected
    assert set(found["Sensitivity (95%)"].iloc[:-1]) == {"–"}


def test_runs_are_narrowed_by_recipe_kind_and_status(visit, data):
    train(data, "one").end(RunStatus.FINISHED)
    train(data, "two", parameters={**OWN, "recipe": "dense-baseline"}).end(RunStatus.FAILED)
    train(data, "three", kind=RunKind.CROSSVALIDATE).end(RunStatus.FAILED)
    page = visit()
    filters = {box.label: box for box in page.multiselect}
    filters["Status"].select("failed").run()
    assert list(table(page)["Run"]) == ["three", "two"]
    filters = {box.label: box for box in page.multiselect}
    filters["Recipe"].select("dense-baseline").run()
    assert list(table(page)["Run"]) == ["two"]
    filters = {box.label: box for box in page.multiselect}
    filters["Kind"].select("crossvalidate").run()
    assert "0 of 3 runs" in said(page)
    assert not [one for one in page.dataframe if "Run" in one.value]


def test_a_run_in_the_address_is_opened_with_settings_data_and_curves(visit, data):
    run = train(data, "one", parameters={**OWN, "epochs": 7}, fingerprint=training_set.fingerprint(data))
    run.warn("The set was <b>changed</b> while this training was at work.")
    run.end(RunStatus.FINISHED)
    page = visit(run.run_id)
    assert "1 setting differs from the recipe's defaults" in said(page)
    settings_table = table(page, "Setting")
    assert tuple(settings_table.iloc[0]) == ("Epochs", "7", "16", "set for this run")
    rate = settings_table.set_index("Setting").loc["Learning rate"]
    assert rate["How"] == "recipe default"
    assert "the labelled cells now in the data folder" in said(page)
    assert "abc1234" in said(page)
    assert any("<b>changed</b>" in one.value.replace("\\", "") for one in page.warning)
    loss, rates = (
        dataframe_util.convert_arrow_bytes_to_pandas_df(chart.proto.data.data)
        for chart in page.get("vega_lite_chart")
    )
    assert sorted(loss["value"].round(1)) == [0.4, 0.5, 0.5, 0.6, 0.6, 0.6]
    assert len(rates) == 12
    assert "Validation loss was lowest in epoch 2" in said(page)


def test_a_run_whose_data_were_changed_since_says_so(visit, data):
    page = visit(train(data, "one").run_id)
    assert "not the cells now in the data folder" in said(page)


def test_an_address_of_no_run_says_so_and_lists_the_others(visit, data):
    train(data, "one").end(RunStatus.FINISHED)
    for wrong in ("0" * 32, "' OR 1=1 --", "<script>"):
        page = visit(wrong)
        assert "No run is recorded at this address" in said(page)
        assert list(table(page)["Run"]) == ["one"]


def test_the_folds_of_a_cross_validation_are_shown_below_it(visit, data):
    whole = train(data, "folds", epochs=0, kind=RunKind.CROSSVALIDATE)
    for number in range(3):
        fold = train(data, f"fold {number + 1}/3", kind=RunKind.FOLD, parent=whole.run_id)
        fold.close({"test_auroc": 0.9 + number / 100})
    whole.end(RunStatus.FINISHED)
    page = visit(whole.run_id)
    assert list(table(page)["Run"]) == ["folds"]
    parts = table(page, "Fold")
    assert list(parts["Fold"]) == ["fold 1/3", "fold 2/3", "fold 3/3"]
    assert list(parts["AUROC (95%)"]) == ["0.900", "0.910", "0.920"]
    assert "Sensitivity (95%)" not in parts
    assert {trace["name"] for trace in traces(page)} == {"fold 1/3", "fold 2/3", "fold 3/3"}
    (curve,) = [box for box in page.selectbox if box.label == "Curve"]
    curve.select("recall").run()
    assert "from 84.0%" in said(page)


def test_a_sweep_and_the_training_of_its_best_settings_name_each_other(visit, data):
    sweep = train(data, "a sweep", epochs=0, kind=RunKind.SWEEP)
    best = run_writer.start(data, "best settings", OWN, {BEST_OF: sweep.run_id})
    best.end(RunStatus.FINISHED)
    sweep.close({"objective": 0.8, "best_trial": 1})
    page = visit(sweep.run_id)
    labels = [link.proto.label for link in page.get("page_link")]
    assert any("best settings" in label and "finished" in label for label in labels)
    # It learned in its trials alone.
    assert "Epoch by epoch" not in said(page)
    page = visit(best.run_id)
    assert "These are the best settings of a sweep" in said(page)
    assert any("sweep that found them" in link.proto.label for link in page.get("page_link"))


def test_a_part_is_opened_by_its_address_as_well(visit, data):
    whole = train(data, "folds", epochs=0, kind=RunKind.CROSSVALIDATE)
    fold = train(data, "fold 1/3", kind=RunKind.FOLD, parent=whole.run_id)
    page = visit(fold.run_id)
    assert [one.value for one in page.subheader] == [plain("fold 1/3")]
    page.query_params["run"] = whole.run_id
    page.run()
    assert [one.value for one in page.subheader] == ["folds"]


def test_a_version_is_compared_with_the_one_in_service_on_the_same_patients(
    visit, data, tiny_bundle, tmp_path
):
    from sklearn import metrics as sk

    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn", predictions=blurred(tiny_bundle))
    page = visit(run.run_id)
    one, two = (bundles.read(folder).predictions for folder in (settings.SHIPPED, tmp_path / "one"))
    truth = (one["label"] == "ALL").to_numpy()
    recalls = [sk.recall_score(truth, frame["probability"] >= 0.5) for frame in (one, two)]
    change = f"{100 * (recalls[1] - recalls[0]):+.1f}".replace("-", "−")
    assert f"sensitivity {change} points, 95%" in said(page)
    assert "On the 60 cells of 12 patient groups that both held out with the same label." in said(page)


def test_a_version_of_other_cells_is_not_compared_and_the_page_says_why(visit, data, tiny_bundle, tmp_path):
    predictions = bundles.read(tiny_bundle).predictions
    other = predictions.assign(image_id=[f"x{n}" for n in range(len(predictions))])
    run = register(data, tiny_bundle, tmp_path / "one", "reference-cnn", predictions=other)
    page = visit(run.run_id)
    assert "evaluated on different cells" in said(page)
    assert [button for button in page.button if button.label == "Promote version 1"]


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


def test_text_of_others_is_shown_as_text(visit, data, monkeypatch):
    wild = "<img src=x onerror=alert(1)> [a](b) **c** $x$ :red[d]"
    monkeypatch.setenv("LOGNAME", wild)
    run = train(data, wild, parameters={"recipe": "wild *recipe*", "odd": wild})
    run.warn(wild)
    page = visit(run.run_id)
    shown = [
        one.value
        for one in (*page.markdown, *page.subheader, *page.warning, *page.caption)
        if "onerror" in one.value
    ]
    assert len(shown) == 3
    assert all(plain(wild) in text and "<img" not in text.replace(plain(wild), "") for text in shown)
    assert os.environ["LOGNAME"] in set(table(page)["Who"])


def test_two_hundred_older_runs_are_there_on_demand(visit, data, monkeypatch):
    from pages.sections.training import runs as past_runs

    monkeypatch.setattr(past_runs, "LIMIT", 2)
    for number in range(3):
        train(data, f"run {number}", epochs=0).end(RunStatus.FINISHED)
    page = visit()
    assert len(table(page)) == 2
    press(page, "Show older runs")
    assert len(table(page)) == 3
    assert len(run_history.runs(data)) == 3
