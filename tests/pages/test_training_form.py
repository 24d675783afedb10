"""The form of a new run, without a browser: what is asked for, what it says, what is started."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from leukemia import jobs
from leukemia.dataset import label_log, manifest
from leukemia.jobs import scheduler
from leukemia.plots import times
from leukemia.recipes import throughput
from leukemia.recipes.definitions import RECIPES
from leukemia.recipes.settings import field
from leukemia.storage.workspace import Workspace
from pages.components import identity
from tests.support.app import dashboard, go, press, said, widget


@pytest.fixture
def data(looked_through, tmp_path):
    """A prepared folder on which the pace of all recipes was measured."""
    folder = shutil.copytree(looked_through, tmp_path / "data")
    for name in RECIPES:
        throughput.record(folder / "cache", name, 0.01, 0.004)
    return folder


@pytest.fixture
def asked(monkeypatch):
    """What the page asks for; nothing is started."""
    found = []

    def ask(data, kind, title, arguments, by=""):
        found.append((data, kind, title, list(arguments), by))
        return jobs.WaitingJob("0", kind, title, tuple(arguments), "2026-01-01T00:00:00+00:00", by)

    monkeypatch.setattr(jobs, "submit", ask)
    return found


@pytest.fixture
def open_form(data, tiny_bundle, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))

    def start(folder=data, **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(folder))
        return go(dashboard(), "training", **{"section": "new", **query})

    return start


def pick(page, key, value):
    (one,) = [one for one in page.get("button_group") if one.key == key]
    one.set_value(value).run()
    assert not page.exception
    return page


def option(arguments, name):
    return arguments[arguments.index(name) + 1]


def test_without_a_set_there_is_no_form_but_the_ways_to_a_set(open_form, tmp_path):
    page = open_form(tmp_path / "empty")
    assert "Training needs labelled cells, and there are none yet." in said(page)
    (link,) = page.get("page_link")
    assert (link.proto.page, link.proto.query_string) == ("dataset", "section=import")
    assert not page.number_input
    labels = {button.label for button in page.button}
    assert labels == {"Guided tour", "Prepare the sample set", "Train on the sample set"}
    assert not (tmp_path / "empty").exists(), "a look changes nothing"


def test_the_sample_set_is_trained_on_with_one_press(open_form, data, asked):
    page = press(open_form(), "Train on the sample set")
    ((folder, kind, _, arguments, _),) = asked
    assert (folder, kind) == (data, "train")
    assert option(arguments, "--recipe") == "reference-cnn"
    assert page.query_params["section"] == "now"


def test_a_set_that_is_not_drawn_is_not_called_the_sample_set(open_form, data):
    cells = manifest.read(data)
    cells.loc[cells.index[cells["label"] == "ALL"][0], "source"] = "fold_0"
    manifest.write(data, cells)
    assert "Train on the sample set" not in {button.label for button in open_form().button}


def test_it_opens_on_the_new_run_where_none_is_at_work(open_form):
    page = open_form(section="")
    assert page.query_params["section"] == "new"
    assert widget(page.number_input, "Epochs").value == 16


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_with_its_own_settings_and_only_with_those_that_it_uses(open_form, name):
    page = open_form()
    page.selectbox(key="training-recipe").set_value(name).run()
    outline = RECIPES[name]
    shown = {one.label: one.value for one in page.number_input}
    for one in ("epochs", "learning_rate", "l2", "dropout", "frozen", "weight_decay"):
        title = field(one).title
        if outline.uses(one):
            assert shown[title] == getattr(outline.training, one)
        else:
            assert title not in shown
    assert "All settings are the recipe's defaults." in said(page)
    assert outline.summary in said(page)
    assert outline.needs in said(page)


def test_what_was_changed_is_shown_and_goes_back_to_the_recipe_s_own(open_form):
    page = open_form()
    widget(page.number_input, "Epochs").set_value(3)
    page.checkbox(key="training-reference-cnn-flips").uncheck()
    widget(page.number_input, "Dropout").set_value(0.1 + 0.2).run()
    text = said(page)
    assert "Epochs: 16 → 3" in text
    assert "Flips: on → off" in text
    assert "Dropout: 0 → 0.3]" in text
    press(page, "Reset to defaults")
    assert "All settings are the recipe's defaults." in said(page)
    assert widget(page.number_input, "Epochs").value == 16


def test_settings_stay_when_another_recipe_or_section_is_looked_at_meanwhile(open_form):
    page = open_form()
    widget(page.number_input, "Epochs").set_value(3).run()
    page.selectbox(key="training-recipe").set_value("dense-baseline").run()
    assert widget(page.number_input, "Epochs").value == 30
    page.query_params["section"] = "now"
    page.run()
    page.query_params["section"] = "new"
    page.run()
    page.selectbox(key="training-recipe").set_value("reference-cnn").run()
    assert widget(page.number_input, "Epochs").value == 3


def test_a_run_is_asked_for_with_what_differs_from_the_recipe(open_form, asked, data):
    page = open_form()
    widget(page.number_input, "Epochs").set_value(2)
    widget(page.number_input, "Learning rate").set_value(1e-3)
    page.checkbox(key="training-reference-cnn-flips").uncheck()
    widget(page.number_input, "Seed").set_value(7)
    widget(page.number_input, "Target sensitivity (recall)").set_value(0.975)
    page.text_input(key="training-who").set_value("Dr. Ada")
    press(page, "Start")
    ((folder, kind, title, arguments, by),) = asked
    assert (folder, kind, by) == (data, "train", "Dr. Ada")
    assert title == "Training of reference-cnn (epochs 2, learning rate 0.001, flips off)"
    assert arguments[:3] == ["train", "--recipe", "reference-cnn"]
    sets = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--set"]
    assert sets == ["epochs=2", "learning_rate=0.001", "flips=off"]
    assert option(arguments, "--split") == "patient"
    assert option(arguments, "--seed") == "7"
    assert option(arguments, "--target-recall") == "0.975"
    assert option(arguments, "--data") == str(data)
    assert "--in-registry" in arguments
    assert page.query_params["section"] == "now"


def test_a_number_typed_at_the_moment_of_the_press_counts(open_form, asked):
    page = open_form()
    widget(page.number_input, "Epochs").set_value(4)
    # Both in one run, as a browser sends them where a field is left by a press on the button.
    press(page, "Start")
    assert "epochs=4" in asked[0][3]


@pytest.mark.parametrize("kind", ["train", "crossvalidate"])
@pytest.mark.process
def test_the_command_line_takes_what_the_page_asks_for(open_form, asked, kind):
    page = open_form()
    pick(page, "training-kind", kind)
    for name in ("Epochs", "Cells per epoch", "Batch size"):
        widget(page.number_input, name).set_value(2)
    page.checkbox(key="training-reference-cnn-rotation").uncheck()
    press(page, "Start")
    # Parsed by the program itself, up to its first look into a folder that is not there.
    arguments = asked[0][3]
    arguments[arguments.index("--data") + 1] = "/nowhere"
    done = subprocess.run([sys.executable, "-m", "leukemia", *arguments], capture_output=True, text=True)
    assert "No prepared images in /nowhere" in done.stderr
    assert done.returncode == 2


def test_a_cross_validation_deals_folds_and_asks_for_no_patience(open_form, asked):
    page = open_form()
    pick(page, "training-kind", "crossvalidate")
    assert "Patience" not in [one.label for one in page.number_input]
    # Five would be usual, but there are four healthy patient groups.
    assert "Each of 4 folds holds out 2 to 3 patient groups" in said(page)
    press(page, "Start")
    ((_, kind, title, arguments, _),) = asked
    assert kind == "crossvalidate"
    assert title == "Cross-validation of reference-cnn"
    assert option(arguments, "--folds") == "4"
    assert option(arguments, "--views") == "4"
    assert "--split" not in arguments


def test_sources_are_left_out_one_at_a_time(open_form, asked, data):
    page = open_form()
    pick(page, "training-kind", "crossvalidate")
    pick(page, "training-leave", "source")
    assert "Folds" not in [one.label for one in page.number_input]
    assert "here there is only 1" in page.error[0].value.replace("\\", "")
    cells = manifest.read(data)
    three = cells["patient_group"].map(dict(zip(cells["patient_group"].unique(), "abc" * 9, strict=False)))
    manifest.write(data, cells.assign(source=three))
    page.run()
    assert "Each of 3 sources is held out in turn, with all cells of its patients: a (" in said(page)
    press(page, "Start")
    arguments = asked[0][3]
    assert option(arguments, "--leave") == "source"
    assert "--folds" not in arguments


def test_more_folds_than_patients_are_refused_in_a_sentence(open_form, asked):
    page = open_form()
    pick(page, "training-kind", "crossvalidate")
    widget(page.number_input, "Folds").set_value(20).run()
    assert "20 folds need as many" in page.error[0].value.replace("\\", "")
    (start,) = [button for button in page.button if button.label == "Start"]
    assert start.disabled
    assert asked == []


def test_a_batch_larger_than_an_epoch_is_refused_in_a_sentence(open_form):
    page = open_form()
    widget(page.number_input, "Cells per epoch").set_value(20).run()
    assert "make the batch smaller" in page.error[0].value
    (start,) = [button for button in page.button if button.label == "Start"]
    assert start.disabled


@pytest.mark.parametrize("name", ["epochs", "learning_rate", "all_share", "dropout", "zoom"])
def test_a_field_lets_in_what_the_setting_allows_and_no_more(open_form, name):
    setting = field(name)
    one = widget(open_form().number_input, setting.title)
    assert (one.min, one.max) == (setting.low, setting.high)


def test_the_split_by_image_stands_behind_a_warning(open_form, asked):
    page = open_form()
    assert not page.warning
    assert "no patient appears in two parts" in said(page)
    pick(page, "training-split", "image")
    assert "This split leaks" in page.warning[0].value
    assert "the same patients appear in more than one part" in said(page)
    press(page, "Start")
    assert option(asked[0][3], "--split") == "image"


def test_it_says_whose_cells_are_learned_from_as_the_training_deals_them(open_form, data):
    from leukemia.dataset import splits

    page = open_form()
    widget(page.number_input, "Seed").set_value(3).run()
    cells = manifest.read(data)
    labelled = cells[cells["label"] != ""].reset_index(drop=True)
    part = splits.by_patient(labelled, 3)
    for name in splits.SUBSETS:
        rows = labelled[part == name]
        assert f"{len(rows)} cells of {rows['patient_group'].nunique()} patient groups" in said(page)
    assert f"{len(labelled)} synthetic cells" in said(page)
    assert "say nothing about patients" in said(page)


def test_corrected_and_doubted_labels_are_counted(open_form, data):
    cells = manifest.read(data)
    labelled = cells[cells["label"] != ""].drop_duplicates("image_id", keep=False)
    normal = labelled.loc[labelled["label"] == "Normal", "image_id"].iloc[:3]
    label_log.correct(data, normal.iloc[0], "ALL", who="Ada", reason="blast")
    for image_id in normal.iloc[1:]:
        label_log.correct(data, image_id, label_log.DOUBTED, who="Ada", reason="unclear")
    page = open_form()
    assert "1 corrected label is used." in said(page)
    assert "2 cells with a doubted label are left out." in said(page)
    assert f"{(cells['label'] != '').sum() - 2} synthetic cells" in said(page)


def test_the_time_follows_the_settings_by_the_pace_that_was_measured(open_form, data):
    page = open_form()
    cells = int((manifest.read(data)["label"] != "").sum())
    own = RECIPES["reference-cnn"].training
    expected = throughput.estimate(data, "reference-cnn", own, cells=cells, kind="train")
    # 16 epochs of 2,000 cells at a hundredth of a second, and a little more.
    assert 320 < expected < 420
    assert f"At most about **{times.about(expected)}**" in said(page)
    widget(page.number_input, "Epochs").set_value(160).run()
    expected = throughput.estimate(data, "reference-cnn", replace(own, epochs=160), cells=cells, kind="train")
    assert f"At most about **{times.about(expected)}**" in said(page)


@pytest.mark.process
def test_a_pace_that_was_never_measured_is_measured_by_itself_once(open_form, data, monkeypatch):
    (data / "cache" / throughput.NAME).unlink()
    started = []
    begin = jobs.submit
    monkeypatch.setattr(
        jobs, "submit", lambda *given, **more: started.append((given, more)) or begin(*given, **more)
    )
    page = open_form()
    page.run()
    (((folder, kind, _, arguments), more),) = started
    assert (folder, kind, kind.lane, more) == (data, "pace", jobs.Lane.MEASURE, {})
    assert arguments == ["pace", "--recipe", "reference-cnn", "--data", str(data)]
    assert "is being measured on this machine" in said(page)
    jobs.cancel(jobs.latest(data, "pace"), grace=0)


@pytest.mark.process
def test_what_a_recipe_needs_is_not_fetched_to_measure_it_unless_asked(open_form, data, monkeypatch):
    (data / "cache" / throughput.NAME).unlink()
    page = open_form()
    if job := jobs.latest(data, "pace"):
        jobs.cancel(job, grace=0)
    started = []
    monkeypatch.setattr(jobs, "submit", lambda *given, **more: started.append(given))
    monkeypatch.setattr(jobs, "running", lambda *_: None)
    page.selectbox(key="training-recipe").set_value("mobilenet-v2").run()
    assert started == []
    press(page, "Measure it")
    assert "mobilenet-v2" in started[0][3]


def test_cells_that_become_unreadable_while_the_form_is_open_are_a_sentence(open_form, data):
    page = open_form()
    Workspace(data).manifest.write_text("image_id,path\n")
    widget(page.number_input, "Seed").set_value(1).run()
    assert not page.exception
    assert "manifest.csv" in said(page)


def test_the_name_of_who_is_signed_in_is_filled_in(open_form, asked, monkeypatch):
    monkeypatch.setattr(identity, "signed_in", lambda: "Grace Hopper")
    press(open_form(), "Start")
    assert asked[0][4] == "Grace Hopper"


def test_nobody_has_to_give_a_name(open_form, asked):
    press(open_form(), "Start")
    assert asked[0][4] == ""


@pytest.mark.process
def test_behind_another_it_is_queued_and_the_page_says_so(open_form, data, tmp_path):
    arguments = ["sample", str(tmp_path / "x"), "--patients", "24", "--cells", "400"]
    job = jobs.submit(data, "import", "An import", arguments)
    try:
        page = open_form()
        assert "An import is running" in said(page)
        press(page, "Add to the queue")
        (one,) = jobs.waiting(data)
        assert one.title == "Training of reference-cnn"
        assert page.query_params["section"] == "now"
    finally:
        for one in jobs.waiting(data):
            jobs.drop(data, one.id)
        jobs.cancel(job, grace=1)


def test_what_cannot_be_started_says_why_and_the_form_stays(open_form, data, monkeypatch):
    monkeypatch.setattr(scheduler, "LEAST_FREE", 2**60)
    page = open_form()
    widget(page.number_input, "Epochs").set_value(2)
    press(page, "Start")
    assert "the disk is nearly full" in page.error[0].value
    assert page.query_params["section"] == "new"
    assert widget(page.number_input, "Epochs").value == 2


@pytest.mark.process
def test_a_page_imports_no_network_and_no_registry():
    code = (
        "import sys; from pages.sections.training import form, now; "
        "print([name for name in ('keras', 'tensorflow', 'mlflow', 'optuna') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []
