"""A chart together with the sentence that says what to notice in it."""

from dataclasses import dataclass

import plotly.graph_objects as go


@dataclass(frozen=True)
class Chart:
    """A chart as page and report show it.

    Attributes
    ----------
    figure : plotly.graph_objects.Figure
    caption : str
        What to notice, as plain text: names of patients and files are neither HTML nor Markdown.
    """

    figure: go.Figure
    caption: str


@dataclass(frozen=True)
class Drawing:
    """A chart that needs no script to be seen, in place of a :class:`Chart`.

    Attributes
    ----------
    html : str
        What is drawn, names from files escaped.
    caption : str
        As for a :class:`Chart`.
    """

    html: str
    caption: str
