"""The section Runs of the page Training: runs listed and opened, versions compared."""

import os

from streamlit import dataframe_util

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.dataset import training_set
from leukemia.markdown import plain
from leukemia.tracking import mlflow_client, run_history, run_writer
from leukemia.tracking.records import BEST_OF, START, RunKind, RunStatus
from tests.support import runs_page
from tests.support.app import press, said
from tests.support.bundle_factory import blurred
from tests.support.performance_page import traces
from tests.support.runs_page import OWN, register, table, train

alone, data, visit = runs_page.alone, runs_page.data, runs_page.visit


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
