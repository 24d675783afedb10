"""Counts by source and class, drawn as a table."""

import re

import pandas as pd

from leukemia.plots import class_bars


def rows(html):
    """Class, width in percent and count of each line."""
    found = re.findall(
        r'<td>([^<]+)</td><td><span class="bar \w+" style="width: ([\d.]+)%">.*?<span>(.*?)<', html
    )
    return [(label, float(width), count) for label, width, count in found]


def counts(*lines):
    return pd.DataFrame(lines, columns=["source", "label", "images"])


def test_each_source_has_a_bar_a_class_as_long_as_its_count():
    html = class_bars.html(
        "Images",
        counts(
            ("fold_0", "", 10), ("fold_0", "ALL", 2_028), ("fold_0", "Normal", 1_014), ("fold_1", "ALL", 0)
        ),
        "images",
    )
    assert rows(html) == [("Normal", 35, "1,014"), ("ALL", 70, "2,028"), ("unlabelled", 0.35, "10")]
    assert '<th scope="rowgroup" rowspan="3">fold_0</th>' in html
    assert "fold_1" not in html
    assert "<caption>Images</caption>" in html


def test_a_source_is_shown_as_text():
    html = class_bars.html("Images", counts(("<b>lab", "ALL", 1)), "images")
    assert "&lt;b&gt;lab" in html
    assert "<b>" not in html


def test_nothing_to_count_is_an_empty_table():
    assert rows(class_bars.html("Images", counts(), "images")) == []
