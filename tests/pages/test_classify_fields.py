"""Fields of a smear on the page: outlined, counted, opened."""

import json

import pytest

from leukemia.imaging.cell import center_crop
from leukemia.inference import on_record
from leukemia.segmentation import segment as segmenting
from pages.components import cell_view_why, scale_bar, stain_choice
from tests.support.app import said, widget
from tests.support.fields import ColourNetwork, encode_field
from tests.support.pictures import ellipse, encoded

TWO = ((200, 200, 60), (450, 300, 60))


@pytest.fixture(autouse=True)
def network(monkeypatch):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)


@pytest.fixture
def drop(app):
    def dropped(**files):
        page = app()
        named = [(f"{name}.png", data, "image/png") for name, data in files.items()]
        page.file_uploader[0].set_value(named).run()
        assert not page.exception
        return page

    return dropped


def cards(page):
    return "".join(one.proto.body for one in page.get("html") if 'class="cells"' in one.proto.body)


def field(page):
    """What the component of the field is given."""
    (one,) = [one for one in page.get("bidi_component") if "leukemia.field" in one.proto.component_name]
    return json.loads(one.proto.json)


def test_a_field_is_shown_with_its_cells_outlined_and_counted(drop):
    page = drop(smear=encode_field(white=(*TWO, (15, 400, 60))))
    shown = field(page)
    assert (shown["width"], shown["height"]) == (640, 480)
    assert [one["label"].split()[1] for one in shown["cells"]] == ["1", "2", "3"]
    assert all(one["points"] and one["spoken"].startswith("Open cell") for one in shown["cells"])
    assert shown["cells"][2]["kind"] == "apart" and "edge cuts" in shown["cells"][2]["spoken"]
    text = said(page)
    assert "**smear.png** · 3 white cells: " in text
    assert "from the field's red cells, taken as 7.2 µm across" in text
    assert "cell 3" in cards(page) and "✕ Not classified" in cards(page)


def test_every_decision_has_a_sign_and_a_line_of_its_own(drop):
    page = drop(smear=encode_field(white=TWO))
    legend = [one.value for one in page.caption if "Click an outline" in one.value]
    assert len(legend) == 1
    for cell in field(page)["cells"]:
        assert cell["label"].split()[0] in legend[0]


def test_a_click_on_an_outline_opens_its_cell(drop):
    page = drop(smear=encode_field(white=TWO))
    key = field(page)["cells"][1]["key"]
    page.session_state["classify-opened-cell"] = key
    page.run()
    assert not page.exception
    assert "smear.png, cell 2" in said(page)


def test_one_of_several_fields_is_chosen_by_its_counts(drop):
    page = drop(a=encode_field(white=TWO), b=encode_field(white=()))
    choice = widget(page.selectbox, "Field (2 in all)")
    assert choice.options[0].startswith("1. a.png: 2 white cells: ")
    assert choice.options[1] == "2. b.png: no white cell found"
    choice.select_index(1).run()
    assert field(page)["cells"] == []
    assert "No white cell was found." in said(page)


def test_a_cell_on_black_has_its_card_and_no_field(drop):
    page = drop(cell=encoded(ellipse()))
    assert not [one for one in page.get("bidi_component") if "leukemia.field" in one.proto.component_name]


def test_names_of_fields_are_escaped(drop):
    page = drop(**{"<img src=x onerror=1>": encode_field(white=TWO)})
    assert "<img src=x" not in cards(page)


def test_cells_whose_scale_is_unknown_wait_for_it_and_are_outlined_meanwhile(drop):
    page = drop(smear=encode_field(white=TWO, red=()))
    assert "1 image is not classified: its scale is unknown" in said(page)
    assert len(field(page)["cells"]) == 2
    page.number_input[0].set_value(0.1)
    widget(page.button, "Use this scale").click().run()
    assert not page.exception
    assert "scale is unknown" not in said(page)


@pytest.fixture
def matched(app, stain_bundle):
    """A page with a field whose cells a model answers only once their stain is matched."""
    page = app(stain_bundle)
    page.file_uploader[0].set_value([("smear.png", encode_field(white=TWO), "image/png")]).run()
    assert not page.exception
    return page


def test_the_stain_of_a_field_is_matched_when_asked_and_the_answers_as_it_is_come_back(matched):
    page = matched
    before = field(page)["cells"]
    assert [one["kind"] for one in before] == ["apart", "apart"]
    assert "(median of 2 whole cells); comparable: 0. A cell is answered up to a distance of 1.50" in said(
        page
    )
    choice = widget(page.toggle, stain_choice.MATCH)
    assert not choice.value, "off unless it is asked for"
    choice.set_value(True).run()
    assert not page.exception
    assert all(one["kind"] != "apart" for one in field(page)["cells"])
    assert " → " in said(page) and "comparable: 0 → 2" in said(page)
    assert stain_choice.BY_FEW in said(page)
    assert "stain matched to the training cells" in said(page)
    widget(page.toggle, stain_choice.MATCH).set_value(False).run()
    assert field(page)["cells"] == before
    assert "stain matched" not in said(page)


def test_a_matched_cell_is_opened_with_what_the_model_read(matched, monkeypatch):
    page = matched
    widget(page.toggle, stain_choice.MATCH).set_value(True).run()
    read = []
    monkeypatch.setattr(cell_view_why, "show", lambda cell, crop, *_: read.append((cell, crop)))
    page.session_state["classify-opened-cell"] = field(page)["cells"][0]["key"]
    page.run()
    assert not page.exception
    cell, crop = read[-1]
    as_it_is = center_crop(cell.crop()[None], crop.shape[0])[0]
    assert (crop == cell.stain.apply(as_it_is)).all() and (crop != as_it_is).any()


def test_matching_goes_on_record_as_an_answer_of_its_own(matched, monkeypatch):
    put = []
    monkeypatch.setattr(on_record, "record", lambda data, answers, *_, **__: put.append(list(answers)))
    page = matched
    widget(page.toggle, stain_choice.MATCH).set_value(True).run()
    widget(page.toggle, stain_choice.MATCH).set_value(False).run()
    assert [[one.stain is not None for one in some] for some in put] == [[True, True]]


def test_a_model_that_records_no_stain_offers_none_of_it(drop):
    page = drop(smear=encode_field(white=TWO))
    assert all(one.disabled for one in page.toggle if one.label == stain_choice.MATCH)


def test_the_scale_of_a_field_is_that_of_its_bar_typed_in(drop):
    page = drop(smear=encode_field(white=TWO, red=()))
    widget(page.number_input, "Length in pixels").set_value(200.0)
    widget(page.number_input, "Length in micrometres").set_value(20.0)
    widget(page.button, scale_bar.USE).click().run()
    assert not page.exception
    assert "0.1 µm per pixel, by a scale bar: 20 µm are 200 pixels" in said(page)
    assert "scale is unknown" not in said(page)


def test_a_bar_without_a_length_is_a_sentence(drop):
    page = drop(smear=encode_field(white=TWO))
    widget(page.button, scale_bar.USE).click().run()
    assert not page.exception
    assert "Say how long the scale bar is" in said(page)
    assert "red cells" in said(page), "the scale stays as it was"
