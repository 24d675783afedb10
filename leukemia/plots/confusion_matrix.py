"""The confusion matrix as a piece of HTML, for a page and for a report."""

from pathlib import Path

from leukemia.classes import ALL, NORMAL
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.formatting import interval
from leukemia.evaluation.three_way import NAMES
from leukemia.operating_point import CALLS, INDETERMINATE

STYLE = Path(__file__).with_name("confusion_matrix.css")


def html(counts: dict[str, int], estimates: dict[str, Estimate]) -> str:
    """Draw counts of cells and their rates; words, marks and borders tell right from wrong.

    Parameters
    ----------
    counts : dict of str to int
        Of :func:`leukemia.evaluation.metrics.confusion`: tn, fp, fn, tp.
    estimates : dict of str to Estimate
        Sensitivity and specificity at the same threshold.
    """
    sensitivity, specificity = estimates["sensitivity"], estimates["specificity"]
    cells = {
        "tp": ("right", "✓ found", sensitivity),
        "fn": ("wrong", "✗ missed", _rest(sensitivity)),
        "fp": ("wrong", "✗ false alarms", _rest(specificity)),
        "tn": ("right", "✓ cleared", specificity),
    }
    all_cells, normal = counts["tp"] + counts["fn"], counts["tn"] + counts["fp"]
    rows = "".join(
        f'<tr><th scope="row">{label}<br>{size:,} cells</th>'
        + "".join(_cell(counts[name], *cells[name]) for name in names)
        + "</tr>"
        for label, size, names in ((ALL, all_cells, ("tp", "fn")), (NORMAL, normal, ("fp", "tn")))
    )
    return (
        '<div class="matrix"><table aria-label="Confusion matrix: rows are the labels, columns the calls">'
        '<thead><tr><th scope="col">Label</th><th scope="col">Called ALL-like</th>'
        f'<th scope="col">Called Normal-like</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def three_way(counts: dict[str, int], shares: dict[str, Estimate]) -> str:
    """Draw what becomes of the cells of each class where the model may abstain.

    Parameters
    ----------
    counts, shares : dict
        Of :mod:`leukemia.evaluation.three_way`, by its names.
    """
    right = {name for (label, call), name in NAMES.items() if label == call}
    wrong = {name for (label, call), name in NAMES.items() if call != INDETERMINATE} - right
    words = dict.fromkeys(NAMES.values(), "◆ left open")
    words |= {"all_like": "✓ found", "missed": "✗ missed", "alarmed": "✗ false alarms"}
    words |= {"normal_like": "✓ cleared"}
    rows = ""
    for label in (ALL, NORMAL):
        names = [NAMES[label, call] for call in CALLS]
        rows += f'<tr><th scope="row">{label}<br>{sum(counts[name] for name in names):,} cells</th>'
        for name in names:
            kind = "right" if name in right else "wrong" if name in wrong else "open"
            rows += _cell(counts[name], kind, words[name], shares[name])
        rows += "</tr>"
    head = "".join(f'<th scope="col">{word}</th>' for word in ("ALL-like", "Indeterminate", "Normal-like"))
    return (
        '<div class="matrix"><table aria-label="Decisions: rows are the labels, columns the decisions">'
        f'<thead><tr><th scope="col">Label</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _cell(count: int, kind: str, word: str, share: Estimate) -> str:
    return f'<td class="{kind}"><b>{count:,}</b><span>{word}</span><span>{interval(share, True)}</span></td>'


def _rest(share: Estimate) -> Estimate:
    return Estimate(1 - share.value, 1 - share.high, 1 - share.low)
