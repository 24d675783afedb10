"""Cards of the gallery and one cell opened, without a browser."""

import shutil

from PIL import Image

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.dataset.catalog import brightness
from leukemia.dataset.catalog.records import Record
from leukemia.inference import decisions
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from pages.components.cell_grid import REVIEW
from pages.sections.dataset import grid
from tests.support import gallery_page
from tests.support.app import press, said, widget
from tests.support.bundle_factory import edit
from tests.support.gallery_page import THRESHOLD, cards, matching

cells, own_bundle = gallery_page.cells, gallery_page.own_bundle
predictions, visit = gallery_page.predictions, gallery_page.visit


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


def test_names_from_files_reach_the_card_as_text(visit, drawn_set, cells, tmp_path):
    name = "<img src=x onerror=alert(1)>"
    data = shutil.copytree(drawn_set, tmp_path / "odd")
    manifest.write(data, cells.assign(patient=name, source="**bold**"))
    brightness.measure(data, workers=2)
    page = visit(data=data, section="gallery", cell=cells["image_id"].iloc[0])
    assert name not in said(page, escaped=True)
    assert f"Patient {name}" in [card["who"] for card in cards(page)]
    assert name not in said(visit(data=data), escaped=True)


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
