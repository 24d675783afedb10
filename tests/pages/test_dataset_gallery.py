"""Overview, gallery, one cell and the unlabelled ones, without a browser."""

import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.dataset.catalog import brightness
from leukemia.dataset.catalog.records import Record
from leukemia.dataset.catalog.sql import SORTS
from leukemia.inference import decisions
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.storage.workspace import Workspace
from pages.components.cell_grid import REVIEW
from pages.sections.dataset import address, grid
from tests.support.app import open_page, press, said, widget
from tests.support.bundle_factory import copy_bundle, edit

THRESHOLD = 0.5


@pytest.fixture(scope="module")
def cells(looked_through):
    return manifest.read(looked_through)


@pytest.fixture(scope="module")
def own_bundle(drawn_bundle, tmp_path_factory):
    """The bundle of the drawn set, with held-out answers at random: sure and unsure, right and wrong."""
    predictions = bundles.read(drawn_bundle).predictions
    probability = np.random.default_rng(4).random(len(predictions)).round(6)
    predictions = predictions.assign(probability=probability)
    return copy_bundle(drawn_bundle, tmp_path_factory.mktemp("own") / "bundle", predictions=predictions)


@pytest.fixture
def predictions(own_bundle):
    return bundles.read(own_bundle).predictions


@pytest.fixture
def visit(looked_through, own_bundle, monkeypatch):
    """Open the Dataset page at an address; return the app."""

    def start(bundle=own_bundle, data=looked_through, **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle))
        return open_page("dataset", **query)

    return start


def cards(page, key="gallery-grid"):
    """What the grid was given to show."""
    (component,) = [g for g in page.get("bidi_component") if g.proto.id.endswith(key)]
    return json.loads(component.proto.json)["cards"]


def matching(page):
    """What the line says matches: images, of all, ALL, Normal, unlabelled, patients, groups."""
    (line,) = [m.value for m in page.markdown if "match" in m.value]
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", line)]


def test_without_a_set_the_page_says_how_to_come_by_one(visit, tmp_path):
    for section in ("overview", "gallery", "unlabelled"):
        page = visit(data=tmp_path / "nothing", section=section)
        assert not page.error
        assert "No images have been imported yet." in said(page)
        assert "python -m" not in said(page)
        assert "Prepare the sample set" in {button.label for button in page.button}


def test_a_damaged_manifest_is_a_sentence(visit, tmp_path):
    Workspace(tmp_path).manifest.write_text("image_id,path\n")
    page = visit(data=tmp_path)
    assert "lacks columns:" in page.error[0].value.replace("\\", "")


def test_the_overviews_counts_are_those_of_the_files(visit, looked_through, cells):
    page = visit()
    shown = {metric.label: int(metric.value.replace(",", "")) for metric in page.metric}
    on_disk = {
        "Normal": len(list((looked_through / "labeled_images" / "Normal").iterdir())),
        "ALL": len(list((looked_through / "labeled_images" / "ALL").iterdir())),
        "Unlabelled": len(list((looked_through / "unlabeled_images").iterdir())),
    }
    assert min(on_disk.values()) > 0
    named = [
        path
        for folder in ("Normal", "ALL")
        for path in (looked_through / "labeled_images" / folder).iterdir()
    ]
    patients = {
        re.search(r"UID_([Hh]?\d+)_", path.name).group(1).upper() for path in named if "UID" in path.name
    }
    assert shown == on_disk | {
        "Images": sum(on_disk.values()),
        "Patients": cells.loc[cells["patient"] != "", "patient"].nunique(),
        "Patient groups": cells.loc[cells["patient_group"] != "", "patient_group"].nunique(),
    }
    assert patients <= set(cells["patient"])
    assert len(patients) > 5


def test_each_chart_has_a_title_units_and_a_sentence(visit):
    page = visit()
    figures = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    titles = [figure["layout"]["title"]["text"] for figure in figures]
    assert titles == [
        "Images per patient",
        "Split composition: images",
        "Split composition: patient groups",
        "Cell size by class",
        "Cell size by source and class",
        "Cell brightness by class",
        "Frame sizes",
    ]
    for figure in figures:
        assert figure["layout"]["xaxis"]["title"]["text"]
        assert figure["layout"]["yaxis"]["title"]["text"]
    drawn = [part.proto.body for part in page.get("html") if "by class and source" in part.proto.body]
    for html, what in zip(drawn, ("Images", "Patients"), strict=True):
        assert f"<caption>{what} by class and source</caption>" in html
        assert f'<th scope="col">{what}</th>' in html
    assert len([caption for caption in page.caption if len(caption.value) > 40]) >= len(figures) + 2
    assert "synthetic drawings" in said(page)


def test_the_charts_show_what_the_manifest_holds(visit, cells):
    page = visit()
    figures = {
        f["layout"]["title"]["text"]: f for f in (json.loads(c.proto.spec) for c in page.get("plotly_chart"))
    }
    bars = next(part.proto.body for part in page.get("html") if "Images by class" in part.proto.body)
    counts = [int(count.replace(",", "")) for count in re.findall(r"<span>([\d,]+)</span>", bars)]
    assert sorted(counts) == sorted(cells.groupby(["source", "label"]).size())
    tail = figures["Images per patient"]["data"]
    known = cells[(cells["label"] != "") & (cells["patient"] != "")]
    heights = sorted(value for bars in tail for value in values(bars["y"]))
    assert heights == sorted(known.groupby("patient").size())
    spread = figures["Cell size by class"]["data"]
    assert all(sum(values(bars["y"])) == pytest.approx(100) for bars in spread)
    frames = figures["Frame sizes"]["data"][0]
    each = cells.groupby(["width", "height"]).size()
    assert dict(zip(values(frames["y"]), values(frames["x"]), strict=True)) == {
        f"{width} × {height}": count for (width, height), count in each.items()
    }
    groups = figures["Split composition: patient groups"]["data"]
    assert sum(value for bars in groups for value in values(bars["y"])) == known["patient_group"].nunique()


def values(column):
    """A chart's column, as Plotly writes it: a list, or packed numbers."""
    if isinstance(column, list):
        return column
    import base64

    return list(np.frombuffer(base64.b64decode(column["bdata"]), np.dtype(column["dtype"])))


def test_without_a_model_the_page_works_and_says_what_is_missing(visit, tmp_path):
    page = visit(bundle=tmp_path / "no model")
    assert "Each model has its own split" in said(page)
    page = visit(bundle=tmp_path / "no model", section="gallery", outcome="wrong", sort="wrongest")
    assert "need a model in service" in said(page)
    assert "Subset" not in [one.label for one in page.multiselect]
    assert [slider.label for slider in page.slider] == ["Cell size (frame pixels)"]
    # A condition on answers that nobody gave must not hide every cell.
    assert matching(page)[0] == matching(page)[1]
    assert len(cards(page)) == grid.PAGE_SIZE


def test_a_model_of_another_set_is_told_apart(visit, tiny_bundle):
    page = visit(bundle=tiny_bundle, section="gallery")
    assert "no held-out answer for any cell here" in said(page)
    assert "The model in service was trained on another set" in said(visit(bundle=tiny_bundle))


def test_filters_combine_and_live_in_the_address(visit, cells, predictions):
    page = visit(section="gallery")
    assert matching(page)[0] == len(cells)
    widget(page.multiselect, "Class").set_value(["ALL"]).run()
    widget(page.multiselect, "Subset").set_value(["test"]).run()
    widget(page.multiselect, "Right or wrong").set_value(["wrong"]).run()
    answers = cells.merge(predictions[["image_id", "probability"]], on="image_id")
    wanted = answers[(answers["label"] == "ALL") & (answers["probability"] < THRESHOLD)]
    assert matching(page)[:4] == [len(wanted), len(cells), len(wanted), 0]
    assert {card["title"] for card in cards(page)} == set(wanted["path"])
    assert dict(page.query_params) == {
        "section": ["gallery"],
        "class": ["ALL"],
        "split": ["test"],
        "outcome": ["wrong"],
    } or dict(page.query_params) == {
        "section": "gallery",
        "class": "ALL",
        "split": "test",
        "outcome": "wrong",
    }
    press(page, "Clear filters")
    assert matching(page)[0] == len(cells)
    assert "class" not in page.query_params


def test_ranges_live_in_the_address_too(visit, cells):
    page = visit(section="gallery")
    slider = widget(page.slider, "Cell size (frame pixels)")
    slider.set_value((25_000, slider.max)).run()
    wanted = cells[cells["cell_area"] >= 25_000]
    assert 0 < matching(page)[0] == len(wanted) < len(cells)
    assert str(page.query_params["size"]).strip("[]'").startswith("25000-")
    slider = widget(page.slider, "Cell size (frame pixels)")
    slider.set_value((slider.min, slider.max)).run()
    assert "size" not in page.query_params


def test_an_address_opens_with_its_filters_in_the_widgets(visit, cells):
    page = visit(section="gallery", patient=["20", "21"], size="10000-60000", sort="largest")
    assert widget(page.multiselect, "Patient").value == ["20", "21"]
    assert widget(page.slider, "Cell size (frame pixels)").value[0] >= 10_000
    assert widget(page.selectbox, "Sorted by").value == "largest"
    wanted = cells[cells["patient"].isin(["20", "21"]) & cells["cell_area"].between(10_000, 60_000)]
    shown = [card["title"] for card in cards(page)]
    assert shown == list(wanted.sort_values("cell_area", ascending=False, kind="stable")["path"])


@pytest.mark.parametrize(
    "query",
    [
        {"patient": "<b>nobody</b>"},
        {"class": "AML"},
        {"size": "1-2"},
        {"page": "999999999"},
        {"page": "-3"},
        {"sort": "nonsense"},
        {"probability": "2-9"},
        {"size": "abc"},
        {"section": "nowhere"},
    ],
)
def test_a_made_up_address_is_no_error(visit, query):
    page = visit(**({"section": "gallery"} | query))
    assert not page.error
    assert not [text for text in said(page).split("\n") if "went wrong" in text]


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_can_be_chosen(visit, sort):
    page = visit(section="gallery")
    widget(page.selectbox, "Sorted by").set_value(sort).run()
    assert not page.error
    assert len(cards(page)) == grid.PAGE_SIZE


def test_pages_turn_and_a_filter_begins_at_the_first(visit, cells):
    page = visit(section="gallery")
    first = [card["title"] for card in cards(page)]
    page.get("pagination")[0].set_value(2).run()
    assert str(page.query_params["page"]).strip("[]'") == "2"
    second = [card["title"] for card in cards(page)]
    assert first + second == list(cells["path"])[: 2 * grid.PAGE_SIZE]
    widget(page.multiselect, "Class").set_value(["ALL"]).run()
    assert "page" not in page.query_params


def test_a_card_says_label_answer_and_synthetic(visit, cells, predictions):
    page = visit(section="gallery", split="test")
    answers = dict(zip(predictions["image_id"], predictions["probability"], strict=True))
    labels = dict(zip(cells["image_id"], cells["label"], strict=True))
    shown = cards(page)
    assert shown
    for card in shown:
        assert card["badges"] == ["synthetic"]
        assert labels[card["id"]] in card["label"]
        answer, number, kind = card["lines"][0]
        calls_all = answers[card["id"]] >= THRESHOLD
        assert (ALL_LIKE if calls_all else NORMAL_LIKE) in answer
        assert number == f"{answers[card['id']]:.3f}"
        assert (kind == "wrong") is (calls_all != (labels[card["id"]] == "ALL"))
        assert card["picture"]


def test_an_opened_cell_shows_its_record_and_the_patients_others(visit, cells, predictions):
    copies = cells[cells["image_id"].duplicated(keep=False) & (cells["patient"] == "20")]
    image_id = copies["image_id"].iloc[0]
    page = visit(section="gallery", cell=image_id)
    text = said(page)
    assert "synthetic drawing" in text
    for path in cells.loc[cells["image_id"] == image_id, "path"]:
        assert path in text
    assert "Identical to" in text
    others = [card["title"] for card in cards(page, "others-20")]
    assert set(others) <= set(cells.loc[cells["patient"] == "20", "path"])
    assert len(others) == (cells["patient"] == "20").sum() - 1
    press(page, f"All {len(others) + 1} cells of patient 20 in the gallery")
    assert "cell" not in page.query_params
    assert matching(page)[0] == len(others) + 1


def test_an_opened_cell_says_the_answer_or_why_there_is_none(visit, cells, predictions, own_bundle):
    held_out = predictions.iloc[0]
    text = said(visit(section="gallery", cell=held_out["image_id"]))
    assert f"{held_out['probability']:.3f}" in text
    assert "the model was not trained on this patient" in text
    trained_on = bundles.read(own_bundle).record.split.training.groups
    learned = cells[cells["patient_group"].isin(trained_on)]["image_id"].iloc[0]
    assert "the model was trained on this patient" in said(visit(section="gallery", cell=learned))
    unlabelled = cells[cells["label"] == ""]["image_id"].iloc[0]
    assert "Unlabelled cells have no held-out answer" in said(visit(section="gallery", cell=unlabelled))


def test_a_models_band_is_a_filter_and_a_word_on_the_card(visit, own_bundle, predictions, tmp_path):
    folder = shutil.copytree(own_bundle, tmp_path / "banded")
    band = {"low": 0.3, "high": 0.7, "missed": 0.05, "alarmed": 0.05}
    edit(folder, {"indeterminate": band})
    within = predictions[predictions["probability"].between(0.3, 0.7, inclusive="left")]
    page = visit(bundle=folder, section="gallery", decision="indeterminate", cell=within["image_id"].iloc[0])
    assert {card["id"] for card in cards(page)} == set(within["image_id"])
    assert all(card["lines"][0][0] == f"◆ {decisions.INDETERMINATE}" for card in cards(page))
    assert f"Indeterminate. {REVIEW}" in said(page)
    assert widget(page.multiselect, "The model's answer").value == ["indeterminate"]


def test_an_unknown_cell_is_told(visit):
    page = visit(section="gallery", cell="<script>")
    assert "No image in this set has this identifier" in said(page)
    assert "<script>" not in said(page)


def test_what_was_selected_on_the_map_narrows_the_gallery(visit, cells):
    page = visit(section="gallery")
    selected = list(cells["image_id"].drop_duplicates()[3:8])
    page.session_state[address.SELECTED_ON_MAP] = selected
    page.query_params["selection"] = "map"
    page.run()
    assert {card["id"] for card in cards(page)} == set(selected)
    press(page, "5 cells selected on the map")
    assert matching(page)[0] == len(cells)
    assert "selection" not in page.query_params
    assert address.SELECTED_ON_MAP not in page.session_state


def test_a_selection_of_another_visit_is_told(visit, cells):
    page = visit(section="gallery", selection="map")
    assert "made in another session" in page.warning[0].value
    assert matching(page)[0] == len(cells)


def test_images_named_in_the_address_have_a_chip(visit, cells):
    page = visit(section="gallery", image=list(cells["image_id"].drop_duplicates()[:2]))
    assert matching(page)[0] == cells["image_id"].isin(cells["image_id"].drop_duplicates()[:2]).sum()
    press(page, "2 cells from the link")
    assert matching(page)[0] == len(cells)


def test_names_from_files_reach_the_card_as_text(visit, drawn_set, cells, tmp_path):
    name = "<img src=x onerror=alert(1)>"
    data = shutil.copytree(drawn_set, tmp_path / "odd")
    manifest.write(data, cells.assign(patient=name, source="**bold**"))
    brightness.measure(data, workers=2)
    page = visit(data=data, section="gallery", cell=cells["image_id"].iloc[0])
    assert name not in said(page, escaped=True)
    assert f"Patient {name}" in [card["who"] for card in cards(page)]
    assert name not in said(visit(data=data), escaped=True)


def test_unlabelled_cells_are_selected_and_sent_to_classify(visit, cells, looked_through):
    page = visit(section="unlabelled")
    unlabelled = cells[cells["label"] == ""]
    assert {card["title"] for card in cards(page, "unlabelled-grid")} == set(unlabelled["path"])
    assert widget(page.button, "Send to Classify").disabled
    press(page, f"Select all {len(unlabelled)}")
    assert all(card["picked"] for card in cards(page, "unlabelled-grid"))
    press(page, f"Send {len(unlabelled)} to Classify")
    assert not page.exception
    assert page.title[0].value == "Classify cells"
    names = {path.rsplit("/", 1)[-1] for path in unlabelled["path"]}
    text = said(page)
    assert all(name in text for name in names)
    assert text.count('class="drawn"') == len(unlabelled)


def test_without_a_model_nothing_is_sent(visit, tmp_path):
    page = visit(bundle=tmp_path / "no model", section="unlabelled")
    press(page, next(button.label for button in page.button if button.label.startswith("Select all")))
    assert next(button for button in page.button if button.label.startswith("Send")).disabled
    assert "cannot be classified without a model" in said(page)


def test_a_set_without_unlabelled_images_says_so(visit, drawn_set, cells, tmp_path):
    data = shutil.copytree(drawn_set, tmp_path / "labelled")
    manifest.write(data, cells[cells["label"] != ""])
    assert "no unlabelled image" in visit(data=data, section="unlabelled").info[0].value


def test_an_unreadable_file_costs_its_picture_only(visit, looked_through, tmp_path, cells):
    data = shutil.copytree(looked_through, tmp_path / "torn")
    shutil.rmtree(data / "cache" / "thumbnails")
    lost = data / cells["path"].iloc[0]
    lost.write_bytes(b"not a picture")
    page = visit(data=data, section="gallery", cell=cells["image_id"].iloc[0])
    shown = cards(page)
    assert [bool(card["picture"]) for card in shown] == [
        card["title"] != cells["path"].iloc[0] for card in shown
    ]
    assert "Not a readable image" in said(page)


def test_no_image_is_kept_in_a_cache_shared_by_sessions(visit, monkeypatch):
    """Pixels are in the data folder and in the page that asked for them, nowhere else."""
    import streamlit as st
    from streamlit.runtime.caching.cache_data_api import CachedDataFuncInfo
    from streamlit.runtime.caching.cache_utils import CachedFunc

    kept = []
    call = CachedFunc.__call__

    def watched(self, *given, **named):
        result = call(self, *given, **named)
        if isinstance(self._info, CachedDataFuncInfo):
            kept.append(result)
        return result

    monkeypatch.setattr(CachedFunc, "__call__", watched)
    st.cache_data.clear()
    visit(section="gallery")
    assert not [value for value in kept if b"JFIF" in repr(value).encode()]


def test_a_card_of_a_doubted_label_says_so():
    record = Record(
        "a" * 64,
        "x.webp",
        "x.bmp",
        "ALL",
        "7",
        "7",
        "fold_0",
        450,
        450,
        30_000,
        None,
        "unknown",
        None,
        "unknown",
        "unknown",
        "ALL",
        "doubted",
    )
    card = grid.card(record, None)
    assert card["badges"] == ["label doubted"]
    assert card["picture"] == ""
    assert "label doubted" in card["spoken"]


def test_pictures_are_jpegs_of_one_size(visit):
    import base64
    import io

    for card in cards(visit(section="gallery"))[:5]:
        picture = Image.open(io.BytesIO(base64.b64decode(card["picture"])))
        assert (picture.format, picture.size) == ("JPEG", (160, 160))
