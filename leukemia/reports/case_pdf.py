"""A case as PDF, A4, one or two pages: what the HTML report says, without the table of all cells."""

import importlib.util
import io
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from leukemia.cases.cells import Cell
from leukemia.cases.verdicts import VERDICTS
from leukemia.evaluation.breakdown import source_words
from leukemia.reports import case_wording
from leukemia.reports.case import MATTERED, NO_READER, NO_RECORD, Content, caption
from leukemia.settings import RESEARCH_USE

MARGIN, FOOT = 16 * mm, 12 * mm
PADDING = 6  # that of a frame of reportlab, points
WIDTH = A4[0] - 2 * (MARGIN + PADDING)
# Columns of the record by source for which a page is too narrow; the HTML report has them.
LEFT_OUT = ("AUROC", "weighted F1", "calibration error", "patient groups right")
PICTURES_IN_ROW, PICTURE = 6, 25 * mm
MOST_READERS = 8
LINE = colors.HexColor("#8A94A0")
REST = "All cells, each with its answer and verdicts, are in the HTML report and the CSV table of this case."


def render(content: Content) -> bytes:
    r"""The report as a PDF.

    Text in letters that its font does not have is written as their numbers, such as ``\u60a3``.
    """
    _fonts()
    out = io.BytesIO()
    title = f"Case {content.case.identifier}"
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=14 * mm,
        bottomMargin=18 * mm,
        title=_known(title),
        author="",
        subject=RESEARCH_USE,
        invariant=1,
    )

    def foot(canvas: Canvas, page: SimpleDocTemplate) -> None:
        canvas.setFont("Leukemia-Bold", 8)
        canvas.drawString(MARGIN + PADDING, FOOT, RESEARCH_USE)
        canvas.setFont("Leukemia", 8)
        canvas.drawRightString(A4[0] - MARGIN - PADDING, FOOT, _known(f"{title[:60]}, page {page.page}"))

    document.build(list(_story(title, content)), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _story(title: str, content: Content) -> Iterable[Flowable]:
    yield _text(title, "title")
    yield from (_text(line, "small") for line in content.heading)
    yield _text("Decisions", "heading")
    yield _table(case_wording.COUNT_HEADER, case_wording.count_rows(content.counts), widths=[38, 38, 46])
    yield Spacer(0, 2 * mm)
    yield from map(_text, case_wording.shares(content.counts))
    yield _text(case_wording.ABOUT_SHARE, "small")
    yield _text(content.place)
    yield _text("Readers", "heading")
    if content.readers:
        yield _table(("Reader", *VERDICTS), content.readers[:MOST_READERS])
    else:
        yield _text(NO_READER)
    yield from map(_text, content.agreement[:MOST_READERS])
    if content.mattered:
        yield _text("Pictures", "heading")
        yield _text(MATTERED, "small")
        yield _pictures(content)
    yield _text("The model's record", "heading")
    yield from map(_text, content.record or [NO_RECORD])
    if content.sources:
        yield _sources(content.sources)
        yield from (_text(note, "small") for note in content.notes)
    yield KeepTogether([*_signature(content), _text(REST, "small")])


def _sources(rows: Sequence[Sequence[str]]) -> Table:
    kept = [place for place, name in enumerate(source_words.HEADER) if not name.startswith(LEFT_OUT)]
    return _table(
        [source_words.HEADER[place] for place in kept],
        [[row[place] for place in kept] for row in rows],
        size=6.6,
    )


def _signature(content: Content) -> Iterable[Flowable]:
    yield _text("Signature", "heading")
    yield _text(case_wording.signature(content.case))
    rule = Table([["", "", ""]], colWidths=[80 * mm, 10 * mm, 60 * mm], rowHeights=[11 * mm])
    rule.setStyle([("LINEBELOW", (0, 0), (0, 0), 0.7, LINE), ("LINEBELOW", (2, 0), (2, 0), 0.7, LINE)])
    rule.hAlign = "LEFT"
    yield rule
    words = Table(
        [[_text("Signature (by hand, on paper)", "small"), "", _text("Date", "small")]],
        colWidths=[80 * mm, 10 * mm, 60 * mm],
    )
    words.hAlign = "LEFT"
    yield words


def _pictures(content: Content) -> Table:
    shown = [_picture(cell, content.thumbnails[cell.number]) for cell in content.mattered]
    shown += [""] * (-len(shown) % PICTURES_IN_ROW)
    rows = [shown[start : start + PICTURES_IN_ROW] for start in range(0, len(shown), PICTURES_IN_ROW)]
    table = Table(rows, colWidths=[WIDTH / PICTURES_IN_ROW] * PICTURES_IN_ROW)
    table.hAlign = "LEFT"
    table.setStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    return table


def _picture(cell: Cell, thumbnail: bytes) -> list[Flowable]:
    image = Image(io.BytesIO(thumbnail), PICTURE, PICTURE)
    image.hAlign = "LEFT"
    return [image, *(_text(line, "caption") for line in caption(cell))]


def _table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    size: float = 8,
    widths: Sequence[float] | None = None,
) -> Table:
    plain, bold = _style("cell", size), _style("head", size)
    cells = [[Paragraph(escape(_known(str(text))), bold) for text in header]]
    cells += [[Paragraph(escape(_known(str(text))), plain) for text in row] for row in rows]
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


def _text(words: str, kind: str = "text") -> Paragraph:
    return Paragraph(escape(_known(words)), _style(kind))


@cache
def _style(kind: str, size: float | None = None) -> ParagraphStyle:
    sizes = {"title": 16, "heading": 11, "small": 7.5, "caption": 6.2, "head": 8, "cell": 8}
    size = size or sizes.get(kind, 8.6)
    bold = kind in ("title", "heading", "head")
    return ParagraphStyle(
        f"{kind}-{size}",
        fontName="Leukemia-Bold" if bold else "Leukemia",
        fontSize=size,
        leading=size * 1.25,
        spaceBefore={"heading": 7}.get(kind, 0),
        spaceAfter=0 if kind in ("caption", "head", "cell") else 2.5,
        textColor=colors.HexColor("#444B54") if kind == "small" else colors.black,
        splitLongWords=1,
        keepWithNext=kind == "heading",
    )


@cache
def _fonts() -> None:
    # DejaVu Sans has the letters of most languages written in Latin, Greek or Cyrillic; Matplotlib brings it.
    folder = Path(importlib.util.find_spec("matplotlib").origin).parent / "mpl-data" / "fonts" / "ttf"
    for name, file in (("Leukemia", "DejaVuSans.ttf"), ("Leukemia-Bold", "DejaVuSans-Bold.ttf")):
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))


def _known(text: str) -> str:
    """Text with letters that the font does not have written as their numbers."""
    letters = pdfmetrics.getFont("Leukemia").face.charToGlyph
    return "".join(
        one if ord(one) in letters else one.encode("unicode_escape").decode("ascii") for one in text
    )
