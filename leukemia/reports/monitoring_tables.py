"""The table of a monitoring report, for page and command line, and as a CSV that leaves the house."""

import math

import pandas as pd

from leukemia.evaluation import formatting
from leukemia.evaluation.estimate import Estimate
from leukemia.monitoring.control import State
from leukemia.monitoring.measures import MEASURES
from leukemia.monitoring.watch import AGREEMENT, MISSED, Line, Report
from leukemia.reports.monitoring_wording import TITLES
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
NONE = Estimate(math.nan, math.nan, math.nan)
# The first columns, by which a file of ours is told.
COLUMNS = ("measure", "state", "unit")
ABOUT = (
    "Each case weighs the same, however many cells it has; in brackets the 95% interval over cases. Of the "
    "model's patients, the mean and the means of the lowest and the highest source. In the weighted mean "
    "each case counts a tenth less than the one after it. Watch: unlike every source of the record. Stop: no "
    "mix of its healthy and ill patients explains it. Cells without an answer: those called Not comparable "
    "or Not classified."
)


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
            readers.with_model.kappa if readers.with_model and readers.with_model.is_told else NONE,
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
