"""The unlabelled images of the Dataset page, without a browser: selected and sent to Classify."""

import shutil

from leukemia.dataset import manifest
from tests.support import gallery_page
from tests.support.app import press, said, widget
from tests.support.gallery_page import cards

cells, own_bundle, visit = gallery_page.cells, gallery_page.own_bundle, gallery_page.visit


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
