"""Import, checks, map, and corrected labels, without a browser; jobs are real processes."""

import json
import re
import shutil
import time

import pytest

from leukemia import bundle as bundles
from leukemia import jobs
from leukemia.data import brightness, corrections, manifest, similar, synthetic
from leukemia.data.corrections import DOUBTED
from leukemia.learning import embedding, suspects
from pages.parts.dataset import address, importing, map_chart

BY = {"who": "Dr. Ada", "reason": "Chromatin of a blast"}


@pytest.fixture(scope="module")
def looked_through(drawn_set, tmp_path_factory):
    """The drawn set, measured and looked through: no page here starts a process by itself."""
    data = tmp_path_factory.mktemp("looked")
    shutil.copytree(drawn_set, data, dirs_exist_ok=True)
    brightness.measure(data, workers=2)
    similar.look_and_keep(data, manifest.read(data), workers=2)
    return data


@pytest.fixture
def data(looked_through, tmp_path):
    return shutil.copytree(looked_through, tmp_path / "data")


@pytest.fixture
def open_page(app, data, drawn_bundle, monkeypatch):
    def start(section, bundle=drawn_bundle, data=data, **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        page = app(bundle)
        page.switch_page("pages/dataset.py")
        for word, value in {"section": section, **query}.items():
            page.query_params[word] = value
        page.run()
        assert not page.exception
        return page

    return start


def said(page):
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success", "html")
    text = "\n".join(
        str(element.value if kind != "html" else element.proto.body)
        for kind in kinds
        for element in page.get(kind)
    )
    return text.replace("\\", "")


def press(page, label):
    (button,) = [button for button in page.button if button.label == label]
    return button.click().run()


def fill(page, label, text):
    (field,) = [field for field in page.text_input if field.label == label]
    return field.set_value(text)


def wait(page, job, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until and jobs.state(job).active:
        time.sleep(0.1)
    assert not jobs.state(job).active
    page.run()
    assert not page.exception
    return page


def labels(page):
    return [expander.label.replace("\\", "") for expander in page.expander]


# Import


def test_an_empty_folder_leads_to_the_import(open_page, tmp_path):
    page = open_page("overview", data=tmp_path / "new")
    press(page, "Import images")
    assert page.query_params["section"] == "import"
    assert "No images yet" in said(page)


def test_a_folder_is_imported_and_its_counts_are_told(open_page, tmp_path):
    planted = synthetic.write_sample(tmp_path / "set", patients=12, cells=4)
    page = open_page("import", data=tmp_path / "new")
    fill(page, importing.WHERE, str(tmp_path / "set"))
    press(page, "Start the import")
    job = jobs.latest(tmp_path / "new", "import")
    assert job.arguments == ("prepare", str(tmp_path / "set"), "--output", str(tmp_path / "new"))
    wait(page, job)
    images = sum(planted.images.values()) + planted.sources["final"] + len(planted.unlisted)
    assert f"holds **{images:,} drawn images of 12 patients**" in said(page)
    assert f"{len(planted.unreadable) + len(planted.unlisted)} problems found" in said(page)
    for path in planted.unreadable:
        assert path in said(page)
    assert "Import of set: done. What was found" in labels(page)


def test_what_is_there_is_replaced_only_when_that_is_asked_for(open_page, data):
    page = open_page("import")
    (start,) = [button for button in page.button if button.label == "Start the import"]
    assert start.disabled
    page.checkbox[0].check().run()
    assert not next(button for button in page.button if button.label == "Start the import").disabled


@pytest.mark.parametrize("why", ["", "nowhere", "no zip", "null"])
def test_a_path_that_cannot_be_imported_is_a_sentence_and_starts_nothing(open_page, tmp_path, why):
    (tmp_path / "letter.zip").write_text("Dear colleague")
    text, says = {
        "": ("  ", "Name a folder or a .zip"),
        "nowhere": (str(tmp_path / "*gone*"), "No such file or folder on the server"),
        "no zip": (str(tmp_path / "letter.zip"), "is not a folder or a whole .zip file"),
        "null": ("a\0b", "No such file or folder on the server"),
    }[why]
    page = open_page("import", data=tmp_path / "new")
    fill(page, importing.WHERE, text)
    press(page, "Start the import")
    assert says in page.error[0].value.replace("\\", "")
    assert jobs.latest(tmp_path / "new", "import") is None


def test_a_failed_import_says_why_and_the_set_stays(open_page, data, tmp_path):
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "beach.jpg").write_bytes(b"\xff\xd8\xff")
    before = (data / "manifest.csv").read_bytes()
    page = open_page("import")
    page.checkbox[0].check().run()
    fill(page, importing.WHERE, str(tmp_path / "holiday"))
    press(page, "Start the import")
    wait(page, jobs.latest(data, "import"))
    assert "not a C-NMC 2019 download" in page.error[0].value.replace("\\", "")
    assert "The set is as it was before" in said(page)
    assert (data / "manifest.csv").read_bytes() == before


def test_a_running_import_is_shown_cancelled_and_gone_on_with(open_page, tmp_path):
    synthetic.write_sample(tmp_path / "set", patients=16, cells=20)
    new = tmp_path / "new"
    page = open_page("import", data=new)
    fill(page, importing.WHERE, str(tmp_path / "set"))
    press(page, "Start the import")
    job = jobs.latest(new, "import")
    until = time.monotonic() + 60
    while time.monotonic() < until and jobs.state(job).done < 5:
        time.sleep(0.02)
    page.run()
    assert not [button for button in page.button if button.label == "Start the import"]
    press(page, "Cancel")
    wait(page, job)
    assert "Stopped. What is finished stays" in said(page)
    press(page, "Go on")
    second = jobs.latest(new, "import")
    assert second != job
    wait(page, second)
    assert "drawn images of 16 patients" in said(page)


def test_another_change_of_the_folder_makes_the_import_wait(open_page, data, tmp_path):
    arguments = ["sample", str(tmp_path / "x"), "--patients", "24", "--cells", "200"]
    job = jobs.start(data, "training", "Training of a network", arguments)
    try:
        page = open_page("import")
        assert "Training of a network works on this data folder" in said(page)
        (start,) = [button for button in page.button if button.label == "Start the import"]
        assert start.disabled
    finally:
        jobs.cancel(job, grace=1)


# Checks


def test_the_split_is_a_proved_statement_with_its_count(open_page, data, drawn_bundle):
    page = open_page("checks")
    cells = manifest.read(data)
    own = cells[cells["label"] != ""]
    told = page.success[0].value.replace("\\", "")
    assert "No patient stands on two sides of the split." in told
    assert f"all {own['patient_group'].nunique()} patient groups" in told
    assert f"{len(own):,} cells" in told
    assert bundles.read(drawn_bundle).name in told


def test_without_a_model_the_dealt_split_is_proved_and_suspects_are_not_known(open_page, tmp_path):
    page = open_page("checks", bundle=tmp_path / "none")
    assert "a training with seed 0 would deal" in page.success[0].value
    assert "Label suspects: not known yet" in [label.replace("*", "") for label in labels(page)]
    assert "once a model is in service" in said(page)


def test_pairs_stand_side_by_side_with_their_patients(open_page):
    text = said(open_page("checks"))
    pairs = re.findall(r'<div class="pair" .*?</p>', text)
    people = sorted(re.search(r"Patient (.*?) ·", pair)[1] for pair in pairs)
    assert people == ["20 = 21", "20 = 21", "25", "H2 = H4", "H4 = H5"]
    for pair in pairs:
        assert pair.count("<img") == 2


def test_every_check_is_there(open_page):
    found = " ".join(labels(open_page("checks")))
    for title in (
        "Identical images",
        "Near-identical images",
        "Patients tied into groups",
        "Rows without files",
        "Files without rows",
        "Unreadable files",
        "Cells touching the frame",
        "Frames out of the usual size",
        "Label suspects",
    ):
        assert title in found


def test_suspects_are_shown_the_most_suspect_first(open_page, data, drawn_bundle):
    page = open_page("checks")
    bundle = bundles.read(drawn_bundle)
    cells = corrections.apply(data, manifest.read(data))
    expected = suspects.check(bundle, "", cells).rows["image_id"].tolist()
    assert set(expected) == set(bundle.predictions["image_id"].iloc[:2])
    (grid,) = [g for g in page.get("bidi_component") if g.proto.id.endswith("check-suspects-grid")]
    assert [card["id"] for card in json.loads(grid.proto.json)["cards"]] == expected


def test_a_look_through_all_images_starts_by_itself_and_is_kept(open_page, data):
    shutil.rmtree(data / "cache")
    brightness.measure(data, workers=2)
    page = open_page("checks")
    assert "are being looked for" in said(page)
    assert "Near-identical images: not known yet" in [label.replace("*", "") for label in labels(page)]
    job = jobs.latest(data, "similar")
    wait(page, job)
    assert "being looked for" not in said(page)
    assert similar.kept(data, manifest.read(data)).images == len(manifest.read(data))
    page.run()
    assert jobs.latest(data, "similar") == job


# Map


def test_without_a_model_the_map_says_what_is_missing(open_page, tmp_path):
    page = open_page("map", bundle=tmp_path / "none")
    assert "No model bundle" in page.info[0].value
    assert "features of the model in service" in page.info[0].value


def test_the_map_is_computed_in_the_background_and_then_shown(open_page, data, drawn_bundle):
    page = open_page("map")
    press(page, "Compute the map")
    wait(page, jobs.latest(data, "map"))
    (chart,) = page.get("plotly_chart")
    figure = json.loads(chart.proto.spec)
    cells = manifest.read(data)
    found = embedding.kept(bundles.read(drawn_bundle), data, cells)
    assert sum(len(trace["customdata"]) for trace in figure["data"]) == len(cells) == len(found)
    shown = {trace["name"]: len(trace["customdata"]) for trace in figure["data"]}
    counts = cells["label"].replace("", "unlabelled").value_counts().to_dict()
    assert shown == counts
    for colour in map_chart.COLOURINGS:
        page.get("button_group")
        page.session_state["map-colour"] = colour
        page.run()
        assert not page.exception
        (chart,) = page.get("plotly_chart")
        figure = json.loads(chart.proto.spec)
        assert sum(len(trace["customdata"]) for trace in figure["data"]) == len(cells)


def test_what_is_picked_are_the_rows_that_the_traces_show():
    shown = [[4, 0, 2], [1, 3]]
    points = [
        {"curve_number": 0, "point_index": 2},
        {"curve_number": 1, "point_index": 0},
        {"curve_number": 0, "point_index": 2},
        {"curve_number": 7, "point_index": 0},
        {"curve_number": 1, "point_index": 9},
    ]
    assert map_chart.rows(points, shown) == [1, 2]
    assert map_chart.rows([], shown) == []


def test_text_beside_a_dot_is_escaped(data, drawn_bundle):
    import pandas as pd

    row = {
        "image_id": "a",
        "patient": "<b>1",
        "label": "ALL",
        "part": "test",
        "review": "",
        "outcome": "right",
    }
    places = pd.DataFrame([row | {"probability": 0.4, "umap_x": 0.0, "umap_y": 0.0}])
    figure, _ = map_chart.draw(places, "UMAP", "Class", (), 0.5)
    told = figure.data[0].customdata[0][1]
    assert "&lt;b&gt;1" in told
    assert "0.400, below the threshold 0.500" in told


# Labels


@pytest.fixture
def normal(data):
    cells = manifest.read(data)
    return cells.loc[cells["label"] == "Normal", "image_id"].iloc[0]


def correct(page, new="ALL", who=BY["who"], reason=BY["reason"]):
    (radio,) = page.radio
    radio.set_value(new)
    page.text_input(key="label-who").set_value(who)
    page.text_input(key="label-reason").set_value(reason)
    return press(page, "Keep this")


def test_a_label_is_corrected_in_the_cells_pane_and_undone(open_page, data, normal):
    page = open_page("gallery", cell=normal)
    assert "Label: Normal, as the set came" in labels(page)
    correct(page)
    assert not page.exception
    assert "Kept: Corrected: the cell is ALL." in said(page)
    assert "Label: ALL; the set came with Normal" in labels(page)
    assert f"**{BY['who']}**: Changed, Normal → ALL. {BY['reason']}" in said(page)
    assert corrections.current(data)[normal].new == "ALL"
    # The name is kept for the next one, the reason is not.
    assert page.text_input(key="undo-who").value == BY["who"]
    assert page.text_input(key="undo-reason").value == ""
    page.text_input(key="undo-reason").set_value("A mistake")
    press(page, "Undo")
    assert "Undone" in said(page)
    assert corrections.current(data) == {}
    assert len(corrections.history(data, normal)) == 2


def test_a_doubt_is_one_choice_and_the_label_that_counts_is_none(open_page, data, normal):
    page = open_page("gallery", cell=normal)
    (radio,) = page.radio
    assert radio.options == ["Doubted: leave it out of training", "Corrected: the cell is ALL"]
    correct(page, DOUBTED)
    assert corrections.current(data)[normal].new == DOUBTED
    assert "Label: doubted; the set came with Normal" in labels(page)


def test_without_a_name_or_a_reason_nothing_is_kept(open_page, data, normal):
    page = open_page("gallery", cell=normal)
    correct(page, who=" ")
    assert "Please give your name" in page.error[0].value
    correct(page, reason="")
    assert "Please give a reason" in page.error[0].value
    assert corrections.history(data) == []


def test_names_and_reasons_are_shown_as_they_were_typed(open_page, data, normal):
    corrections.correct(data, normal, "ALL", who="<b>*Eve*</b>", reason="=1+1 $x$ :cat:")
    page = open_page("gallery", cell=normal)
    line = next(m.value for m in page.markdown if "Eve" in m.value)
    assert r"\<b\>\*Eve\*" in line
    log = open_page("corrections")
    table = log.dataframe[0].value
    assert table["Who"].tolist() == ["<b>*Eve*</b>"]
    assert table["Reason"].tolist() == ["'=1+1 $x$ :cat:"]


def test_the_log_tells_all_that_was_changed(open_page, data, normal):
    assert "No label was corrected" in said(open_page("corrections"))
    first = corrections.correct(data, normal, "ALL", **BY)
    corrections.undo(data, first.number, who="Dr. Bo", reason="A mistake")
    other = manifest.read(data).query("label == 'ALL'")["image_id"].iloc[0]
    corrections.correct(data, other, DOUBTED, **BY)
    page = open_page("corrections")
    assert "0 corrected, 1 doubted** labels count now; 3 changes" in said(page)
    table = page.dataframe[0].value
    assert table["No."].tolist() == [3, 2, 1]
    assert table["Undoes"].tolist() == ["", "No. 1", ""]
    (grid,) = [g for g in page.get("bidi_component") if g.proto.id.endswith("labels-grid")]
    assert [card["id"] for card in json.loads(grid.proto.json)["cards"]] == [other]


def test_an_unlabelled_cell_has_no_label_to_correct(open_page, data):
    cells = manifest.read(data)
    bare = cells.loc[cells["label"] == "", "image_id"].iloc[0]
    page = open_page("gallery", **{address.CELL: bare})
    assert not page.radio
