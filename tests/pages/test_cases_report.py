"""The end of a case on its page, without a browser: settled, summed up, signed, reported."""

import json
from html import unescape

from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cases import cells, signing, summary, verdicts
from leukemia.cases.tables import CELLS
from leukemia.dataset.demonstration import cells as demonstration
from leukemia.inference.learned import Learned
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from leukemia.plots import case_placement
from leukemia.reports import case as report
from leukemia.reports import case_files, case_wording
from leukemia.reports.exchange import results
from leukemia.storage import database
from pages.components import sample_cells
from pages.sections.cases import answered_by, history, readers
from tests.support import review_page
from tests.support.app import fill, press, said, widget
from tests.support.case_factory import bundle_at, make_case, read_all, result
from tests.support.review_page import grid

data, visit = review_page.data, review_page.visit


def test_a_disagreement_is_settled_on_the_page(visit, data):
    case = make_case(data)
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Ben")
    page = visit(case=case.id, section="readers")
    assert "The readers disagree on 1 cell" in said(page)
    press(page, "Settle cell 1")
    assert "Choose a verdict first." in said(page)
    widget(page.radio, "Settle it as").set_value(INDETERMINATE)
    fill(page, "Reason", "Seen together")
    press(page, "Settle cell 1")
    (cell,) = cells.cells(data, case.id)[:1]
    assert (cell.verdict, cell.settlement.who) == (INDETERMINATE, "Ada")
    assert "settled as **Indeterminate**" in said(page)
    assert "the same verdict on 0 of 1 cell" in said(page)
    assert readers.ALL_SETTLED in said(page)
    assert readers.NONE not in said(page)
    assert readers.NONE in said(visit(case=make_case(data, "P-2", first=10).id, section="readers"))


def test_a_case_is_signed_then_read_only_then_reopened(visit, data):
    case = make_case(data)
    page = visit(case=case.id, section="report")
    assert "1 indeterminate (cell 2), 2 not classified (cells 4, 5)" in said(page)
    assert not [button for button in page.button if button.label == "Sign"]
    read_all(data, case.id, NORMAL_LIKE)
    page = visit(case=case.id, section="report")
    press(page, "Sign")
    signed = cases.find(data, case.id)
    assert (signed.signed_by, signed.signed_meaning) == ("Ada", signing.MEANINGS[0])
    assert f"Signed by Ada, {signed.signed_at[:10]}" in said(page)
    assert ".." not in said(page)
    assert not page.get("file_uploader")
    assert grid(visit(case=case.id))["locked"]
    page = visit(case=case.id, section="report")
    press(page, "Reopen")
    assert "a reason" in said(page)
    fill(page, "Reason", "Cell 2 again")
    press(page, "Reopen")
    assert not cases.find(data, case.id).is_signed
    assert not grid(visit(case=case.id))["locked"]


def test_the_history_says_nothing_of_a_cell_where_there_is_none_and_is_read_whole(visit, data):
    case = make_case(data, probabilities=(0.9,))
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Ada")
    signed = signing.sign(data, case.id, who="Ada", meaning=signing.MEANINGS[0])
    signing.reopen(data, case.id, who="Ada", reason="again")
    (shown,) = visit(case=case.id, section="history").dataframe
    assert shown.proto.placeholder == "", "not None"
    at = case_wording.when(signed.signed_at)
    assert shown.value["Before"][0] == f"signed by Ada at {at}: {signing.MEANINGS[0]}"
    columns = json.loads(shown.proto.columns)
    assert columns["Before"]["width"] == columns["After"]["width"] == history.WIDEST
    assert shown.proto.row_height > 64, "Streamlit wraps no text in lower rows"
    (plain,) = visit(case=make_case(data, "P-2", first=10).id, section="history").dataframe
    assert not plain.proto.HasField("row_height")


def test_what_changed_since_the_page_was_opened_is_not_signed(visit, data):
    case = make_case(data, probabilities=(0.9, 0.1))
    verdicts.give(data, case.id, [2], NORMAL_LIKE, reader="Ada")
    page = visit(case=case.id, section="report")
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Ben")
    press(page, "Sign")
    assert "the case was changed in the meantime" in said(page)
    assert not cases.find(data, case.id).is_signed


def test_a_model_that_is_gone_is_said(visit, data):
    case = make_case(data)
    page = visit(case=case.id, section="summary")
    assert case_wording.PLACE_GONE in said(page)


def test_where_the_share_lies_is_the_charts_sentence(visit, data, tiny_bundle):
    case = cases.create(data, "P-1", who="Ada")
    bundle = bundles.read(tiny_bundle)
    answered = [result(number, probability) for number, probability in enumerate((0.9, 0.8, 0.1))]
    cells.add(data, case.id, answered, bundle, bundle.operating_point, who="Ada")
    page = visit(case=case.id, section="summary")
    placed = summary.placement(cells.cells(data, case.id), bundle)
    assert case_placement.sentence(placed) in said(page)
    assert "2 of 3 classified cells, 66.7%" in said(page)
    assert len(page.get("plotly_chart")) == 1


def test_the_numbers_of_the_page_are_those_of_the_report(visit, data, tiny_bundle):
    case = cases.create(data, "P-1", who="Ada")
    bundle = bundles.read(tiny_bundle)
    answered = [result(number, probability) for number, probability in enumerate((0.9, 0.8, 0.1, 0.6))]
    cells.add(data, case.id, answered, bundle, bundle.operating_point, who="Ada")
    for reader, verdict in (("Ada", ALL_LIKE), ("Ben", NORMAL_LIKE)):
        verdicts.give(data, case.id, [1, 4], verdict, reader=reader)
    html = unescape(report.render(report.gather(data, case.id, bundle)))
    page = visit(case=case.id, section="summary")
    for row in page.dataframe[0].value.to_numpy():
        assert "".join(f"<td>{text}</td>" for text in row) in html
    shown = [*said(page).split("\n"), *said(visit(case=case.id, section="readers")).split("\n")]
    numbers = [line for line in shown if line.startswith(("ALL-like by", "ALL-like with", "Ada and Ben:"))]
    numbers += [line for line in shown if "patients with ALL" in line]
    assert len(numbers) == 4
    for line in numbers:
        assert f">{line}<" in html


def test_dicom_is_offered_where_there_are_pictures_that_a_page_can_hold(visit, data, monkeypatch):
    def button(case):
        offered = visit(case=case.id, section="report").get("download_button")
        return next(one.proto for one in offered if one.label == "Download DICOM")

    case = make_case(data)
    assert not button(case).disabled
    assert button(make_case(data, "P-2", probabilities=(None,))).help == results.NO_PICTURE
    monkeypatch.setattr(case_files, "MOST_PICTURES", 3)
    assert button(case).disabled
    assert "more than 3 pictures" in button(case).help


def test_a_case_of_cells_that_the_model_learned_from_says_so_and_is_not_placed(visit, data, monkeypatch):
    case = make_case(data, probabilities=(0.9, 0.1))
    (first, _) = cells.cells(data, case.id)
    monkeypatch.setattr(answered_by, "of", lambda *_: bundle_at(data / "bundle"))
    for images in ((), (first.image_id,)):
        known = Learned(frozenset(images), frozenset())
        monkeypatch.setattr(answered_by.model_in_service, "learned_from", lambda _, known=known: known)
        for section in ("review", "summary"):
            text = said(visit(case=case.id, section=section))
            assert ("The model learned from 1 of these 2 cells." in text) is bool(images)


def test_a_summary_says_of_lossy_cells_that_it_is_not_known_whether_the_model_learned_from_them(
    visit, data, monkeypatch
):
    case = make_case(data, probabilities=(0.9, 0.1))
    original, copied = cells.cells(data, case.id)
    monkeypatch.setattr(answered_by, "of", lambda *_: bundle_at(data / "bundle"))
    known = Learned(frozenset({original.image_id}), frozenset())
    monkeypatch.setattr(answered_by.model_in_service, "learned_from", lambda _: known)
    said_of_it = "1 image is a lossy file (such as JPEG): it is not known whether the model learned from it."
    assert said_of_it not in said(visit(case=case.id, section="summary"))
    with database.writing(data) as connection:
        connection.execute(CELLS.update().where(CELLS.c.image_id == copied.image_id).values(lossy=True))
    assert said_of_it in said(visit(case=case.id, section="summary"))


def test_sample_cells_among_others_are_counted():
    shipped = [record.image_id for record in demonstration.records()]
    assert sample_cells.credit(["another"]) == ""
    assert sample_cells.credit(shipped).startswith(sample_cells.ABOUT)
    assert sample_cells.credit([*shipped[:1], "another"]).startswith(
        "Of these cells, 1 is a sample cell. The "
    )
