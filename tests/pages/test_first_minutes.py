"""A fresh install without data: what each page shows at once, and the guided tour."""

import pytest

from leukemia import jobs, settings
from leukemia.bundles import bundle as bundles
from leukemia.cases import cells, worklist
from leukemia.dataset.demonstration import cells as demonstration
from leukemia.settings import SHIPPED
from pages.components import tour
from pages.sections.cases import sample_case
from tests.support.app import dashboard, go, open_page, press, said
from tests.support.bundle_factory import edit
from tests.support.gallery_page import cards

PAGES = ("classify", "cases", "dataset", "performance", "training")


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Open a page on a data folder that is not there yet, with the model that comes with the program."""
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "fresh"))
    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    return open_page


@pytest.mark.parametrize("name", PAGES)
def test_each_page_says_what_it_is_for_and_spells_all_out_once(fresh, name):
    text = said(fresh(name)).split("## ")[0]  # without the model card
    assert text.lower().count("acute lymphoblastic leukemia") == 1
    assert "(ALL)" in text or "ALL (acute" in text


def test_the_real_cells_stand_under_unlabelled_at_once_and_go_to_classify(fresh):
    page = fresh("dataset", section="unlabelled")
    shown = cards(page, "real-cells-grid")
    assert {card["id"] for card in shown} == {record.image_id for record in demonstration.records()}
    assert all(card["picture"] for card in shown)
    assert demonstration.CREDIT in said(page)
    press(page, "Send them to Classify")
    assert page.title[0].value == "Classify cells"
    assert demonstration.CREDIT in said(page)


def test_a_real_cell_opens_large_without_a_set(fresh):
    record = demonstration.records()[0]
    text = said(fresh("dataset", section="unlabelled", cell=record.image_id))
    assert f"{record.cell_area:,} frame pixels" in text
    assert "data:image/png" in text


def test_what_the_set_holds_itself_is_not_shown_twice(open_dataset):
    own = cards(open_dataset("unlabelled"), "unlabelled-grid")
    shipped = cards(open_dataset("unlabelled"), "real-cells-grid")
    assert len(shipped) == 16
    assert not {card["id"] for card in own} & {card["id"] for card in shipped}


def test_the_built_in_models_epochs_are_a_finished_run(fresh, tmp_path):
    page = fresh("training", section="runs")
    record = bundles.read(SHIPPED).record
    text = said(page)
    assert f"{record.epochs.run} epochs on {record.split.training.cells['ALL']:,} ALL cells" in text
    charts = page.get("arrow_vega_lite_chart") or page.get("vega_lite_chart")
    assert len(charts) == 2
    assert not (tmp_path / "fresh").exists(), "a look makes no registry"


def test_a_model_without_epochs_on_record_shows_none(monkeypatch, fresh, copied_bundle):
    edit(copied_bundle, {"history": []})
    monkeypatch.setattr("leukemia.settings.SHIPPED", copied_bundle)
    monkeypatch.setenv("LEUKEMIA_MODEL", str(copied_bundle))
    text = said(fresh("training", section="runs"))
    assert "epochs on" not in text


@pytest.mark.process
def test_one_press_prepares_the_sample_set_and_queues_a_short_training(fresh, tmp_path):
    page = press(fresh("training", section="new"), "Train on the sample set")
    data = tmp_path / "fresh"
    preparing = jobs.running(data, jobs.Lane.CHANGE)
    try:
        assert preparing.arguments[:2] == ("prepare", "--sample")
        (waiting,) = jobs.waiting(data)
        assert waiting.arguments[:3] == ("train", "--recipe", "reference-cnn")
        assert page.query_params["section"] == "now"
        assert "Import of the sample set" in said(page)
        assert "Short training on the sample set" in said(page)
    finally:
        jobs.drop(data, jobs.waiting(data)[0].id)
        jobs.cancel(preparing, grace=1)


def test_the_tour_leads_over_the_pages_in_seven_sentences(fresh):
    page = press(fresh("classify"), "Guided tour")
    seen = []
    for number, step in enumerate(tour.STEPS, 1):
        assert f"Tour, {number} of 7." in said(page)
        assert step.sentence in said(page)
        assert step.sentence.count(".") == 1, "one sentence a step"
        seen.append(page.title[0].value)
        if number < len(tour.STEPS):
            press(page, "Next")
    assert seen == [
        *["Classify cells"] * 2,
        "Cases",
        "Dataset",
        "Performance",
        "Training",
        "Performance",
    ]
    press(page, "Back")
    assert page.title[0].value == "Training"
    press(page, "End the tour")
    assert "Tour, " not in said(page)


@pytest.mark.parametrize(("asked", "number"), [("", 1), ("4", 4), ("99", 7), ("x", 1), ("0", 1)])
def test_an_address_opens_the_tour_at_a_step(fresh, asked, number):
    page = dashboard()
    page.query_params["demo"] = asked
    page.run()
    assert not page.exception
    assert f"Tour, {number} of 7." in said(page)
    assert "demo" not in page.query_params


def test_one_press_makes_a_case_of_the_sample_cells(fresh):
    page = press(fresh("cases"), "Make a case of the sample cells")
    data = settings.load().data
    (one,) = worklist.worklist(data)
    found = cells.cells(data, one.case.id)
    assert {cell.image_id for cell in found} == {record.image_id for record in demonstration.records()}
    assert all(cell.name == "" and not cell.drawn for cell in found)
    assert one.case.identifier == sample_case.IDENTIFIER
    assert one.case.created_by == sample_case.NOBODY
    assert one.case.identifier in said(page)
    press(page, "All cases")
    assert "Make a case of the sample cells" not in {button.label for button in page.button}


def test_what_the_tour_names_to_press_is_there(fresh):
    page = fresh("classify")
    for step in tour.STEPS:
        query = {"section": step.section} if step.section else {}
        labels = {button.label for button in go(page, step.page, **query).button}
        named = step.sentence.split("**")[1:2]
        assert set(named) <= labels


def test_the_errors_page_says_how_to_see_the_pictures(fresh):
    assert "Dataset › Import" in said(fresh("performance", section="errors"))
