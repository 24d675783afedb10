"""Figures by source as a table and as sentences: the same on page, card, report and command line.

What is handed over are :class:`leukemia.evaluation.breakdown.sources.BySource` and the figures in it, or
what a record keeps of them under the same names. Plain text: a source's name may come from elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from leukemia.classes import ALL, NORMAL
from leukemia.evaluation import conformal, formatting, metrics
from leukemia.evaluation.breakdown import sources
from leukemia.evaluation.breakdown.sources import BySource, SourceFigures
from leukemia.evaluation.comparison import (
    BETTER,
    BY_SOURCE,
    EACH_PATIENT,
    NOT_SHARES,
    WORDS,
    WORSE,
    WORST,
    Difference,
    signed,
)
from leukemia.evaluation.metrics import FEWEST_PATIENTS

UNKNOWN = (
    "Results by source are not available: the sources of these cells are not recorded with the model, and "
    "the cells are not in this data folder."
)
HEADLINE = ("sensitivity", "specificity", "auroc")
EACH_CELL = "all, cells weighted equally"
GROUPS = {ALL: "ALL patient groups", NORMAL: "healthy patient groups"}
RIGHT = "patient groups right"
HEADER = ("source", *GROUPS.values(), *(f"{WORDS[name]} (95%)" for name in sources.NAMES), RIGHT)
DIFFERENCES = (
    "source",
    *(f"{WORDS[name]}, {'difference' if name in NOT_SHARES else 'points'} (95%)" for name in BY_SOURCE),
)
PAIRED = (
    "Differences by source, each patient weighing the same, on the same cells: each resample draws the same "
    "patients for both. ▲ better, ▼ worse; without a mark, there are too few patients to be sure."
)
UNSEEN = "Worst source if the model had not seen it in training:"
UNSEEN_ABOUT = (
    "Each source as classified by a network trained on the others alone: what to expect in a laboratory that "
    "the model does not know. The threshold and the band come from the other sources, too."
)
# Where a threshold must reach its target; see :data:`leukemia.evaluation.metrics.FEWEST_TO_SET`.
EACH_SOURCE = "in each source with enough patients"
FEW_MARK = "*"
FEW = (
    f"{FEW_MARK} Fewer than {FEWEST_PATIENTS} patient groups of a class: too few to say how the model fares "
    "there. With three or fewer, a 95% interval is no more than the range of these patients."
)
SEVERAL = "A patient group with cells in several sources counts in each."
NOT_RECORDED = "not recorded"
# What a promise is about, after a share of cells.
ABOUT = {
    "sensitivity": "of ALL cells are found (target: at least {})",
    "missed": "of ALL cells are called Normal-like by limits from other patients (target: at most {})",
    "alarmed": "of normal cells are called ALL-like by limits from other patients (target: at most {})",
}


class Band(Protocol):
    """What is read of a band on record."""

    missed: float
    alarmed: float
    promises: Mapping[str, Mapping[str, str]] | None


def table(figures: BySource) -> list[tuple[str, ...]]:
    """Rows below :data:`HEADER`: each source, the worst of them figure by figure, and all cells."""
    rows = [_row(name, one) for name, one in figures.sources.items()]
    if len(rows) > 1:
        at = {name: sources.worst(figures, name) for name in sources.NAMES}
        named = [
            f"{figure(figures.sources[source], name)} {source}" if source else NOT_RECORDED
            for name, source in at.items()
        ]
        rows.append((WORST, "", "", *named, ""))
    return [*rows, _row(EACH_PATIENT, figures.each_patient), _row(EACH_CELL, figures.each_cell)]


def notes(figures: BySource) -> list[str]:
    """What must be known to read the table."""
    lines = ["In each source every patient weighs the same. 95% intervals come from resampled patients."]
    few = any(
        sources.rests_on(one, name) < FEWEST_PATIENTS
        for one in figures.sources.values()
        for name in sources.NAMES
    )
    in_several = any(
        sum(one.patient_groups.get(label, 0) for one in figures.sources.values())
        > figures.each_cell.patient_groups.get(label, 0)
        for label in GROUPS
    )
    return lines + [SEVERAL] * in_several + [FEW] * few


def worst(figures: BySource) -> list[str]:
    """The headline figures, each in its worst source with the patients that it rests on."""
    if len(figures.sources) == 1:
        (name,) = figures.sources
        return [f"All these cells come from one source ({name}): results in another are not known."]
    return [words for name in HEADLINE if (words := worst_of(figures, name))]


def worst_of(figures: BySource, name: str) -> str:
    """A figure in its worst source, and in the worst of those with enough patients, if that is another."""
    source = sources.worst(figures, name)
    if source is None:
        return ""
    one = figures.sources[source]
    words = f"{WORDS[name]} {figure(one, name, mark=False)} in {source} ({patients(one, name)}"
    if sources.rests_on(one, name) >= FEWEST_PATIENTS:
        return f"{words})"
    words += ", too few to be sure)"
    if other := sources.worst(figures, name, fewest=FEWEST_PATIENTS):
        one = figures.sources[other]
        words += f"; the worst with enough patients is {figure(one, name)} in {other} ({patients(one, name)})"
    return words


def unseen(figures: BySource) -> str:
    """The worst source of networks that had learned from no cell of it, in a sentence."""
    return f"{UNSEEN} {'; '.join(worst(figures))}."


def shortfalls(figures: BySource, target_recall: float | None, band: Band | None) -> str:
    """In which sources the cells held out do not bear out what was intended; empty where they do in all.

    Parameters
    ----------
    figures : BySource
        At the model's own threshold.
    target_recall : float or None
        What the threshold was chosen for; None where it is another one.
    band : Band or None
        With its bounds ``missed`` and ``alarmed``.
    """
    intended = {} if target_recall is None else {"sensitivity": target_recall}
    if band:
        intended |= {"missed": band.missed, "alarmed": band.alarmed}
    said, where = [], []
    for source, one in figures.sources.items():
        short = [_short(one, name, intended[name]) for name in ABOUT if name in intended]
        if short := [words for words in short if words]:
            where.append(source)
            said.append(f"In {source}, {_listed(short)}; {patients(one)}.")
    return " ".join([f"Below target in {_listed(where)}.", *said]) if said else ""


def lines(figures: BySource, target_recall: float | None, band: Band | None) -> list[str]:
    """What is said first: the worst source, and where figures fall short; as :func:`shortfalls`."""
    first = worst(figures)
    if len(figures.sources) > 1:
        first = [f"Worst source: {'; '.join(first)}."]
    return [*first, *filter(None, [shortfalls(figures, target_recall, band)])]


def guarantees(figures: BySource, band: Band) -> list[str]:
    """Say for each bound of a band in which sources it holds for a further patient, and where it does not.

    Parameters
    ----------
    figures : BySource
    band : Band
        As a record has it: with the bounds ``missed`` and ``alarmed``, and ``promises`` by source (see
        :func:`leukemia.evaluation.conformal.promises`); nothing is said without these.
    """
    calls = {"missed": "ALL cells called Normal-like", "alarmed": "normal cells called ALL-like"}
    said = []
    for name, call in calls.items():
        bound = getattr(band, name)
        needed = conformal.patients_needed(bound)
        worth = {source: words[name] for source, words in (band.promises or {}).items()}
        counted = {
            source: f"{source} ({sources.rests_on(figures.sources[source], name)})"
            for source in worth
            if source in figures.sources
        }
        scarce = {
            source
            for source in counted
            if worth[source] == conformal.KEPT and sources.rests_on(figures.sources[source], name) < needed
        }
        kept = {source for source in counted if worth[source] == conformal.KEPT} - scarce
        places = {
            "also guaranteed for the next patient in": _with(worth, conformal.GUARANTEED),
            "kept for the patients seen, not guaranteed for the next one, in": kept,
            f"kept for the patients seen, who are too few for a guarantee ({needed} needed), in": scarce,
            "not kept in": _with(worth, conformal.BROKEN),
            f"not known, with fewer than {FEWEST_PATIENTS} patients, in": _with(worth, conformal.TOO_FEW),
        }
        parts = [
            f"{words} {_listed(counted[one] for one in sorted(which) if one in counted)}"
            for words, which in places.items()
            if which & counted.keys()
        ]
        if parts:
            said.append(f"At most {bound:.0%} of {call}: {'; '.join(parts)}.")
    return said


def differences(by_source: Mapping[str, Sequence[Difference]]) -> list[tuple[str, ...]]:
    """Rows below :data:`DIFFERENCES`, of :func:`leukemia.evaluation.comparison.by_source`."""
    return [(source, *map(_difference, own)) for source, own in by_source.items()]


def figure(one: SourceFigures, name: str, *, mark: bool = True) -> str:
    """A figure with its interval, marked where it rests on few patients."""
    value = one.estimates[name]
    if value.value != value.value:  # NaN
        absent = 0 in one.patient_groups.values() and name not in metrics.ABSTENTION
        return "not defined" if absent else NOT_RECORDED
    few = FEW_MARK if mark and sources.rests_on(one, name) < FEWEST_PATIENTS else ""
    return formatting.interval(value, name not in NOT_SHARES) + few


def patients(one: SourceFigures, name: str = "") -> str:
    """Whom a figure rests on: ``8 ALL patient groups``, ``8 ALL and 3 healthy patient groups``."""
    labels = sources.RESTS_ON.get(name, (ALL, NORMAL))
    short = {ALL: "ALL", NORMAL: "healthy"}
    counts = " and ".join(f"{one.patient_groups.get(label, 0)} {short[label]}" for label in labels)
    return f"{counts} patient group{'s' * (one.patient_groups.get(labels[-1], 0) != 1)}"


def _short(one: SourceFigures, name: str, bound: float) -> str:
    """How a figure falls short of its bound, in words; empty where it does not, or is not known."""
    # A promise is judged by patients that it was not made on, where that is on record.
    value = one.estimates.get(sources.BY_OTHERS.get(name, name), one.estimates[name]).value
    # Shares are told with one digit of a per cent: what reads the same as the bound keeps it.
    short = round(bound - value, 3) if name == "sensitivity" else round(value - bound, 3)
    return f"{value:.1%} {ABOUT[name].format(f'{bound:.0%}')}" if short > 0 else ""


def _difference(one: Difference) -> str:
    shares = one.name not in NOT_SHARES
    change, low, high = (signed(end, shares) for end in (one.change.value, one.change.low, one.change.high))
    if one.change.value != one.change.value:  # NaN
        return change
    mark = {BETTER: " ▲", WORSE: " ▼"}.get(one.verdict, "")
    return f"{change} ({low} to {high}){mark}"


def _row(name: str, one: SourceFigures) -> tuple[str, ...]:
    counted = (f"{one.patient_groups.get(label, 0)} ({one.cells.get(label, 0):,} cells)" for label in GROUPS)
    right = f"{one.patients_right} of {sum(one.patient_groups.values())}"
    return (name, *counted, *(figure(one, each) for each in sources.NAMES), right)


def _with(worth: Mapping[str, str], word: str) -> set[str]:
    return {source for source, own in worth.items() if own == word}


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
