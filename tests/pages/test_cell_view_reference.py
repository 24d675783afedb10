"""An opened cell beside the training cells: neighbours and measures."""

import json
import shutil

import pytest

from leukemia import jobs
from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.inference import features
from leukemia.jobs import JobKind
from pages.components import cell_view_reference
from tests.support.app import press, said, wait
from tests.support.bundle_factory import write_predictions


@pytest.fixture
def learned_bundle(drawn_bundle, dataset, tmp_path):
    """The tiny network as trained on two thirds of the patients of this very set."""
    return shutil.copytree(drawn_bundle, tmp_path / "learned")


def training_cells(bundle, dataset):
    split = json.loads((bundle / bundles.RECORD).read_text())["split"]
    groups = {*split["training"]["groups"], *split["validation"]["groups"]}
    cells = manifest.read(dataset)
    return cells[cells["patient_group"].isin(groups) & (cells["label"] != "")]


def open_cell(open_dataset, bundle, image_id):
    return open_dataset("gallery", bundle=bundle, cell=image_id)


def cards(page):
    return [one.proto.body for one in page.get("html") if "cell-near" in one.proto.body[:40]]


def tables(page):
    return [
        one.proto.body for one in page.get("html") if 'class="cell-facts cell-measures"' in one.proto.body
    ]


def test_neighbours_of_each_class_are_shown_with_patient_and_distance(open_dataset, learned_bundle, dataset):
    cells = manifest.read(dataset)
    features.extract_cached(bundles.read(learned_bundle), dataset, cells, workers=2)
    known = training_cells(learned_bundle, dataset)
    image_id = known["image_id"].iloc[0]
    page = open_cell(open_dataset, learned_bundle, image_id)
    near = cards(page)
    assert [f"<b>{label}</b>" in card for label, card in zip(("ALL", "Normal"), near, strict=True)] == [
        True
    ] * 2
    for card in near:
        assert card.count("data:image/jpeg") == card.count("distance") == 3
    text = said(page)
    assert "This image is itself a training cell" in text
    assert "taken at random" in text
    # Both classes have a range for each measure.
    (measures,) = tables(page)
    assert measures.count('class="range all"') == measures.count('class="range normal"') == 4
    assert "not the model's reasons" in text


def test_without_the_set_the_measures_stand_alone(app, drawn_files, monkeypatch, tmp_path):
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "none"))
    page = app()
    path = sorted(drawn_files.iterdir())[0]
    page.file_uploader[0].set_value([(path.name, path.read_bytes(), "image/bmp")]).run()
    page.session_state["classify-opened-cell"] = page.session_state.batch.results[0].key
    page.run()
    assert not page.exception
    assert cell_view_reference.NO_SET in said(page)
    (measures,) = tables(page)
    assert "µm²" in measures and 'class="range' not in measures


def test_another_set_than_the_models_is_said(open_dataset, learned_bundle, dataset):
    # It was tested on a cell that is not in this set.
    predictions = bundles.read(learned_bundle).predictions
    first = predictions.index == predictions.index[0]
    elsewhere = predictions["image_id"].mask(first, 64 * "0")
    write_predictions(learned_bundle, predictions.assign(image_id=elsewhere))
    page = open_cell(open_dataset, learned_bundle, manifest.read(dataset)["image_id"].iloc[0])
    assert cell_view_reference.ANOTHER_SET in said(page)
    assert cell_view_reference.READ not in [button.label for button in page.button]


@pytest.mark.process
@pytest.mark.slow
def test_the_training_cells_are_read_in_the_background(open_dataset, learned_bundle, dataset):
    image_id = training_cells(learned_bundle, dataset)["image_id"].iloc[0]
    page = open_cell(open_dataset, learned_bundle, image_id)
    assert not cards(page)
    press(page, cell_view_reference.READ)
    wait(page, jobs.latest(dataset, JobKind.MAP))
    assert len(cards(page)) == 2
