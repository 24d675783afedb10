"""A cell, opened, on each page that opens one. What the keys do is a browser's test."""

import io

import numpy as np
import pytest
from PIL import Image

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.inference import occlusion
from leukemia.inference.classifier import Classifier
from leukemia.inference.learned import Learned
from leukemia.operating_point import OperatingPoint
from pages.components import cell_view_html, cell_view_why
from pages.sections.performance import errors
from tests.support.app import press, said
from tests.support.bundle_factory import copy_bundle, edit
from tests.support.performance_page import visiting


@pytest.fixture
def visit(monkeypatch, tmp_path):
    return visiting(monkeypatch, tmp_path)


def labels(page):
    return [button.label for button in page.button]


def pictures(page):
    """Pictures of opened cells and their maps, as pixels."""
    found = []
    for element in page.get("html"):
        for part in element.proto.body.split('src="data:image/png;base64,')[1:]:
            found.append(part.split('"')[0])
    import base64

    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one)))) for one in found]


@pytest.fixture
def classified(app, drawn_files):
    page = app()
    files = [(path.name, path.read_bytes(), "image/bmp") for path in sorted(drawn_files.iterdir())[:4]]
    page.file_uploader[0].set_value(files).run()
    return page


def open_first(page, place="classify"):
    keys = {result.answer.probability: result.key for result in page.session_state.batch.results}
    page.session_state[f"{place}-opened-cell"] = keys[max(keys)]
    page.run()
    assert not page.exception
    return page


def test_nothing_is_open_until_a_card_is_pressed(classified):
    assert "Next" not in labels(classified)
    body = "".join(element.proto.body for element in classified.get("html"))
    assert body.count("data-open=") == 4


def test_a_cell_is_shown_as_the_model_reads_it(classified, drawn_files, tiny_bundle):
    page = open_first(classified)
    best = max(page.session_state.batch.results, key=lambda result: result.answer.probability)
    expected = crop_cell(read_cell(drawn_files / best.answer.name), 256)
    (shown,) = pictures(page)
    assert (shown == expected).all()
    text = said(page)
    assert "5 µm" in text and "may be off by 20%" in text
    assert bundles.read(tiny_bundle).name in text
    assert "For research use only" in text


def test_the_arrows_step_through_the_cells_and_end_at_the_last(classified):
    page = open_first(classified)
    answers = sorted((r.answer for r in page.session_state.batch.results), key=lambda one: -one.probability)
    for number, answer in enumerate(answers, 1):
        assert f"{number} of 4" in said(page)
        assert cell_view_html.facts([("Cell", answer.name)])[25:-8] in said(page, escaped=True)
        if number < 4:
            press(page, "Next")
    (forward,) = [one for one in page.button if one.label == "Next"]
    assert forward.disabled
    press(page, "Previous")
    assert "3 of 4" in said(page)


def test_the_map_is_computed_when_it_is_asked_for_and_belongs_to_its_cell(classified, tiny_bundle):
    page = open_first(classified)
    assert "Zeiler" not in said(page)
    press(page, cell_view_why.ASK)
    assert cell_view_why.LIMITS in said(page)
    crop, overlaid = pictures(page)
    assert (overlaid[crop.max(axis=2) == 0] == 0).all()
    shown = occlusion.explain(Classifier.load(tiny_bundle).predict_each, crop)
    assert f"With one region covered it gives between **{shown.lowest:.3f}**" in said(page)
    press(page, "Next")
    assert "Zeiler" not in said(page)
    press(page, "Previous")
    assert "Zeiler" in said(page)


def test_a_cell_that_goes_closes_its_window(classified):
    page = open_first(classified)
    press(page, "Clear")
    assert not page.exception
    assert "Next" not in labels(page)


def test_an_error_is_opened_with_its_label_and_its_held_out_answer(visit, drawn_bundle, dataset):
    page = visit(drawn_bundle, "errors", data=dataset)
    body = "".join(element.proto.body for element in page.get("html"))
    key = body.split('data-open="')[1].split('"')[0]
    page.session_state[f"{errors.KEY}-opened-cell"] = key
    page.run()
    assert not page.exception
    text = said(page)
    assert "held out" in text and "Label" in text and "1 of" in text
    press(page, cell_view_why.ASK)
    assert "The map is of the model itself" in said(page)


def test_of_a_split_by_image_no_answer_is_said_to_be_of_a_network_that_had_not_seen_the_patient(
    visit, drawn_bundle, dataset, open_dataset, tmp_path
):
    leaky = edit(copy_bundle(drawn_bundle, tmp_path / "leaky"), {"split.by": "image"})
    page = visit(leaky, "errors", data=dataset)
    body = "".join(element.proto.body for element in page.get("html"))
    page.session_state[f"{errors.KEY}-opened-cell"] = body.split('data-open="')[1].split('"')[0]
    page.run()
    assert "The model learned from this cell" in said(page)
    press(page, cell_view_why.ASK)
    text = said(page)
    assert "The map is of the model itself" in text and "had not seen this patient" not in text
    answered = bundles.read(leaky).predictions["image_id"].iloc[0]
    page = press(open_dataset("gallery", bundle=leaky, cell=answered), cell_view_why.ASK)
    text = said(page)
    assert "The model was trained on other cells of this patient" in text
    assert "The map is of the model itself" in text and "had not seen this patient" not in text


def test_where_no_answer_is_shown_the_map_is_not_compared_with_one(open_dataset, drawn_bundle, dataset):
    cells = manifest.read(dataset)
    learned = cells["patient_group"].isin(bundles.read(drawn_bundle).record.split.training.groups)
    for rows, why in (
        (
            cells[learned & (cells["label"] != "")],
            "No answer is shown: the model was trained on this patient",
        ),
        (cells[cells["label"] == ""], "Unlabelled cells have no held-out answer"),
    ):
        page = open_dataset("gallery", cell=rows["image_id"].iloc[0])
        press(page, cell_view_why.ASK)
        text = said(page)
        assert why in text and "The map is of the model itself." in text
        assert "The answer above" not in text and "had not seen this patient" not in text


def test_an_error_without_its_picture_says_where_pictures_come_from(visit, drawn_bundle):
    page = visit(drawn_bundle, "errors")
    body = "".join(element.proto.body for element in page.get("html"))
    page.session_state[f"{errors.KEY}-opened-cell"] = body.split('data-open="')[1].split('"')[0]
    page.run()
    assert "Dataset › Import" in said(page)
    assert cell_view_why.ASK not in labels(page)


def test_an_unknown_key_opens_nothing(visit, drawn_bundle):
    page = visit(drawn_bundle, "errors")
    page.session_state[f"{errors.KEY}-opened-cell"] = "no such cell"
    page.run()
    assert not page.exception
    assert "Next" not in labels(page)


def test_a_label_suspect_has_its_map_and_its_neighbours(open_dataset, dataset):
    page = open_dataset("checks")
    page.session_state["check-open-suspects"] = True
    page.run()
    (grid,) = [g for g in page.get("bidi_component") if g.proto.id.endswith("check-suspects-grid")]
    assert grid
    first, second = manifest.read(dataset)["image_id"][:2]
    page.session_state["check-opened-among"] = [first, second]
    page.query_params["cell"] = first
    page.run()
    assert not page.exception
    assert "1 of 2" in said(page)
    press(page, cell_view_why.ASK)
    assert "The model gives" in said(page)
    press(page, "Next")
    assert "2 of 2" in said(page)


def test_names_from_files_are_text():
    said = cell_view_html.facts([("Cell", "<script>x</script>"), ("Label", "")])
    assert "<script>" not in said and "&lt;script&gt;" in said
    assert "Label" not in said


@pytest.mark.parametrize(
    ("probability", "sentence", "shown"),
    [
        (0.26, "Between 0.203 and 0.674. Normal-like below 0.203,", "0.260"),
        (0.66, "Close to the limit 0.674 (−0.01). Normal-like below 0.203,", "0.660"),
        (
            0.2031,
            "Close to the limit 0.2034 (−0.0003). Normal-like below 0.2034, ALL-like at 0.6744",
            "0.2031",
        ),
    ],
)
def test_the_answer_is_a_sentence_that_agrees_with_the_number_above_it(probability, sentence, shown):
    point = OperatingPoint(0.2034, 0.67438, 0.5)
    html = cell_view_html.answer("a", probability, "", point, Learned(frozenset(), frozenset()))
    assert f"<p>{sentence}" in html
    assert f"<span>{shown}</span>" in html
    assert f"Probability of ALL {shown}." in html
