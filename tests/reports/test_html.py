import re

import pytest

from leukemia import markdown
from leukemia.evaluation import formatting, metrics
from leukemia.evaluation.estimate import Estimate
from leukemia.plots import confusion_matrix
from leukemia.reports import html as report
from leukemia.settings import RESEARCH_USE
from tests.support import plain_estimates


def test_a_report_stands_alone_with_the_notice_and_its_script_once():
    section = report.Section(
        "A & B", [report.text("x < y", "warning"), report.table(["<n>"], [["<i>"], [3]])]
    )
    found = report.render("Model <1>", ["made by <me>"], [section], "var chartLibrary = 1;")
    assert found.count(RESEARCH_USE) == 2
    assert found.count("var chartLibrary") == 1
    assert "<h2>A &amp; B</h2>" in found
    assert "x &lt; y" in found
    assert "<td>&lt;i&gt;</td>" in found
    assert "<i>" not in found
    assert "<me>" not in found
    assert not re.search(r'(src|href)="', found)


def test_the_matrix_tells_counts_and_rates(answers):
    predictions = answers(0)
    counts, found = metrics.confusion(predictions, 0.5), plain_estimates.at_threshold(predictions, 0.5)
    html = confusion_matrix.html(counts, found)
    assert re.findall(r"<b>(\d+)</b>", html) == [str(counts[name]) for name in ("tp", "fn", "fp", "tn")]
    assert formatting.interval(found["sensitivity"], True) in html
    missed = 100 * counts["fn"] / (counts["fn"] + counts["tp"])
    assert f"{missed:.1f}%" in html


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.94, ("94", "6")),
        (1.0, ("100", "0")),
        (0.997, ("more than 99", "fewer than 1")),
        (0.003, ("fewer than 1", "more than 99")),
        (0.0, ("0", "100")),
        (float("nan"), ("an unknown number", "an unknown number")),
    ],
)
def test_shares_are_told_of_100_and_never_as_all_where_some_are_missed(share, said):
    assert formatting.of_100(share) == said


def test_the_matrix_is_told_as_a_sentence():
    assert formatting.matrix(0.94, 0.82).startswith(
        "Of 100 ALL cells, 94 are found and 6 missed. Of 100 normal cells, 82"
    )


def test_intervals_in_words():
    assert formatting.interval(Estimate(0.5, 0.25, 0.75)) == "0.500 (0.250 to 0.750)"
    assert formatting.interval(Estimate(0.5, 0.25, 0.75), True) == "50.0% (25.0 to 75.0)"
    assert formatting.interval(Estimate(float("nan"), 0, 0)) == "not defined"
    assert formatting.interval(Estimate(0.5, float("nan"), float("nan"))) == "0.500"


def test_markdown_is_escaped():
    assert markdown.plain("a*b_[c](d)\n :red[x]") == r"a\*b\_\[c\]\(d\) \:red\[x\]"


def test_markdown_is_rendered_and_nothing_in_it_is_fetched_or_run():
    card = (
        "# Card\n\n**bold** a\\_b\n\n| n | v |\n|---|---|\n| <b>x</b> | 1 |\n\n![p](http://far/a.png) "
        "[go](http://far) <http://far> [r]\n\n[r]: http://far\n\n<script>alert(1)</script>\n\n- one\n- two\n"
    )
    found = report.markdown(card)
    assert "<h3>Card</h3>" in found
    assert "<strong>bold</strong> a_b" in found
    assert "<td>&lt;b&gt;x&lt;/b&gt;</td>" in found
    assert '<div class="wide"><table>' in found
    assert "<li>one</li>" in found
    assert not re.search(r"<(img|a|script)\b", found)
    assert "![p](http://far/a.png)" in found
