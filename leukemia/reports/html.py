"""A report for a staff meeting: one HTML file that needs nothing from outside and prints to PDF."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

from leukemia.plots import confusion_matrix
from leukemia.plots.chart import Chart
from leukemia.settings import RESEARCH_USE

STYLE = Path(__file__).with_name("html.css")
# Scripts run in this file only, and nothing is fetched.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:"
)


@dataclass
class Section:
    """A part of the report.

    Attributes
    ----------
    title : str
        Plain text.
    parts : list of str
        Pieces of HTML; see :func:`text`, :func:`table` and :func:`plotly`.
    """

    title: str
    parts: list[str] = field(default_factory=list)


def is_report(beginning: str) -> bool:
    """Whether a file that begins like this holds a report that :func:`render` made."""
    return beginning.startswith("<!doctype html>") and POLICY in beginning


def text(words: str, kind: str = "") -> str:
    """A paragraph of plain text; ``kind`` is "", "small" or "warning"."""
    return f'<p class="{kind}">{escape(words)}</p>'


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of plain text."""
    head = "".join(f'<th scope="col">{escape(str(cell))}</th>' for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def markdown(words: str) -> str:
    """Markdown from a file, rendered; HTML, links and pictures in it stay text. Headings begin at h3."""
    tokens = _reader().parse(words)
    for token in tokens:
        if token.type.startswith("heading_"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
    return f'<div class="markdown">{_reader().renderer.render(tokens, _reader().options, {})}</div>'


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.disable(["image", "link", "autolink", "reference"])
    reader.add_render_rule("table_open", lambda *_: '<div class="wide"><table>\n')
    reader.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return reader


def plotly(chart: Chart) -> str:
    """A chart, drawn as HTML without its library, and the sentence that says what to notice."""
    chart.figure.update_layout(template="plotly_white")
    drawn = chart.figure.to_html(full_html=False, include_plotlyjs=False, config={"displayModeBar": False})
    return f'<div class="chart">{drawn}{text(chart.caption, "small")}</div>'


def render(
    title: str,
    lines: Sequence[str],
    sections: Sequence[Section],
    script: str,
    first_page: Sequence[Section] = (),
) -> str:
    """Put the report together.

    Parameters
    ----------
    title : str
        Plain text.
    lines : sequence of str
        What stands below it, plain text.
    sections : sequence of Section
    script : str
        The charts' library, once.
    first_page : sequence of Section, optional
        What stands on a page of its own in print, with the title.
    """
    head = "".join(text(line, "small") for line in lines)
    body = "".join(map(_section, sections))
    styles = "".join(path.read_text(encoding="utf-8") for path in (STYLE, confusion_matrix.STYLE))
    notice = escape(RESEARCH_USE)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{styles}</style><script>{script}</script></head>"
        f'<body><header class="{"first-page" if first_page else ""}"><h1>{escape(title)}</h1>{head}'
        f'<p class="research">{notice}</p>{"".join(map(_section, first_page))}</header>{body}'
        f"<footer>{notice}</footer></body></html>\n"
    )


def _section(section: Section) -> str:
    return f"<h2>{escape(section.title)}</h2>{''.join(section.parts)}"
