"""A report for a staff meeting: one HTML file that needs nothing from outside and prints to PDF."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

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


def written(words: str) -> str:
    """Text whose lines stay as they are."""
    return f'<pre class="written">{escape(words)}</pre>'


def plotly(chart: Chart) -> str:
    """A chart, drawn as HTML without its library, and the sentence that says what to notice."""
    chart.figure.update_layout(template="plotly_white")
    drawn = chart.figure.to_html(full_html=False, include_plotlyjs=False, config={"displayModeBar": False})
    return f'<div class="chart">{drawn}{text(chart.caption, "small")}</div>'


def render(title: str, lines: Sequence[str], sections: Sequence[Section], script: str) -> str:
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
    """
    head = "".join(text(line, "small") for line in lines)
    body = "".join(f"<h2>{escape(part.title)}</h2>{''.join(part.parts)}" for part in sections)
    styles = "".join(path.read_text(encoding="utf-8") for path in (STYLE, confusion_matrix.STYLE))
    notice = escape(RESEARCH_USE)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{styles}</style><script>{script}</script></head>"
        f'<body><h1>{escape(title)}</h1>{head}<p class="research">{notice}</p>{body}'
        f"<footer>{notice}</footer></body></html>\n"
    )
