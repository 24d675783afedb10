"""The Cases page, without a browser."""

import json
from html import unescape

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cases import cells, disagreements, signing, summary, verdicts, worklist
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from leukemia.plots import case_placement
from leukemia.reports import case as report
from leukemia.reports import case_files, case_wording
from leukemia.reports.exchange import results
from pages.components import identity, model_in_service
from pages.sections.cases import address, new_case, opened_cell, readers
from pages.sections.cases import report as report_section
from pages.sections.cases import worklist as worklist_section
from tests.support.app import dashboard, fill, go, open_dashboard, press, said, widget
from tests.support.case_factory import make_case, result

HOSTILE = "<b>P</b> 'x' \"y\" *7* :cat: $z$"


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def visit(data, tiny_bundle, monkeypatch):
    """Open the page at an address, as somebody with a name."""

    def start(name="Ada", **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
        model_in_service.refresh()
        page = dashboard()
        if name:
            page.session_state[identity.NAME] = name
        return go(page, "cases", **{word: str(value) for word, value in query.items()})

    return start


def grid(page):
    """What the review grid was given."""
    (one,) = [part for part in page.get("bidi_component") if "review-" in part.proto.id]
    return json.loads(one.proto.json)


def shown(page):
    """Cells of the review grid, by number."""
    return {cell["number"]: cell for cell in grid(page)["cells"]}


def lines(page, number):
    return [text for text, _ in shown(page)[number]["lines"]]


def listed(page):
    """Identifiers in the list, in its order."""
    return [button.label for button in page.button if (button.key or "").startswith("open-case-")]


def test_without_a_case_the_page_says_how_to_begin_and_writes_nothing(visit, data):
    page = visit()
    assert worklist_section.NONE_YET in said(page, escaped=True)
    assert not data.exists()


def test_a_case_is_begun_and_opens_at_an_address_of_its_own(visit, data):
    page = visit(name="")
    fill(page, "Identifier", HOSTILE)
    widget(page.checkbox, "Keep file names").check()
    for field in page.text_input:
        if field.key == f"{new_case.FORM}-who":
            field.set_value("Ada")
    press(page, "Begin the case")
    (one,) = worklist.worklist(data)
    assert one.case.identifier == HOSTILE
    assert (one.case.keep_names, one.case.blind, one.case.hide_model) == (True, False, False)
    assert page.query_params["case"] == str(one.case.id)
    assert HOSTILE in said(page)
    assert widget(page.text_input, "Your name").value == "Ada"


def test_an_identifier_that_is_taken_or_empty_is_a_sentence(visit, data):
    cases.create(data, "P-1", who="Ada")
    page = visit()
    press(page, "Begin the case")
    assert "give the case an identifier" in said(page)
    fill(page, "Identifier", " P-1 ")
    press(page, "Begin the case")
    assert "There is a case with this identifier already." in said(page)
    assert len(worklist.worklist(data)) == 1


def test_the_list_is_searched_narrowed_and_ordered_in_the_address(visit, data):
    make_case(data, "sure", (0.95, 0.02))
    make_case(data, "unsure", (0.5, 0.55, 0.9), first=20)
    page = visit()
    names = listed(page)
    assert names == ["unsure", "sure"]
    widget(page.text_input, "Search by identifier").set_value("SURE").run()
    widget(page.multiselect, "State").set_value([worklist.TO_REVIEW]).run()
    assert page.query_params["search"] == "SURE"
    assert page.query_params["state"] == worklist.TO_REVIEW
    assert listed(page) == ["unsure"]
    again = visit(state=worklist.TO_REVIEW, order=worklist.MOST_UNCERTAIN, search="nothing")
    assert worklist_section.NO_MATCH in said(again)
    press(visit(), "sure")


@pytest.mark.parametrize("asked", ["999", "x", "-1", "9" * 40, ""])
def test_a_case_that_is_not_there_is_a_sentence(visit, data, asked):
    make_case(data)
    assert "There is no case number" in said(visit(case=asked))


def test_dropped_cells_are_answered_and_on_record(visit, data, drawn_files):
    case = cases.create(data, "P-1", who="Ada")
    page = visit(case=case.id)
    files = [(path.name, path.read_bytes(), "image/bmp") for path in sorted(drawn_files.iterdir())[:5]]
    files.append(("broken.bmp", b"no picture", "image/bmp"))
    page.file_uploader[0].set_value(files).run()
    assert not page.exception
    found = cells.cells(data, case.id)
    assert len(found) == 6
    assert {cell.name for cell in found} == {""}
    (broken,) = [cell for cell in found if not cell.image_id]
    assert broken.error in lines(page, broken.number)
    assert [cell.probability is None for cell in found].count(True) == 1
    page.run()
    assert len(cells.cells(data, case.id)) == 6
    again = visit(case=case.id)
    again.file_uploader[0].set_value(files[:2]).run()
    assert len(cells.cells(data, case.id)) == 6
    assert "2 in this case already" in said(again)


def test_nobody_adds_cells_without_a_name(visit, data):
    case = cases.create(data, "P-1", who="Ada")
    page = visit(name="", case=case.id)
    assert page.file_uploader[0].disabled


def test_cells_that_cannot_be_put_on_record_wait(visit, data, drawn_files, monkeypatch):
    from leukemia.errors import RecordsUnavailableError

    case = cases.create(data, "P-1", who="Ada")
    page = visit(case=case.id)
    whole = cells.add

    def fails(*_, **__):
        raise RecordsUnavailableError("Nothing was saved. The database is gone.")

    monkeypatch.setattr(cells, "add", fails)
    path = next(iter(sorted(drawn_files.iterdir())))
    page.file_uploader[0].set_value([(path.name, path.read_bytes(), "image/bmp")]).run()
    assert "The database is gone. These cells are not in the case yet." in said(page)
    monkeypatch.setattr(cells, "add", whole)
    press(page, "Try again")
    assert len(cells.cells(data, case.id)) == 1
    assert "database is gone" not in said(page)


def test_the_grid_shows_answers_and_verdicts_side_by_side(visit, data):
    case = make_case(data)
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(data, case.id, [1, 2], NORMAL_LIKE, reader="Ben <i>")
    page = visit(case=case.id)
    assert list(shown(page)) == [1, 2, 3, 4, 5]
    assert [cell["own"] for cell in shown(page).values()] == [ALL_LIKE, "", "", "", ""]
    assert lines(page, 1)[:1] == ["Model: ALL-like, 0.900"]
    assert lines(page, 1)[-2:] == ["Ben <i>: Normal-like", "Readers disagree"]
    assert lines(page, 4)[0] == "Model: not classified"
    assert "Unlike the cells" in lines(page, 4)[1]
    assert "You have read 1 of 5 cells." in grid(page)["progress"]
    assert "3 still need a verdict" in grid(page)["progress"]


def test_where_no_cell_waits_the_grid_says_so_signed_or_not(visit, data):
    case = make_case(data, probabilities=(0.9, 0.1))
    said = "You have read 0 of 2 cells. No cell is waiting for a verdict."
    assert grid(visit(case=case.id))["progress"] == said
    signing.sign(data, case.id, who="Ada", meaning=signing.MEANINGS[0])
    assert grid(visit(case=case.id))["progress"] == said


def test_a_blind_case_keeps_others_verdicts_and_hidden_answers_back(visit, data):
    case = make_case(data, blind=True, hide_model=True)
    verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ben")
    verdicts.give(data, case.id, [2], NORMAL_LIKE, reader="Ada")
    page = visit(case=case.id)
    assert "Ben" not in "".join(lines(page, 1))
    assert "0.9" not in str(shown(page)[1])
    assert shown(page)[1]["probability"] is None
    assert {"Ben: ALL-like", "Readers disagree", "Model: Indeterminate, 0.500"} <= set(lines(page, 2))
    history = visit(case=case.id, section="history").dataframe[0].value
    assert set(history["Cell"].dropna()) == {2}
    summary = visit(case=case.id, section="summary")
    counts = summary.dataframe[0].value.set_index("Cells")
    assert list(counts["Model's answers"]) == ["0", "1", "0", "0", "–", "–"]
    assert not summary.get("plotly_chart")
    assert "hidden until read" in said(visit())


def test_the_list_and_the_head_of_a_case_tell_nothing_of_cells_that_are_kept_back(visit, data):
    case = make_case(data, blind=True, hide_model=True)
    verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ben")
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Cy")
    for text in (said(visit()), said(visit(case=case.id))):
        assert "5 need a verdict" in text
        assert "disputed" not in text.lower().replace(worklist.IN_DISPUTE, "")
    assert f"**{worklist.TO_REVIEW}**" in said(visit())
    verdicts.give(data, case.id, range(1, 6), ALL_LIKE, reader="Ada")
    text = said(visit())
    assert "1 disputed" in text
    assert "1 ALL-like" in text, "all are read: the model's answers are no longer hidden"


def test_what_is_missing_for_a_signature_does_not_tell_of_others_verdicts(visit, data):
    case = make_case(data, probabilities=(0.9, 0.1), blind=True)
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ben")
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Cy")
    page = visit(case=case.id, section="report")
    assert report_section.MISSING_KEPT_BACK in said(page)
    assert "(cell 1)" not in said(page)
    assert "(cell 1)" in said(visit("Ben", case=case.id, section="report"))


def test_agreement_and_settled_cells_of_a_blind_case_wait_for_the_reader(visit, data):
    case = make_case(data, blind=True)
    for reader, verdict in (("Ben", ALL_LIKE), ("Cy", NORMAL_LIKE)):
        verdicts.give(data, case.id, [1, 2], verdict, reader=reader)
    disagreements.settle(data, case.id, 2, ALL_LIKE, who="Ben", reason="seen together")
    text = said(visit(case=case.id, section="readers"))
    for secret in ("Ben", "Cy", "seen together", "2 disputed", "1 disputed"):
        assert secret not in text
    assert readers.KEPT_BACK in text
    verdicts.give(data, case.id, [2], ALL_LIKE, reader="Ada")
    text = said(visit(case=case.id, section="readers"))
    assert "seen together" in text
    assert "on 0 of 1 cell" in text


def test_the_window_of_a_hidden_cell_has_its_picture_alone(visit, data):
    case = make_case(data, hide_model=True)
    page = visit(case=case.id)
    page.session_state[f"open-cell-{case.id}"] = 1
    page.run()
    assert opened_cell.HIDDEN in said(page)
    assert "0.900" not in said(page) + str(grid(page))


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
    assert readers.NONE in said(page)


def test_in_a_blind_case_whoever_settles_asks_to_see(visit, data):
    case = make_case(data, blind=True)
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Cy")
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Ben")
    page = visit(case=case.id, section="readers")
    assert "Ben" not in said(page)
    widget(page.checkbox, readers.SHOW_ALL).check().run()
    assert "Cy: ALL-like, Ben: Normal-like" in said(page)


def test_a_case_is_signed_then_read_only_then_reopened(visit, data):
    case = make_case(data)
    page = visit(case=case.id, section="report")
    assert "1 indeterminate (cell 2), 2 not classified (cells 4, 5)" in said(page)
    assert not [button for button in page.button if button.label == "Sign"]
    verdicts.give(data, case.id, [2, 4, 5], NORMAL_LIKE, reader="Ada")
    page = visit(case=case.id, section="report")
    press(page, "Sign")
    signed = cases.find(data, case.id)
    assert (signed.signed_by, signed.signed_meaning) == ("Ada", signing.MEANINGS[0])
    assert f"Signed by Ada, {signed.signed_at[:10]}" in said(page)
    assert not page.get("file_uploader")
    assert grid(visit(case=case.id))["locked"]
    page = visit(case=case.id, section="report")
    press(page, "Reopen")
    assert "a reason" in said(page)
    fill(page, "Reason", "Cell 2 again")
    press(page, "Reopen")
    assert not cases.find(data, case.id).is_signed
    assert not grid(visit(case=case.id))["locked"]


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


def test_records_that_cannot_be_read_are_a_sentence(visit, data):
    case = make_case(data)
    for file in data.glob("records.db*"):
        file.write_bytes(b"no database at all" * 100)
    page = visit(case=case.id)
    assert "The records cannot be read" in said(page)


def test_the_cells_of_a_quick_look_become_a_case(visit, data, drawn_files, monkeypatch):
    visit()
    page = open_dashboard()
    page.session_state[identity.NAME] = "Ada"
    files = [(path.name, path.read_bytes(), "image/bmp") for path in sorted(drawn_files.iterdir())[:3]]
    page.file_uploader[0].set_value([*files, ("broken.bmp", b"no picture", "image/bmp")]).run()
    fill(page, "Identifier", "P-7")
    press(page, "Make the case")
    assert not page.exception
    (one,) = worklist.worklist(data)
    assert page.query_params["case"] == str(one.case.id)
    assert one.cells == 4
    answers = {
        result.answer.image_id: result.answer.probability for result in page.session_state.batch.results
    }
    assert {cell.image_id: cell.probability for cell in cells.cells(data, one.case.id)} == answers


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


def test_a_report_does_not_tell_what_is_kept_back(visit, data):
    case = make_case(data, hide_model=True)
    assert case_files.KEPT_BACK in said(visit(case=case.id, section="report"))
    labels = {button.label for button in visit(case=case.id, section="report").get("download_button")}
    assert labels == set()
    verdicts.give(data, case.id, range(1, 6), NORMAL_LIKE, reader="Ada")
    labels = {button.label for button in visit(case=case.id, section="report").get("download_button")}
    assert labels == {f"Download {kind}" for kind in ("PDF", "HTML", "CSV", "FHIR", "HL7", "DICOM")}


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


def test_fields_that_went_with_the_list_do_not_close_the_case_that_was_opened(monkeypatch):
    class Query(dict):
        def from_dict(self, words):
            self.clear()
            self.update(words)

    monkeypatch.setattr(address.st, "query_params", Query(page="3"))
    address.put_list(search=" x ", states=[worklist.SIGNED], order=worklist.LATEST)
    assert address.st.query_params == {"search": "x", "state": [worklist.SIGNED]}
    address.open_case(7)
    address.put_list(search="", states=[], order=worklist.LATEST)
    address.put_page(2)
    assert address.st.query_params == {"case": "7"}
