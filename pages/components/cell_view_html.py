"""An opened cell's picture, answer and facts as HTML; everything that comes from a file is escaped."""

import base64
import io
from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from leukemia.imaging.morphology import Measures
from leukemia.imaging.scale import PIXEL_SIZE, UNCERTAINTY
from leukemia.inference import decisions
from leukemia.inference.answer import Answer
from leukemia.inference.learned import Learned, is_lossy_copy
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, WORDS, OperatingPoint
from pages.components.cell_grid import DRAWN, MARKS, REVIEW, distance, learned

STYLE = Path(__file__).with_name("cell_view.css")
# Micrometres of the scale bar.
BAR = 5
# Below this width, a part of the scale has no room for its word.
ROOM = 0.13
ESTIMATED = f"The scale is an estimate: the bar may be off by {UNCERTAINTY:.0%}."
# Name, meaning and unit of each measure.
MEASURES = {
    "area": ("Size", "area of the cell", "{:.0f} µm²"),
    "nucleus_share": ("Nucleus", "share of the cell's area", "{:.0%}"),
    "density": ("Optical density", "of the nucleus, green light", "{:.2f}"),
    "granularity": ("Granularity", "of the nucleus, below 0.4 µm", "{:.3f}"),
}
UNTOLD = "It is not known whether the model learned from this cell: its file is lossy."
BY_STATEMENT = "µm per pixel"
BY_RED_CELLS = "from the field's red cells"


def picture(crop: np.ndarray, pixel_size: float, *, spoken: str, caption: str, drawn: bool = False) -> str:
    """A crop with a scale bar.

    Parameters
    ----------
    crop : numpy.ndarray
        uint8 RGB, shape (size, size, 3).
    pixel_size : float
        Micrometres per pixel.
    spoken, caption : str
        What it shows, for a screen reader and below it.
    drawn : bool, optional
        Whether it is a drawing.
    """
    out = io.BytesIO()
    Image.fromarray(crop).save(out, "PNG", compress_level=1)
    source = base64.b64encode(out.getvalue()).decode("ascii")
    width = BAR / pixel_size / crop.shape[1]
    badge = f'<span class="drawn">{DRAWN}</span>' if drawn else ""
    return (
        f'<figure class="cell-picture"><div class="square">'
        f'<img alt="{escape(spoken)}" src="data:image/png;base64,{source}">'
        f'<span class="bar" style="width:{width:.2%}"><b>{BAR} µm</b></span>{badge}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def missing(why: str) -> str:
    """What stands in place of a picture that there is none of."""
    return f'<figure class="cell-picture"><div class="missing">{escape(why)}</div></figure>'


def scale_words(note: str, pixel_size: float, size: int) -> str:
    """How the scale bar is known, in a sentence or two; ``note`` is that of an answer."""
    square = f"The square that the model reads: {size} × {size} pixels of {pixel_size:.3g} µm."
    if BY_RED_CELLS in note:
        return f"{square} The bar is only as accurate as the assumed size of the field's red cells."
    if BY_STATEMENT in note:
        return f"{square} The bar is only as accurate as the scale stated for this image."
    if pixel_size == PIXEL_SIZE:
        return f"{square} {ESTIMATED}"
    return square


def answer(
    image_id: str,
    probability: float | None,
    error: str,
    point: OperatingPoint,
    known: Learned,
    lossy: bool = False,
) -> str:
    """Decision, probability on the scale of three, and what the model learned from; or why it gave none."""
    if probability is None:
        return f'<div class="cell-answer unsure"><p>{escape(error)}</p></div>'
    word = decisions.decision(probability, point)
    kind, mark = MARKS[word]
    where = distance(probability, point)
    lines = [f"{where[0].upper()}{where[1:]}. {point.sentence(point.digits(probability))}"]
    if point.low < point.threshold < point.high:
        lines.append(
            f"Dotted: {point.threshold:.3f}, the threshold that sensitivity and specificity refer to. It "
            "does not decide how a cell is called."
        )
    if word == INDETERMINATE:
        lines.insert(0, f"<b>{REVIEW}</b>")
    if is_lossy_copy(Answer("", probability, image_id=image_id, lossy=lossy), known):
        lines.append(UNTOLD)
    if seen := learned(image_id, point, known):
        lines.append(f'<span class="learned">{escape(seen)}</span>')
    return (
        f'<div class="cell-answer {kind}"><div class="said"><span>{mark} {word}</span>'
        f"<span>{point.shown(probability)}</span></div>{scale(probability, point)}"
        + "".join(f"<p>{line}</p>" for line in lines)
        + "</div>"
    )


def scale(probability: float, point: OperatingPoint) -> str:
    """A probability on the line from 0 to 1 with both limits, what lies between them hatched, as HTML."""
    parts = ((NORMAL_LIKE, point.low, ""), (INDETERMINATE, point.high - point.low, "between"))
    parts = (*parts, (ALL_LIKE, 1 - point.high, ""))
    spans = "".join(
        f'<span class="{kind}" style="flex:0 0 {width:.2%}">{word if width > ROOM else ""}</span>'
        for word, width, kind in parts
        if width > 0
    )
    dotted = f'<s style="left:{point.threshold:.2%}"></s>' if point.abstains else ""
    sentence = point.sentence(point.digits(probability))
    spoken = escape(f"Probability of ALL {point.shown(probability)}. {sentence}")
    return (
        f'<div class="line" role="img" aria-label="{spoken}">{spans}{dotted}'
        f'<i style="left:{probability:.2%}">▼</i></div>'
        '<div class="ends"><span>0</span><span>probability of ALL</span><span>1</span></div>'
    )


def measures(found: Measures, ranges: dict[str, dict[str, tuple[float, float]]]) -> str:
    """Measures as a table, each with the ranges of both classes where they are known.

    Parameters
    ----------
    found : Measures
    ranges : dict
        Of :func:`leukemia.evaluation.class_ranges.of`, by measure; empty where not known.
    """
    rows = "".join(
        f'<tr><th scope="row">{name}<small>{meaning}</small></th>'
        f"<td>{unit.format(getattr(found, key))}</td>"
        f"<td>{_bars(getattr(found, key), ranges[key], unit) if ranges.get(key) else ''}</td></tr>"
        for key, (name, meaning, unit) in MEASURES.items()
    )
    return f'<table class="cell-facts cell-measures">{rows}</table>'


def _bars(value: float, by_class: dict[str, tuple[float, float]], unit: str) -> str:
    """The ranges of both classes, a line each, with the cell's value across."""
    ends = [value, *(end for pair in by_class.values() for end in pair)]
    start, width = min(ends), max(max(ends) - min(ends), 1e-9)
    number = unit.split("}")[0] + "}"

    def at(one: float) -> str:
        return f"{2 + 96 * (one - start) / width:.1f}%"

    lines = "".join(
        f'<div class="range {label.lower()}"><span>{MARKS[WORDS[label]][1]} {label} '
        f"{number.format(low)}–{unit.format(high)}</span>"
        f'<div><i style="left:{at(low)};width:{96 * (high - low) / width:.1f}%"></i>'
        f'<s style="left:{at(value)}"></s></div></div>'
        for label, (low, high) in sorted(by_class.items())
    )
    return f'<div class="ranges">{lines}</div>'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values as a table; those without a value are left out."""
    return (
        '<table class="cell-facts">'
        + "".join(
            f'<tr><th scope="row">{escape(name)}</th><td><bdi>{escape(value)}</bdi></td></tr>'
            for name, value in rows
            if value
        )
        + "</table>"
    )
