"""Counts by source and class as bars in a table: a piece of HTML, there before a chart's script has run."""

from html import escape
from pathlib import Path

import pandas as pd

from leukemia.classes import LABELS
from leukemia.dataset.catalog.filters import UNLABELLED

STYLE = Path(__file__).with_name("class_bars.css")


def html(title: str, counts: pd.DataFrame, column: str) -> str:
    """Draw one bar a source and class, with its count beside it.

    Parameters
    ----------
    title : str
        What the table says it is.
    counts : pandas.DataFrame
        Columns source, label (empty for an image without one) and ``column``; counts of 0 are left out.
    column : str
        Which of the columns is counted, named in the head of the table.
    """
    shown = counts[counts[column] > 0]
    most = shown[column].max() if len(shown) else 1
    body = "".join(_source(source, rows, column, most) for source, rows in shown.groupby("source"))
    return (
        f'<div class="class-bars"><table><caption>{escape(title)}</caption>'
        f'<thead><tr><th scope="col">Source</th><th scope="col">Class</th>'
        f'<th scope="col">{escape(column.capitalize())}</th></tr></thead>{body}</table></div>'
    )


def _source(source: object, rows: pd.DataFrame, column: str, most: int) -> str:
    of_label = rows.set_index("label")[column]
    labels = [label for label in (*LABELS, "") if label in of_label]
    head = f'<th scope="rowgroup" rowspan="{len(labels)}">{escape(str(source))}</th>'
    lines = ""
    for number, label in enumerate(labels):
        count = int(of_label[label])
        lines += (
            f"<tr>{'' if number else head}<td>{label or UNLABELLED}</td>"
            f'<td><span class="bar {(label or UNLABELLED).lower()}" style="width: {70 * count / most:.2f}%">'
            f"</span><span>{count:,}</span></td></tr>"
        )
    return f"<tbody>{lines}</tbody>"
