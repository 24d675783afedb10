"""Recent cases of one model beside its record: what each measure comes to, and all of them together."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from leukemia.bundles.bundle import Bundle
from leukemia.evaluation.estimate import Estimate
from leukemia.monitoring import control, readers, recent, reference
from leukemia.monitoring.control import Baseline, State, Track
from leukemia.monitoring.measures import MEASURES
from leukemia.monitoring.readers import Readers
from leukemia.monitoring.recent import Cases, Cells, Model
from leukemia.monitoring.reference import Reference

# How many of the latest cases the table can describe.
WINDOWS = (20, 50, 100, 500)
USUAL_WINDOW = 50
MISSED, AGREEMENT = "missed", "agreement"


@dataclass(frozen=True)
class Line:
    """One measure.

    Attributes
    ----------
    recent : Estimate
        Mean of the latest cases, each weighing the same, with its 95 % interval (Student's t over cases).
    state : State
        After the last case; it does not depend on how many of the latest cases ``recent`` describes.
    baseline : Baseline or None
        None where the model's record does not tell it, or is not available.
    track : Track or None
        None without a baseline.
    """

    recent: Estimate
    state: State
    baseline: Baseline | None = None
    track: Track | None = None


@dataclass(frozen=True)
class Report:
    """A model's cases, held against its record.

    Attributes
    ----------
    model : Model
    cases : Cases
    window : int
        How many of the latest cases are described, at most.
    lines : dict of str to Line
        By measure; empty where no case counts.
    readers : Readers
    has_record : bool
        Whether the model's record is available.
    source : str or None
        Of its record, the source that recent cases are most like; None where that cannot be told.
    """

    model: Model
    cases: Cases
    window: int
    lines: dict[str, Line]
    readers: Readers
    has_record: bool
    source: str | None = None

    @property
    def described(self) -> int:
        """How many cases the window holds."""
        return min(self.window, len(self.cases.numbers))

    @property
    def states(self) -> dict[str, State]:
        """What each measure comes to, and the readers' verdicts."""
        own = {name: line.state for name, line in self.lines.items()}
        return own | {MISSED: self.readers.missed_state, AGREEMENT: self.readers.agreement_state}

    @property
    def state(self) -> State:
        """What all of them come to; OK only where one of the measures was compared with the record."""
        state = control.worst(list(self.states.values()))
        if state != State.OK:
            return state
        # The readers' verdicts alone do not show that the cases are like those of the record.
        measures = [line.state for line in self.lines.values()]
        return control.worst(measures) if measures else State.TOO_FEW

    def odd_cases(self) -> dict[int, list[str]]:
        """Places of the cases in the window that lie outside their own limits, with the measures."""
        out: dict[int, list[str]] = {}
        first = len(self.cases.numbers) - self.described
        for name, line in self.lines.items():
            for place in np.flatnonzero(line.track.odd) if line.track else ():
                if place >= first:
                    out.setdefault(int(place), []).append(name)
        return dict(sorted(out.items(), reverse=True))


def of_model(
    data: Path,
    found: Cells,
    model: Model,
    bundle: Bundle | None,
    *,
    learned: Collection[str] = (),
    window: int = USUAL_WINDOW,
) -> Report:
    """Hold the cases of a model against its record.

    Parameters
    ----------
    data : Path
        The data folder.
    found : Cells
        Of :func:`leukemia.monitoring.recent.cells`.
    model : Model
        One of its models.
    bundle : Bundle or None
        With that record; None where it is gone.
    learned : collection of str, optional
        ``image_id`` of the cells that the model learned from.
    window : int, optional
        How many of the latest cases the table describes.

    Raises
    ------
    RecordsError
        Where the records cannot be read.
    """
    cases = recent.of_model(found, model, learned)
    known = reference.of(bundle, model.point, data) if bundle else Reference({})
    band = bundle.record.promised(model.point) if bundle else None
    own = readers.of_model(data, model, float(band.missed) if band else None, learned)
    lines = {}
    for name, patients in cases.patients.items() if cases.numbers else ():
        if name == "indeterminate" and not model.point.abstains:
            continue
        value, cells = patients["mean"].to_numpy(float), patients["cells"].to_numpy(float)
        baseline = known.baselines.get(name)
        track = control.track(value, cells, baseline) if baseline else None
        state = track.state if track else State.UNKNOWN
        lines[name] = Line(_mean(value[-window:], MEASURES[name].is_bounded), state, baseline, track)
    now = {name: line.recent.value for name, line in lines.items() if line.state != State.TOO_FEW}
    near = known.nearest_source(now) if len(cases.numbers) >= control.LEAST_CASES else None
    return Report(model, cases, window, lines, own, bundle is not None, near)


def _mean(values: np.ndarray, is_bounded: bool) -> Estimate:
    known = values[~np.isnan(values)]
    if not len(known):
        return Estimate(np.nan, np.nan, np.nan)
    mean = float(known.mean())
    if len(known) < 2:
        return Estimate(mean, np.nan, np.nan)
    reach = float(stats.t.ppf(0.975, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    low, high = mean - reach, mean + reach
    return Estimate(mean, max(low, 0.0), min(high, 1.0)) if is_bounded else Estimate(mean, low, high)
