"""The page Dataset, told of two things in one message: each press is for its own moment."""

import pytest

from leukemia import jobs
from pages.sections.dataset import importing
from tests.support import gallery_page
from tests.support.app import fill, go, press, said

cells, own_bundle, visit = gallery_page.cells, gallery_page.own_bundle, gallery_page.visit


@pytest.fixture
def asked(monkeypatch):
    """The arguments of what the page asks for; nothing is started."""
    found = []
    monkeypatch.setattr(
        jobs, "submit", lambda data, kind, title, arguments, **options: found.append(list(arguments))
    )
    return found


def choose(page, key, value):
    (one,) = [one for one in page.get("button_group") if one.key.startswith(key)]
    return one.set_value(value)


def selected(visit):
    """The section with all its cells selected, and the button that sends them."""
    page = visit(section="unlabelled")
    press(page, next(button.label for button in page.button if button.label.startswith("Select all")))
    return page, next(
        button for button in page.button if button.label.startswith("Send ") and not button.disabled
    )


@pytest.mark.usefixtures("either_order")
def test_cells_sent_with_another_section_are_followed_to_classify_now(visit):
    page, send = selected(visit)
    send.click()
    choose(page, "dataset-section", "overview").run()
    assert not page.exception
    assert page.title[0].value == "Classify cells"
    assert go(page, "dataset", section="unlabelled").title[0].value == "Dataset"


def test_cells_sent_with_another_page_are_there_and_lead_away_from_nowhere_later(visit, cells):
    page, send = selected(visit)
    send.click()
    page.switch_page("pages/performance.py").run()
    assert page.title[0].value not in ("Dataset", "Classify cells")
    assert len(page.session_state.batch) == (cells["label"] == "").sum()
    for section in ("overview", "unlabelled"):
        assert go(page, "dataset", section=section).title[0].value == "Dataset"


def test_cells_sent_as_the_selection_is_cleared_lead_to_classify_only_if_there_are_some(
    visit, cells, either_order
):
    page, send = selected(visit)
    send.click()
    press(page, "Clear selection")
    assert not page.exception
    sent = len(page.session_state.batch) if "batch" in page.session_state else 0
    if either_order == "as laid out":  # Clear selection comes first
        assert (page.title[0].value, sent) == ("Dataset", 0)
    else:
        assert (page.title[0].value, sent) == ("Classify cells", (cells["label"] == "").sum())


@pytest.fixture
def to_replace(open_dataset):
    """The import's form over a set, its box ticked, a source chosen."""

    def start(source):
        page = open_dataset("import")
        choose(page, "import-source", source).run()
        page.checkbox[0].check().run()
        return page

    return start


@pytest.mark.usefixtures("either_order")
def test_an_import_is_of_the_source_that_is_chosen_as_it_is_started(to_replace, asked, dataset):
    page = to_replace(importing.SAMPLE)
    choose(page, "import-source", importing.DOWNLOAD)
    press(page, "Start the import")
    assert asked == []
    assert "Enter a folder or a .zip" in said(page)
    page = to_replace(importing.DOWNLOAD)
    fill(page, importing.WHERE, str(dataset))
    choose(page, "import-source", importing.SAMPLE)
    press(page, "Start the import")
    assert asked == [["prepare", "--sample", "--output", str(dataset)]]


@pytest.mark.usefixtures("either_order")
@pytest.mark.parametrize("source", [importing.SAMPLE, importing.DOWNLOAD])
def test_a_set_is_not_replaced_where_the_tick_is_taken_back_as_it_is_started(
    to_replace, asked, dataset, source
):
    page = to_replace(source)
    if source == importing.DOWNLOAD:
        fill(page, importing.WHERE, str(dataset))
    page.checkbox[0].uncheck()
    press(page, "Start the import")
    assert asked == []
    assert "To replace the current set, tick the box" in page.error[0].value
