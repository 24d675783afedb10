"""What is answered on Classify is on record, without names of files; where it cannot be, the page says so."""

import pytest

from leukemia.audit import answers, trail
from leukemia.cases import case as cases
from leukemia.errors import RecordsUnavailableError
from leukemia.inference import on_record
from pages.components import answers_on_record, identity
from tests.support.app import fill, press, said, widget


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def files(drawn_files, count, start=0):
    chosen = sorted(drawn_files.iterdir())[start : start + count]
    return [(path.name, path.read_bytes(), "image/bmp") for path in chosen]


def recorded(data):
    """The answers of each entry, the oldest first."""
    entries = trail.entries(data, events=[trail.ANSWERS])[::-1]
    return [answers.of_entry(data, one.number) for one in entries]


def test_each_answer_is_on_record_once(app, data, drawn_files):
    page = app()
    page.session_state[identity.NAME] = "Ada"
    page.file_uploader[0].set_value([*files(drawn_files, 5), ("broken.bmp", b"no picture", "image/bmp")])
    page.run()
    page.run()
    rows = [one for some in recorded(data) for one in some]
    shown = {one.answer.image_id: one.answer.probability for one in page.session_state.batch.results}
    assert len(rows) == 6
    assert {one.image_id: one.probability for one in rows} == shown
    entry = trail.entries(data, most=1)[0]
    assert (entry.who, entry.reason) == ("Ada", answers_on_record.DOOR)
    assert ".bmp" not in repr(trail.entries(data)) + repr(rows)
    press(page, "Clear")
    press(page, "Try sample cells")
    press(page, "Clear")
    press(page, "Try sample cells")
    assert sum(map(len, recorded(data))) == 6 + 2 * 16, "an answer that is given again is on record again"


def test_moved_limits_are_on_record_with_the_table_and_with_a_case_not_with_the_slider(
    app, data, drawn_files
):
    page = app()
    page.file_uploader[0].set_value(files(drawn_files, 4)).run()
    before = len(recorded(data))
    for high in (0.97, 0.98):
        page.select_slider[0].set_range(0.1, high).run()
    assert len(recorded(data)) == before
    widget(page.get("download_button"), "Download CSV").click().run()
    assert len(recorded(data)) == before + 1
    newest = trail.entries(data, events=[trail.ANSWERS], most=1)[0]
    assert (newest.low, newest.high) == (0.1, 0.98)
    assert newest.who == on_record.NO_NAME
    widget(page.get("download_button"), "Download CSV").click().run()
    assert len(recorded(data)) == before + 1, "once for each pair of limits"
    page.select_slider[0].set_range(0.2, 0.9).run()
    fill(page, "Identifier", "P-1")
    for field in page.text_input:
        if (field.key or "").endswith("-who"):
            field.set_value("Ada")
    press(page, "Make the case")
    assert not page.exception
    case = cases.by_identifier(data, "P-1")
    limits = {(one.low, one.high) for one in cases.history(data, case.id) if one.event == trail.ANSWER}
    assert limits == {(0.2, 0.9)}


def test_a_database_that_is_gone_does_not_stop_answers(app, data, drawn_files, monkeypatch):
    whole = answers.record

    def fails(*_):
        raise RecordsUnavailableError("Nothing was saved. The database is gone.")

    monkeypatch.setattr(answers, "record", fails)
    page = app()
    page.file_uploader[0].set_value(files(drawn_files, 3)).run()
    assert not page.exception
    assert len(page.session_state.batch.results) == 3
    assert f"{on_record.NOT_RECORDED} The database is gone." in said(page)
    monkeypatch.setattr(answers, "record", whole)
    press(page, "Try again")
    assert on_record.NOT_RECORDED not in said(page)
    assert sum(map(len, recorded(data))) == 3
