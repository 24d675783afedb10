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
