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
from leukemia.inference.learned import Learned, is_lossy_copy
from leukemia.operating_point import ALL_LIKE, DIGITS, NORMAL_LIKE, OperatingPoint
from pages.components import cell_opener

STYLE = Path(__file__).with_name("cell_grid.css")
MARKS = {
    ALL_LIKE: ("all", "▲"),
    NORMAL_LIKE: ("normal", "●"),
    decisions.INDETERMINATE: ("unsure", "◆"),
}
# Class and sign of a cell of a field that has no answer.
SET_APART = ("apart", "✕")
DRAWN = "synthetic drawing"
REVIEW = "Review this cell yourself."
UNTOLD = "Lossy file: it is not known whether the model learned from this cell."
LEARNED = "The model learned from this cell."


def grid(results: Iterable[Result], point: OperatingPoint, known: Learned) -> str:
    """Answers as HTML cards, in the order given; ``known`` is what the model learned from."""
    cards = "".join(
        _set_apart(result, point) if result.answer.probability is None else _card(result, point, known)
        for result in results
    )
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
    label = "Images that were not classified, each with its reason"
    return f'<div class="refusals" role="list" tabindex="0" aria-label="{label}">{rows}</div>'


def distance(probability: float, point: OperatingPoint) -> str:
    """Where a probability lies beside the limits, in words."""
    apart, digits = point.distance(probability), point.digits(probability)
    if decisions.is_near(probability, point):
        # Two decimals will do, unless the limit is so close that it takes more to tell it.
        places = digits if digits > DIGITS else 2
        return f"close to the limit {probability - apart:.{digits}f} ({apart:+.{places}f})".replace("-", "−")
    if point.low <= probability < point.high:
        return f"between {point.low:.3f} and {point.high:.3f}"
    return f"{abs(apart):.2f} {'above' if apart >= 0 else 'below'} {probability - apart:.3f}"


def scale(probability: float, point: OperatingPoint) -> str:
    """A bar as long as the probability, with the limits and the range between them, as HTML."""
    open_range = f'<u style="left:{point.low:.1%};width:{point.high - point.low:.1%}"></u>'
    limits = "".join(f'<s style="left:{limit:.1%}"></s>' for limit in dict.fromkeys(point.limits))
    return (
        f'<div class="scale" aria-hidden="true"><i style="width:{probability:.1%}"></i>'
        f"{open_range if point.abstains else ''}{limits}</div>"
    )


def learned(image_id: str, point: OperatingPoint, known: Learned) -> str:
    """That the model learned from a cell, and its held-out answer; empty for a new cell."""
    if image_id not in known.images:
        return ""
    held_out = known.held_out.get(image_id)
    if held_out is None:
        return f"{LEARNED} A held-out answer is not available."
    return f"{LEARNED} Held out: {decisions.decision(held_out, point)} ({point.shown(held_out)})."


def _card(result: Result, point: OperatingPoint, known: Learned) -> str:
    answer = result.answer
    word = decisions.decision(answer.probability, point)
    kind, mark = MARKS[word]
    near = decisions.is_near(answer.probability, point)
    needed = f'<p class="near">{REVIEW}</p>' if word == decisions.INDETERMINATE else ""
    drawn = f'<p class="drawn">{DRAWN}</p>' if result.drawn else ""
    low = " near" if loss.LOW in answer.note else ""
    note = f'<p class="note{low}">{escape(answer.note)}</p>' if answer.note else ""
    seen = learned(answer.image_id, point, known)
    seen = f'<p class="learned">{escape(seen)}</p>' if seen else ""
    if is_lossy_copy(answer, known):
        seen = f'<p class="note">{UNTOLD}</p>'
    shown = point.shown(answer.probability)
    spoken = f"Open {answer.name}: {word}, {shown}"
    return (
        f'<div class="cell cell-{kind}" role="listitem">'
        f"{cell_opener.button(result.key, spoken, _image(result))}"
        f'<p class="decision"><span>{mark} {word}</span><b>{shown}</b></p>'
        f"{needed}{scale(answer.probability, point)}"
        f'<p class="distance{" near" if near else ""}">{distance(answer.probability, point)}</p>'
        f'<p class="name" title="{escape(answer.name)}">{_name(answer.name)}</p>'
        f"{seen}{note}{drawn}</div>"
    )


def _set_apart(result: Result, point: OperatingPoint) -> str:
    """A cell of a field without an answer, and why it has none."""
    answer, (kind, mark) = result.answer, SET_APART
    word = decisions.state(answer, point)
    return (
        f'<div class="cell cell-{kind}" role="listitem">'
        f"{cell_opener.button(result.key, f'Open {answer.name}: {word}', _image(result))}"
        f'<p class="decision"><span>{mark} {word}</span></p>'
        f'<p class="why">{escape(answer.error)}</p>'
        f'<p class="name" title="{escape(answer.name)}">{_name(answer.name)}</p></div>'
    )


def _image(result: Result) -> str:
    answer = result.answer
    if not answer.thumbnail:
        return cell_opener.NO_PICTURE
    picture = base64.b64encode(answer.thumbnail).decode("ascii")
    return f'<img alt="Cell of {escape(answer.name)}" src="data:image/jpeg;base64,{picture}">'


def _name(name: str) -> str:
    return f"<bdi>{escape(name)}</bdi>"
