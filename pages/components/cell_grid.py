"""Answers as a grid of cells: one piece of HTML, so that a whole page of them is drawn at once.

Everything that comes from a file is escaped. Colours are never the only signal: each decision has a
word and a shape of its own, and both colours are told apart by colour-blind readers.
"""

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path

from leukemia.imaging import loss
from leukemia.inference import decisions
from leukemia.inference.batch import Result

STYLE = Path(__file__).with_name("cell_grid.css")
MARKS = {
    decisions.ALL_LIKE: ("all", "▲"),
    decisions.NORMAL_LIKE: ("normal", "●"),
    decisions.INDETERMINATE: ("unsure", "◆"),
}
DRAWN = "synthetic drawing"
REVIEW = "Review this cell yourself."


def grid(results: Iterable[Result], threshold: float, band: decisions.Band | None = None) -> str:
    """Readable answers as HTML cards, in the order given."""
    cards = "".join(_card(result, threshold, band) for result in results)
    return (
        f'<div class="cells" role="list" aria-label="Results, highest probability of ALL first">{cards}</div>'
    )


def refusals(results: Iterable[Result]) -> str:
    """Files without an answer as HTML lines: name and reason."""
    rows = "".join(
        f'<div class="refusal" role="listitem"><b>{_name(result.answer.name)}</b>'
        f"<span>{escape(result.answer.error)}</span></div>"
        for result in results
    )
    label = "Files that could not be read"
    return f'<div class="refusals" role="list" tabindex="0" aria-label="{label}">{rows}</div>'


def distance(probability: float, threshold: float) -> str:
    """How far a probability lies from the threshold, in words."""
    apart = probability - threshold
    if decisions.is_near(probability, threshold):
        return f"close to the threshold ({apart:+.2f})".replace("-", "−")
    return f"{abs(apart):.2f} {'above' if apart >= 0 else 'below'} the threshold"


def _card(result: Result, threshold: float, band: decisions.Band | None) -> str:
    answer = result.answer
    word = decisions.decision(answer.probability, threshold, band)
    kind, mark = MARKS[word]
    near = decisions.is_near(answer.probability, threshold)
    needed = f'<p class="near">{REVIEW}</p>' if word == decisions.INDETERMINATE else ""
    drawn = f'<p class="drawn">{DRAWN}</p>' if result.drawn else ""
    low = " near" if loss.LOW in answer.note else ""
    note = f'<p class="note{low}">{escape(answer.note)}</p>' if answer.note else ""
    picture = base64.b64encode(answer.thumbnail).decode("ascii")
    return (
        f'<div class="cell cell-{kind}" role="listitem">'
        f'<img alt="Cell of {escape(answer.name)}" src="data:image/jpeg;base64,{picture}">'
        f'<p class="decision"><span>{mark} {word}</span><b>{answer.probability:.3f}</b></p>'
        f"{needed}"
        f'<div class="scale" aria-hidden="true"><i style="width:{answer.probability:.1%}"></i>'
        f'<s style="left:{threshold:.1%}"></s></div>'
        f'<p class="distance{" near" if near else ""}">{distance(answer.probability, threshold)}</p>'
        f'<p class="name" title="{escape(answer.name)}">{_name(answer.name)}</p>'
        f"{note}{drawn}</div>"
    )


def _name(name: str) -> str:
    return f"<bdi>{escape(name)}</bdi>"
