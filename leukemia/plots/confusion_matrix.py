"""The confusion matrix as a piece of HTML, for a page and for a report."""

from pathlib import Path

from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.wording import interval

STYLE = Path(__file__).with_name("confusion_matrix.css")


def html(counts: dict[str, int], found: dict[str, Estimate]) -> str:
    """Counts of cells and their rates, right and wrong told by words, marks and borders.

    Parameters
    ----------
    counts : dict of str to int
        Of :func:`leukemia.evaluation.metrics.confusion`: tn, fp, fn, tp.
    found : dict of str to Estimate
        Sensitivity and specificity at the same threshold.
    """
    recall, cleared = found["sensitivity"], found["specificity"]
    cells = {
        "tp": ("right", "✓ found", recall),
        "fn": ("wrong", "✗ missed", _rest(recall)),
        "fp": ("wrong", "✗ false alarms", _rest(cleared)),
        "tn": ("right", "✓ cleared", cleared),
    }
    all_cells, normal = counts["tp"] + counts["fn"], counts["tn"] + counts["fp"]
    rows = "".join(
        f'<tr><th scope="row">{label}<br>{size:,} cells</th>'
        + "".join(_cell(counts[name], *cells[name]) for name in names)
        + "</tr>"
        for label, size, names in (("ALL", all_cells, ("tp", "fn")), ("Normal", normal, ("fp", "tn")))
    )
    return (
        '<div class="matrix"><table aria-label="Confusion matrix: rows are the labels, columns the calls">'
        '<thead><tr><th scope="col">Label</th><th scope="col">Called ALL-like</th>'
        f'<th scope="col">Called Normal-like</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _cell(count: int, kind: str, word: str, share: Estimate) -> str:
    return f'<td class="{kind}"><b>{count:,}</b><span>{word}</span><span>{interval(share, True)}</span></td>'


def _rest(share: Estimate) -> Estimate:
    return Estimate(1 - share.value, 1 - share.high, 1 - share.low)
