"""A case as PDF, A4, one or two pages: what the HTML report says, without the table of all cells."""

import io
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache, partial

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from leukemia.cases.cells import Cell
from leukemia.cases.verdicts import VERDICTS
from leukemia.evaluation.breakdown import source_words
from leukemia.reports import case_wording
from leukemia.reports.case import MATTERED, NO_READER, Content, caption
from leukemia.reports.pdf_fonts import BOLD, PLAIN, Letters
from leukemia.settings import RESEARCH_USE

MARGIN, FOOT = 16 * mm, 12 * mm
PADDING = 6  # that of a frame of reportlab, points
WIDTH = A4[0] - 2 * (MARGIN + PADDING)
# Points: letters of the foot, and what is kept free between its two texts.
SMALL, GAP = 8, 5 * mm
# Columns of the record by source for which a page is too narrow; the HTML report has them.
LEFT_OUT = ("AUROC", "weighted F1", "calibration error", "patient groups right")
PICTURES_IN_ROW, PICTURE = 6, 25 * mm
MOST_READERS = 8
LINE = colors.HexColor("#8A94A0")
REST = "All cells, each with its answer and verdicts, are in the HTML report and the CSV table of this case."


def render(content: Content) -> bytes:
    """The report as a PDF; where its fonts do not have all letters, it says so."""
    out = io.BytesIO()
    title = f"Case {content.case.identifier}"
    letters = Letters("".join(_words(title, content)))
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=14 * mm,
        bottomMargin=18 * mm,
        title=title,
        author="",
        subject=RESEARCH_USE,
        invariant=1,
    )

    def foot(canvas: Canvas, page: SimpleDocTemplate) -> None:
        canvas.setFont(BOLD, SMALL)
        canvas.drawString(MARGIN + PADDING, FOOT, RESEARCH_USE)
        room = WIDTH - stringWidth(RESEARCH_USE, BOLD, SMALL) - GAP
        _draw_right(canvas, letters, _fitted(letters, title, f", page {page.page}", room))

    document.build(list(_story(title, content, letters)), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _words(title: str, content: Content) -> Iterable[str]:
    """All text that may hold letters of any language."""
    yield from (title, content.place, content.untold, case_wording.signature(content.case))
    yield from (*content.heading, *content.agreement, *content.record, *content.notes)
    for row in (*content.readers, *content.sources):
        yield from row
    for cell in content.mattered:
        yield from caption(cell)


def _draw_right(canvas: Canvas, letters: Letters, text: str) -> None:
    """Write text at the foot, in the fonts of its letters, up to the right margin."""
    at = A4[0] - MARGIN - PADDING - _width(letters, text)
    for font, shown in letters.runs(text):
        canvas.setFont(font or PLAIN, SMALL)
        canvas.drawString(at, FOOT, shown)
        at += stringWidth(shown, font or PLAIN, SMALL)


def _fitted(letters: Letters, text: str, end: str, room: float) -> str:
    """Text and its end, the text cut so that both are no wider than the room, in points."""
    if _width(letters, text + end) <= room:
        return text + end
    cut = range(len(text))
    fits = bisect_right(cut, room, key=lambda count: _width(letters, f"{text[:count]}…{end}")) - 1
    return f"{text[: max(fits, 0)].rstrip()}…{end}"


def _width(letters: Letters, text: str) -> float:
    return sum(stringWidth(shown, font or PLAIN, SMALL) for font, shown in letters.runs(text))


def _story(title: str, content: Content, letters: Letters) -> Iterable[Flowable]:
    yield _text(letters, title, "title")
    yield from (_text(letters, line, "small") for line in [*content.heading, *letters.notes])
    yield _text(letters, "Decisions", "heading")
    yield _table(
        letters, case_wording.COUNT_HEADER, case_wording.count_rows(content.counts), widths=[38, 38, 46]
    )
    yield Spacer(0, 2 * mm)
    yield from map(partial(_text, letters), case_wording.shares(content.counts))
    if said := case_wording.about_shares(content.counts):
        yield _text(letters, said, "small")
    yield _text(letters, content.place)
    if content.untold:
        yield _text(letters, content.untold, "small")
    yield _text(letters, "Readers", "heading")
    if content.readers:
        yield _table(letters, ("Reader", *VERDICTS), content.readers[:MOST_READERS])
    else:
        yield _text(letters, NO_READER)
    yield from map(partial(_text, letters), content.agreement[:MOST_READERS])
    if content.mattered:
        yield _text(letters, "Pictures", "heading")
        yield _text(letters, MATTERED, "small")
        yield _pictures(letters, content)
    yield _text(letters, "The model's record", "heading")
    yield from map(partial(_text, letters), content.record)
    if content.sources:
        yield _sources(letters, content.sources)
        yield from (_text(letters, note, "small") for note in content.notes)
    yield KeepTogether([*_signature(letters, content), _text(letters, REST, "small")])


def _sources(letters: Letters, rows: Sequence[Sequence[str]]) -> Table:
    kept = [place for place, name in enumerate(source_words.HEADER) if not name.startswith(LEFT_OUT)]
    return _table(
        letters,
        [source_words.HEADER[place] for place in kept],
        [[row[place] for place in kept] for row in rows],
        size=6.6,
    )


def _signature(letters: Letters, content: Content) -> Iterable[Flowable]:
    yield _text(letters, "Signature", "heading")
    yield _text(letters, case_wording.signature(content.case))
    rule = Table([["", "", ""]], colWidths=[80 * mm, 10 * mm, 60 * mm], rowHeights=[11 * mm])
    rule.setStyle([("LINEBELOW", (0, 0), (0, 0), 0.7, LINE), ("LINEBELOW", (2, 0), (2, 0), 0.7, LINE)])
    rule.hAlign = "LEFT"
    yield rule
    words = Table(
        [[_text(letters, "Signature (by hand, on paper)", "small"), "", _text(letters, "Date", "small")]],
        colWidths=[80 * mm, 10 * mm, 60 * mm],
    )
    words.hAlign = "LEFT"
    yield words


def _pictures(letters: Letters, content: Content) -> Table:
    shown = [_picture(letters, cell, content.thumbnails[cell.number]) for cell in content.mattered]
    shown += [""] * (-len(shown) % PICTURES_IN_ROW)
    rows = [shown[start : start + PICTURES_IN_ROW] for start in range(0, len(shown), PICTURES_IN_ROW)]
    table = Table(rows, colWidths=[WIDTH / PICTURES_IN_ROW] * PICTURES_IN_ROW)
    table.hAlign = "LEFT"
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    return table


def _picture(letters: Letters, cell: Cell, thumbnail: bytes) -> list[Flowable]:
    image = Image(io.BytesIO(thumbnail), PICTURE, PICTURE)
    image.hAlign = "LEFT"
    return [image, *(_text(letters, line, "caption") for line in caption(cell))]


def _table(
    letters: Letters,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    size: float = 8,
    widths: Sequence[float] | None = None,
) -> Table:
    plain, bold = _style("cell", size), _style("head", size)
    cells = [[Paragraph(letters.markup(str(text)), bold) for text in header]]
    cells += [[Paragraph(letters.markup(str(text)), plain) for text in row] for row in rows]
    columns = [width * mm for width in widths] if widths else [WIDTH / len(header)] * len(header)
    table = Table(cells, colWidths=columns, repeatRows=1)
    table.hAlign = "LEFT"
    table.setStyle(
        [
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, LINE),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, LINE),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("TOPPADDING", (0, 0), (-1, -1), 1.2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.6),
        ]
    )
    return table


def _text(letters: Letters, words: str, kind: str = "text") -> Paragraph:
    return Paragraph(letters.markup(words), _style(kind))


@cache
def _style(kind: str, size: float | None = None) -> ParagraphStyle:
    sizes = {"title": 16, "heading": 11, "small": 7.5, "caption": 6.2, "head": 8, "cell": 8}
    size = size or sizes.get(kind, 8.6)
    bold = kind in ("title", "heading", "head")
    return ParagraphStyle(
        f"{kind}-{size}",
        fontName=BOLD if bold else PLAIN,
        fontSize=size,
        leading=size * 1.25,
        spaceBefore={"heading": 7}.get(kind, 0),
        spaceAfter=0 if kind in ("caption", "head", "cell") else 2.5,
        textColor=colors.HexColor("#444B54") if kind == "small" else colors.black,
        splitLongWords=1,
        keepWithNext=kind == "heading",
    )
