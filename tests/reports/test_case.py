"""A case as HTML, PDF, CSV and Parquet: one set of numbers, all text as text."""

import csv
import io
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pypdfium2
import pytest
from PIL import Image
from reportlab.lib.units import mm

from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cases import cells, disagreements, signing, summary, verdicts
from leukemia.inference.learned import Learned
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, OperatingPoint
from leukemia.plots import case_placement
from leukemia.reports import case as report
from leukemia.reports import case_files, case_pdf, case_tables, case_wording, pdf_fonts
from leukemia.reports.exchange import results
from leukemia.settings import RESEARCH_USE
from tests.support.case_factory import bundle_at, make_case, result
from tests.support.pictures import encoded

HOSTILE = '<b>P</b> & "x" 患者 =1+1'


@pytest.fixture
def case(tmp_path, tiny_bundle):
    """A case answered by the tiny model and read by two people, with one settled disagreement."""
    bundle = bundles.read(tiny_bundle)
    made = cases.create(tmp_path, HOSTILE, who="Ada", keep_names=True)
    answered = [
        with_pictures(result(number, probability, name="=2+2.bmp" if number == 1 else None))
        for number, probability in enumerate((0.95, 0.8, 0.1, 0.2, None))
    ]
    cells.add(tmp_path, made.id, answered, bundle, bundle.operating_point, who="Ada")
    verdicts.give(tmp_path, made.id, [1, 2, 5], ALL_LIKE, reader="Ada")
    verdicts.give(tmp_path, made.id, [1, 2], ALL_LIKE, reader="Ben <i>")
    verdicts.give(tmp_path, made.id, [3], NORMAL_LIKE, reader="Ada")
    verdicts.give(tmp_path, made.id, [3], ALL_LIKE, reader="Ben <i>")
    disagreements.settle(tmp_path, made.id, 3, INDETERMINATE, who="Cy", reason="Seen together")
    signing.sign(tmp_path, made.id, who="Ada", meaning=signing.MEANINGS[0])
    return made


def with_pictures(one):
    """The result with a thumbnail that is one."""
    pixels = np.asarray(Image.open(io.BytesIO(one.answer.picture)).convert("RGB").resize((64, 64)))
    small = encoded(pixels, "JPEG")
    return replace(one, answer=replace(one.answer, thumbnail=small))


@pytest.fixture
def content(tmp_path, case, tiny_bundle):
    return report.gather(tmp_path, case.id, bundles.read(tiny_bundle))


def pages(pdf):
    document = pypdfium2.PdfDocument(pdf)
    return [document[number] for number in range(len(document))]


def text(pdf):
    whole = " ".join(page.get_textpage().get_text_range() for page in pages(pdf))
    return " ".join(whole.split())


def plain(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_pdf_and_html_say_the_same_numbers_as_the_functions(tmp_path, case, content, tiny_bundle):
    found = cells.cells(tmp_path, case.id)
    counts = summary.summarise(found)
    placed = summary.placement(found, bundles.read(tiny_bundle))
    sentences = [
        *case_wording.shares(counts),
        case_placement.sentence(placed),
        *content.agreement,
        *content.record,
        case_wording.signature(cases.find(tmp_path, case.id)),
        RESEARCH_USE,
    ]
    in_pdf, in_html = text(case_pdf.render(content)), plain(report.render(content))
    for sentence in sentences:
        assert " ".join(sentence.split()) in in_html
        # A line of the PDF may end within a word that has a hyphen.
        assert sentence.replace(" ", "") in in_pdf.replace(" ", "").replace("\ufffe", "-")
    for row in case_wording.count_rows(counts):
        assert " ".join(row) in in_pdf
        assert " ".join(row) in in_html


def test_the_pdf_is_a4_has_at_most_two_pages_and_the_notice_on_each(content):
    shown = pages(case_pdf.render(content))
    assert 1 <= len(shown) <= 2
    for page in shown:
        assert [round(side) for side in page.get_size()] == [595, 842]
        assert RESEARCH_USE in page.get_textpage().get_text_range()


@pytest.mark.parametrize("name", ["P-1", "W" * 200, "長" * 200, "क" * 30, "Müller-Lüdenscheidt " * 10])
def test_a_long_identifier_leaves_the_notice_at_the_foot_whole(content, name):
    shown = replace(content, case=replace(content.case, identifier=name.strip()))
    for number, page in enumerate(pages(case_pdf.render(shown)), 1):
        words = page.get_textpage()
        letters = [(words.get_charbox(at), words.get_text_range(at, 1)) for at in range(words.count_chars())]
        foot = sorted((box, letter) for box, letter in letters if box[3] < 18 * mm and letter.strip())
        assert max(box[2] for box, _ in foot) <= case_pdf.A4[0] - case_pdf.MARGIN
        # From the left to the right: where one text lay on the other, their letters would be mixed.
        said = "".join(letter for _, letter in foot)
        assert said.startswith(f"{RESEARCH_USE}Case".replace(" ", ""))
        assert said.endswith(f"page{number}")
        assert ("…" in said) == (name != "P-1")


def test_markup_is_text_and_eastern_letters_stand_as_they_are(content):
    said, html = text(case_pdf.render(content)), report.render(content)
    assert f"Case {HOSTILE}" in said
    assert pdf_fonts.UNSHOWN not in said
    assert "Ben <i>" in said
    assert "<b>P</b>" not in html
    assert HOSTILE in plain(html)


@pytest.mark.parametrize("name", ["患者甲 汉漢", "山田カナ ひ", "환자 김", "Ω Ж ł 患", "長" * 200])
def test_eastern_letters_are_drawn_not_only_there_to_be_copied(content, name):
    shown = replace(content, case=replace(content.case, identifier=name))
    pdf = pypdfium2.PdfDocument(case_pdf.render(shown))
    assert name in pdf[0].get_textpage().get_text_range().replace("\r\n", "")
    assert pdf_fonts.UNSHOWN not in text(case_pdf.render(shown))
    # Each letter leaves ink where it stands: with a font that is not embedded, a page may stay empty there.
    page, words = pdf[0], pdf[0].get_textpage()
    ink = np.asarray(page.render(scale=4).to_pil().convert("L"))
    height = page.get_height()
    start = words.get_text_range().index(name[0])
    for place in range(start, start + 6):
        left, bottom, right, top = words.get_charbox(place)
        if words.get_text_range(place, 1).strip():
            box = ink[
                int(4 * (height - top)) : int(4 * (height - bottom)) + 1, int(4 * left) : int(4 * right) + 1
            ]
            assert box.min() < 128, place


def test_what_is_not_shown_as_it_is_written_is_said(content):
    hindi = replace(content, case=replace(content.case, identifier="क 7"))
    said = text(case_pdf.render(hindi))
    assert "\\u0915 7" in said and pdf_fonts.UNSHOWN in said
    assert pdf_fonts.FROM_THE_RIGHT not in said
    hebrew = replace(content, case=replace(content.case, identifier="אב 7"))
    assert pdf_fonts.FROM_THE_RIGHT in text(case_pdf.render(hebrew))
    plain_one = replace(content, case=replace(content.case, identifier="P-7"))
    said = text(case_pdf.render(plain_one))
    assert pdf_fonts.UNSHOWN not in said and pdf_fonts.FROM_THE_RIGHT not in said


def test_the_same_case_gives_the_same_pdf(content):
    assert case_pdf.render(content) == case_pdf.render(content)


def test_without_its_model_a_case_still_has_a_report(tmp_path, case):
    content = report.gather(tmp_path, case.id, None)
    assert case_wording.PLACE_GONE in text(case_pdf.render(content))
    assert case_wording.NO_RECORD in plain(report.render(content))


def test_an_empty_case_and_one_of_a_hundred_cells_have_a_report(tmp_path, tiny_bundle):
    empty = cases.create(tmp_path, "empty", who="Ada")
    assert "The model classified no cell." in text(case_pdf.render(report.gather(tmp_path, empty.id, None)))
    large = cases.create(tmp_path, "large", who="Ada")
    bundle = bundles.read(tiny_bundle)
    many = [with_pictures(result(number, number / 100)) for number in range(100)]
    cells.add(tmp_path, large.id, many, bundle, bundle.operating_point, who="Ada")
    content = report.gather(tmp_path, large.id, bundle)
    assert len(content.mattered) == report.MOST_PICTURES
    assert len(pages(case_pdf.render(content))) <= 2


def test_a_record_without_one_of_the_classes_is_not_evaluated(tmp_path):
    case, bundle = cases.create(tmp_path, "P-1", who="Ada"), bundle_at(tmp_path / "bundle")
    assert bundle.predictions["label"].nunique() == 1
    cells.add(tmp_path, case.id, [with_pictures(result(1, 0.9))], bundle, bundle.operating_point, who="Ada")
    content = report.gather(tmp_path, case.id, bundle)
    assert case_wording.NO_RECORD in text(case_pdf.render(content))


def test_where_several_limits_answered_the_record_of_the_latest_is_told(tmp_path, case, content, tiny_bundle):
    bundle, other = bundles.read(tiny_bundle), OperatingPoint(0.2, 0.6, 0.5)
    signing.reopen(tmp_path, case.id, who="Ada", reason="more cells")
    cells.add(tmp_path, case.id, [with_pictures(result(20, 0.9))], bundle, other, who="Ada")
    told = report.gather(tmp_path, case.id, bundle)
    (first, *lines) = told.record
    assert first.startswith(case_wording.SEVERAL_RECORDS)
    assert str(other).rstrip(".") in first
    one = cases.create(tmp_path, "P-2", who="Ada")
    cells.add(tmp_path, one.id, [with_pictures(result(21, 0.9))], bundle, other, who="Ada")
    alone = report.gather(tmp_path, one.id, bundle)
    assert (lines, told.sources, told.notes) == (alone.record, alone.sources, alone.notes)
    assert lines and lines != content.record, "of the limits that answered last"
    for said in (text(case_pdf.render(told)), plain(report.render(told))):
        assert case_wording.SEVERAL_RECORDS in said
        assert case_wording.NO_RECORD not in said
    (gone,) = report.gather(tmp_path, case.id, None).record
    assert gone == f"{case_wording.SEVERAL_RECORDS} {case_wording.LATEST_GONE}"
    stranger = bundle_at(tmp_path / "another")
    assert report.gather(tmp_path, case.id, stranger).record == [gone]


def test_of_a_case_without_an_answer_readers_shares_are_told_and_why_there_is_no_record(
    tmp_path, tiny_bundle
):
    bundle, made = bundles.read(tiny_bundle), cases.create(tmp_path, "P-1", who="Ada")
    apart = [with_pictures(result(number, None)) for number in range(3)]
    cells.add(tmp_path, made.id, apart, bundle, bundle.operating_point, who="Ada")
    content = report.gather(tmp_path, made.id, bundle)
    for said in (text(case_pdf.render(content)), plain(report.render(content))):
        assert case_wording.NO_ANSWER in said
        assert case_wording.NO_RECORD not in said
        assert case_wording.NONE_CLASSIFIED in said
        assert case_wording.ABOUT_SHARE[:30] not in said, "there is no interval"
    verdicts.give(tmp_path, made.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(tmp_path, made.id, [2], NORMAL_LIKE, reader="Ada")
    content = report.gather(tmp_path, made.id, None)
    none, readers = case_wording.shares(content.counts)
    assert none == case_wording.NONE_CLASSIFIED
    assert readers == "ALL-like with readers' verdicts: 1 of 2 cells, 50.0% (9.5 to 90.5)."
    for said in (text(case_pdf.render(content)), plain(report.render(content))):
        assert readers in said
        assert case_wording.ABOUT_SHARE[:30] in said


def test_what_mattered_comes_first(content):
    assert [cell.number for cell in content.mattered][:2] == [3, 5]


def test_flat_contradictions_come_first_missed_blasts_before_all(tmp_path, tiny_bundle):
    bundle, made = bundles.read(tiny_bundle), cases.create(tmp_path, "P-1", who="Ada")
    point = OperatingPoint(0.3, 0.7, 0.5)
    answered = [with_pictures(result(n, p)) for n, p in enumerate((0.5, 0.9, 0.1, 0.95, 0.2, 0.6, 0.1))]
    cells.add(tmp_path, made.id, answered, bundle, point, who="Ada")
    for reader, verdict, numbers in (
        ("Ada", NORMAL_LIKE, [1, 2]),
        ("Ada", ALL_LIKE, [3, 4, 5, 6]),
        ("Ben", NORMAL_LIKE, [5]),
    ):
        verdicts.give(tmp_path, made.id, numbers, verdict, reader=reader)
    found = report.mattered(cells.cells(tmp_path, made.id))
    # Missed, false alarm, disputed, both read as something else than Indeterminate, and the rest.
    assert [cell.number for cell in found] == [3, 2, 5, 6, 1, 4, 7]
    assert report.MATTERED.startswith("First the cells that the model called Normal-like and the readers ALL")


def test_a_picture_tells_a_probability_from_the_limit_next_to_it(content):
    cell = replace(content.cells[3], probability=0.2031, low=0.2034, threshold=0.5, high=0.7)
    assert report.caption(cell)[1] == "Model: Normal-like 0.2031"


@pytest.mark.parametrize(
    ("meaning", "end"),
    [("As I see them.", "As I see them."), ("Read", "Read."), ("All of it?", "All of it?")],
)
def test_a_signature_is_a_sentence_with_one_full_stop(case, meaning, end):
    assert case_wording.signature(
        replace(case, signed_meaning=meaning, signed_at="2026-11-30T10:00")
    ).endswith(f": {end}")


def test_the_tables_hold_every_cell_and_no_formula(tmp_path, case):
    table = case_tables.of_all_cases(tmp_path, lambda _: None)
    rows = list(csv.DictReader(io.StringIO(case_tables.to_csv(table))))
    assert [row["cell"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert [row["counts_as"] for row in rows] == [ALL_LIKE, ALL_LIKE, INDETERMINATE, NORMAL_LIKE, ALL_LIKE]
    assert rows[0]["readings"] == "Ada: ALL-like; Ben <i>: ALL-like"
    assert rows[1]["file"] == "'=2+2.bmp"
    assert rows[4]["probability"] == ""
    assert {row["notice"] for row in rows} == {RESEARCH_USE}
    again = pd.read_parquet(io.BytesIO(case_tables.to_parquet(table)))
    pd.testing.assert_frame_equal(again, table, check_dtype=False)


@pytest.mark.parametrize("kind", ["csv", "html"])
def test_a_file_tells_the_case_as_it_is_now_not_as_it_was_when_it_was_offered(tmp_path, case, kind):
    def made(offered):
        return case_files.make(tmp_path, offered, kind, lambda _: None)

    was_signed = cases.find(tmp_path, case.id)
    reopened = signing.reopen(tmp_path, case.id, who="Ada", reason="again")
    assert made(was_signed) == made(reopened)
    now_signed = signing.sign(tmp_path, case.id, who="Ada", meaning=signing.MEANINGS[0])
    assert made(reopened) == made(now_signed)


def test_the_tables_tell_of_each_cell_whether_its_model_learned_from_it(
    tmp_path, case, tiny_bundle, monkeypatch
):
    found = cells.cells(tmp_path, case.id)
    known = Learned(frozenset({found[0].image_id}), frozenset())
    asked = []
    monkeypatch.setattr(case_tables.learned, "of", lambda *given: asked.append(given) or known)
    bundle = bundles.read(tiny_bundle)
    table = case_tables.of_all_cases(tmp_path, lambda answered: bundle)
    assert asked == [(bundle, tmp_path)], "once a model"
    assert list(table["learned_from"]) == ["yes"] + ["no"] * 4
    # The model is gone.
    table = case_tables.of_all_cases(tmp_path, lambda answered: None)
    assert set(table["learned_from"]) == {"unknown"}
    # Of what has no picture there is nothing to tell.
    make_case(tmp_path, "unread", probabilities=(None,))
    assert list(case_tables.of_all_cases(tmp_path, lambda answered: None)["learned_from"])[-1] == ""


def test_of_lossy_cells_a_report_says_that_it_is_not_known(tmp_path, tiny_bundle, monkeypatch):
    made = cases.create(tmp_path, "P-9", who="Ada")
    original, copied = map(with_pictures, (result(1), result(2, 0.1)))
    copied = replace(copied, answer=replace(copied.answer, lossy=True))
    bundle = bundles.read(tiny_bundle)
    cells.add(tmp_path, made.id, [original, copied], bundle, bundle.operating_point, who="Ada")
    assert [cell.lossy for cell in cells.cells(tmp_path, made.id)] == [False, True]
    monkeypatch.setattr(report.learned, "of", lambda *_: Learned(frozenset("a"), frozenset()))
    said = "1 image is a lossy file (such as JPEG): it is not known whether the model learned from it."
    content = report.gather(tmp_path, made.id, bundle)
    assert content.untold == said
    assert said in unescape(report.render(content))
    text = pypdfium2.PdfDocument(case_pdf.render(content))[0].get_textpage().get_text_range()
    assert said in " ".join(text.split())
    assert said in results.conclusion(content)
    table = case_tables.of_all_cases(tmp_path, lambda answered: bundle)
    assert list(table["learned_from"]) == ["no", "unknown"]


def test_open_cases_that_keep_something_back_are_not_in_the_table_of_all(tmp_path):
    make_case(tmp_path, "open")
    make_case(tmp_path, "blind", blind=True, first=10)
    make_case(tmp_path, "hidden", hide_model=True, first=20)
    assert set(case_tables.of_all_cases(tmp_path, lambda _: None)["case"]) == {"open"}


def test_cells_that_the_model_learned_from_are_told_and_their_share_is_not_placed(
    tmp_path, case, tiny_bundle, monkeypatch
):
    (first, *_) = cells.cells(tmp_path, case.id)
    known = Learned(frozenset({first.image_id}), frozenset())
    monkeypatch.setattr(report.learned, "of", lambda *_: known)
    told = report.gather(tmp_path, case.id, bundles.read(tiny_bundle))
    said = "The model learned from 1 of these 5 cells. Its answers on it say nothing about new cells"
    assert told.place.startswith(said)
    assert told.sources or len(told.record) > 1, "its record is told all the same"
    assert case_wording.NO_RECORD not in told.record
    assert said in unescape(report.render(told))
    text = pypdfium2.PdfDocument(case_pdf.render(told))[0].get_textpage().get_text_range()
    assert said in " ".join(text.split())


@pytest.mark.parametrize(
    ("number", "cells_of_it", "said"),
    [
        (0, 5, ""),
        (1, 1, "from the only cell. Its answers on it"),
        (4, 4, "from 4 of these 4 cells. Its answers on them"),
    ],
)
def test_how_many_cells_the_model_learned_from(number, cells_of_it, said):
    assert said in case_wording.learned(number, cells_of_it)
