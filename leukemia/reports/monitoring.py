"""What page and command line say of a monitoring report: the conclusion, what to do, the table, the CSV."""

import math
from dataclasses import dataclass

import pandas as pd

from leukemia.evaluation import formatting
from leukemia.evaluation.estimate import Estimate
from leukemia.monitoring import control
from leukemia.monitoring.control import State
from leukemia.monitoring.measures import DECISIONS, MEASURES
from leukemia.monitoring.readers import Readers
from leukemia.monitoring.watch import AGREEMENT, MISSED, Line, Report
from leukemia.settings import RESEARCH_USE
from leukemia.storage import spreadsheet

MARKS = {State.OK: "✓", State.WATCH: "△", State.STOP: "■", State.TOO_FEW: "…", State.UNKNOWN: "–"}
# In the table, where there is little room.
SHORT = {State.STOP: "Stop", State.TOO_FEW: "Too few"}
HEADER = (
    "State",
    "Measure",
    "Latest cases",
    "Model's patients",
    "Weighted mean now",
    "Watch outside",
    "Stop outside",
)
# The first columns, by which a file of ours is told.
COLUMNS = ("measure", "state", "unit")
NO_RECORD = (
    "The record of the model that answered these cases is not available any more: there is nothing to hold "
    "them against."
)
ALL_RIGHT = "Recent cases are like the patients on whom the model was evaluated. Nothing needs to be done."
READ_ALL = "Until the cause is found, read every cell of each case yourself, also those called Normal-like."
OTHER_PATIENTS = (
    "Other patients can explain this, for example fewer with ALL than in the model's record. If your "
    "patients have not changed, let a reader review some of the latest cases with the model's answer hidden."
)
_COLOURS = "Check the stain, and the lamp and white balance of the microscope or scanner."
TO_DO = {
    "cell_area": "Check the magnification and the micrometres per pixel that were stated.",
    "hue": _COLOURS,
    "saturation": _COLOURS,
    "brightness": _COLOURS,
    "sharpness": "Check the focus, and how the images are compressed.",
    "distance": "Check the stain, the scanner and how the cells are cut out.",
    "unclassified": "Open some of the cells that were not classified: each says why.",
    MISSED: "Do not rely on Normal-like. Check the model on your own patients under Performance, Verify.",
    AGREEMENT: "Compare the readers' verdicts with the model's answers in the latest signed cases.",
}
_DECISIONS = (
    "Let a reader review the latest cases with the model's answer hidden, and check the model on your own "
    "patients under Performance, Verify."
)
TITLES = {name: measure.title for name, measure in MEASURES.items()} | {
    MISSED: "Called Normal-like, signed as ALL-like",
    AGREEMENT: "Agreement of readers with the model",
}
ABOUT = (
    "Each case weighs the same, however many cells it has; in brackets the 95% interval over cases. Of the "
    "model's patients, the mean and the means of the lowest and the highest source. In the weighted mean "
    "each case counts a tenth less than the one after it. Watch: unlike every source of the record. Stop: no "
    "mix of its healthy and ill patients explains it."
)


@dataclass(frozen=True)
class Conclusion:
    """What a report comes to: the state, what was found, and what to do about it, each a sentence or more."""

    state: State
    found: tuple[str, ...]
    to_do: tuple[str, ...]

    @property
    def headline(self) -> str:
        """State and findings in one line of plain text."""
        return " ".join((f"{self.state}.", *self.found))


def conclusion(report: Report) -> Conclusion:
    """Say what a report comes to; plain text."""
    state, said = report.state, sentences(report)
    if not report.has_record:
        return Conclusion(State.UNKNOWN, (NO_RECORD,), ())
    if state == State.OK:
        return Conclusion(state, (ALL_RIGHT,), ())
    if state in (State.TOO_FEW, State.UNKNOWN):
        cases = len(report.cases.numbers)
        few = (
            f"{cases} {'case' if cases == 1 else 'cases'} so far; at least {control.LEAST_CASES} are needed."
        )
        lacking = "The model's record has too few patients to compare with."
        return Conclusion(state, (few if state == State.TOO_FEW else lacking,), ())
    worst = [name for name, own in report.states.items() if own == state]
    found = tuple(said[name] for name in worst)
    advice = dict.fromkeys(TO_DO.get(name, _DECISIONS) for name in worst)
    if state == State.WATCH and all(name in MEASURES and MEASURES[name].about == DECISIONS for name in worst):
        advice = {OTHER_PATIENTS: None}
    return Conclusion(state, found, (*advice, *([READ_ALL] if state == State.STOP else ())))


def sentences(report: Report) -> dict[str, str]:
    """What is to be said of each measure that is one to watch or to stop; plain text."""
    out = {name: _sentence(name, line) for name, line in report.lines.items() if _is_bad(line.state)}
    readers = report.readers
    if _is_bad(readers.missed_state):
        out[MISSED] = (
            f"{formatting.interval(readers.missed, True)} of the cells signed as ALL-like were called "
            f"Normal-like by the model, in {readers.missed_cases} cases; its limits are to keep this at "
            f"{readers.promised:.0%} or below."
        )
    if _is_bad(readers.agreement_state):
        now, before = readers.blocks[-1].with_model, readers.before
        out[AGREEMENT] = (
            f"Readers agree less with the model than before: kappa {formatting.interval(now.kappa)}, before "
            f"{formatting.interval(before.kappa)}."
        )
    return out


def nearest(report: Report, figures: dict[str, Estimate] | None) -> str:
    """Which source of the record recent cases are most like, and how the model fared there; plain text.

    Parameters
    ----------
    report : Report
    figures : dict of str to Estimate or None
        Sensitivity and specificity in that source; None where they are not on record.
    """
    if not report.source:
        return ""
    said = f"By size, colour and sharpness, recent cases are most like the model's source {report.source}."
    if not figures:
        return said
    shown = " and ".join(f"a {name} of {formatting.interval(figures[name])}" for name in figures)
    return f"{said} There the model had {shown} (patients weighted equally)."


def left_out(report: Report, hidden: int, drawn: int) -> str:
    """What is not counted, and why; plain text, empty where all is."""
    parts = []
    if hidden:
        cases = "1 open case that hides" if hidden == 1 else f"{hidden:,} open cases that hide"
        parts.append(f"{cases} the model's answer (until signed)")
    if report.cases.learned:
        parts.append(f"{report.cases.learned:,} cells that the model learned from")
    if drawn:
        parts.append(f"{drawn:,} drawn cells")
    if report.cases.without_colours:
        cases = report.cases.without_colours
        parts.append(
            f"the colours of {cases:,} {'case' if cases == 1 else 'cases'} from before they were measured"
        )
    return f"Not counted: {'; '.join(parts)}." if parts else ""


def rows(report: Report) -> list[tuple[str, ...]]:
    """Rows of the table, under :data:`HEADER`; what is to be stopped or watched first."""
    rank = {State.STOP: 0, State.WATCH: 1}
    lines = sorted(report.lines.items(), key=lambda item: rank.get(item[1].state, 2))
    out = [_row(name, line) for name, line in lines]
    readers = report.readers
    if readers.missed_cases:
        promised = "–" if readers.promised is None else f"promised: at most {readers.promised:.0%}"
        shown = formatting.interval(readers.missed, True)
        out.append((_state(readers.missed_state), TITLES[MISSED], shown, promised, "–", "–", "–"))
    return out


def agreement(readers: Readers) -> list[str]:
    """What is to be said of the agreement of readers; plain text."""
    if not readers.signed:
        return []
    lines = []
    for found, who in (
        (readers.with_model, "Readers and the model, on cells that it called ALL-like or Normal-like"),
        (readers.between, "Two readers"),
    ):
        if found is None:
            continue
        kappa = "not defined" if math.isnan(found.kappa.value) else formatting.interval(found.kappa)
        verdicts = "verdict" if found.cells == 1 else "verdicts"
        cases = "1 signed case" if found.cases == 1 else f"{found.cases:,} signed cases"
        lines.append(
            f"{who}: the same on {found.same:,} of {found.cells:,} {verdicts} in {cases}; Cohen's kappa "
            f"{kappa} (95% interval over {found.over})."
        )
    if readers.missed_cases:
        lines.append(
            f"Of the cells signed as ALL-like, the model had called "
            f"{formatting.interval(readers.missed, True)} Normal-like (each of {readers.missed_cases:,} "
            "cases weighing the same)."
        )
    lines.append(
        f"The model's answer was hidden until the verdict in {readers.unseen:,} of {readers.signed:,} signed "
        "cases. In the others it may have guided the readers."
    )
    return lines


def table(report: Report) -> pd.DataFrame:
    """The report as a table that leaves the house, a row a measure."""
    out = []
    for name, line in report.lines.items():
        base, track = line.baseline, line.track
        sources = list(base.by_source.values()) if base else []
        ends = [float(side[-1]) for pair in ((track.watch, track.stop) if track else ()) for side in pair]
        out.append(
            (name, str(line.state), MEASURES[name].unit or "share of cells")
            + (line.recent.value, line.recent.low, line.recent.high, report.described)
            + (base.mean if base else None, base.patients if base else None)
            + ((min(sources), max(sources)) if sources else (None, None))
            + (float(track.ewma[-1]) if track else None, *(ends or [None] * 4))
        )
    readers = report.readers
    for name, state, value, cases in (
        (MISSED, readers.missed_state, readers.missed, readers.missed_cases),
        (
            AGREEMENT,
            readers.agreement_state,
            readers.with_model.kappa if readers.with_model else Estimate(math.nan, math.nan, math.nan),
            readers.with_model.cases if readers.with_model else 0,
        ),
    ):
        unit = "share of cells" if name == MISSED else "Cohen's kappa"
        out.append((name, str(state), unit, value.value, value.low, value.high, cases, *[None] * 9))
    names = [*COLUMNS, "latest", "latest_low", "latest_high", "cases", "reference", "reference_patients"]
    names += [
        "lowest_source",
        "highest_source",
        "weighted_mean",
        "watch_low",
        "watch_high",
        "stop_low",
        "stop_high",
    ]
    model = report.model
    return pd.DataFrame(out, columns=names).assign(
        model=model.name, version=model.version, record_sha256=model.record_sha256, notice=RESEARCH_USE
    )


def to_csv(report: Report) -> str:
    """The same as CSV text."""
    return spreadsheet.to_csv(table(report))


def is_table(beginning: str) -> bool:
    """Whether a file that begins like this holds such a table."""
    return beginning.partition("\n")[0].strip().split(",")[: len(COLUMNS)] == list(COLUMNS)


def _is_bad(state: State) -> bool:
    return state in (State.STOP, State.WATCH)


def _sentence(name: str, line: Line) -> str:
    measure, track = MEASURES[name], line.track
    limits = track.stop if line.state == State.STOP else track.watch
    side = track.direction(limits)
    if not side:
        latest = int(track.odd[track.measured][-control.LATEST :].sum())
        return (
            f"{measure.title}: {latest} of the latest {control.LATEST} cases lie outside the limits of a "
            f"case."
        )
    word, end = ("higher", limits[1]) if side > 0 else ("lower", limits[0])
    return (
        f"{measure.title}: {word} than in the model's patients (weighted mean "
        f"{measure.shown(track.ewma[-1])}, limit {measure.shown(float(end[-1]))}, mean of the model's "
        f"patients {measure.shown(line.baseline.mean)})."
    )


def _row(name: str, line: Line) -> tuple[str, ...]:
    measure, base, track = MEASURES[name], line.baseline, line.track
    title = f"{measure.title} ({measure.unit})" if measure.unit else measure.title
    latest = measure.shown(line.recent.value) if not math.isnan(line.recent.value) else "not on record"
    if not math.isnan(line.recent.low):
        latest += f" ({measure.shown(line.recent.low)} to {measure.shown(line.recent.high)})"
    if not (base and track):
        return _state(line.state), title, latest, "not on record", "–", "–", "–"
    sources = [measure.shown(value) for value in sorted(base.by_source.values())]
    patients = measure.shown(base.mean) + (f" ({sources[0]} to {sources[-1]})" if len(sources) > 1 else "")
    ends = [_limits(name, limits) for limits in (track.watch, track.stop)]
    return _state(line.state), title, latest, patients, measure.shown(track.ewma[-1]), *ends


def _limits(name: str, limits: tuple) -> str:
    """Within which values all is well; a dash where no value can lie outside."""
    measure, (low, high) = MEASURES[name], (float(side[-1]) for side in limits)
    if measure.is_bounded and low <= 0 and high >= 1:
        return "–"
    low = max(low, 0.0) if name != "sharpness" else low
    return f"{measure.shown(low)} to {measure.shown(min(high, 1.0) if measure.is_bounded else high)}"


def _state(state: State) -> str:
    return f"{MARKS[state]} {SHORT.get(state, state)}"
