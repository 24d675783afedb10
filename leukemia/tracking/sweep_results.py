"""What a sweep found: its trials as a table, their course, and what of it a reader should notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.interpolate import griddata
from scipy.stats import spearmanr

from leukemia.recipes.settings import field
from leukemia.tracking.records import Run, RunStatus

VARY, BOTH = "vary_", "both"
COMPLETE, PRUNED, FAILED, AT_WORK = "complete", "pruned", "failed", "running"
# Trials from which a tendency is told, and how clear it must be (rank correlation).
ENOUGH, CLEAR = 8, 0.5
# A best value so close to an end of its range, as a share of the range, lies at its edge.
EDGE = 0.05
# Points a side of the surface between trials, and the fewest trials that span one.
SIDE, SPANNING = 80, 4

Value = bool | int | float


@dataclass(frozen=True)
class Tried:
    """One trial, numbered from 1; ``objective`` is None where it did not come to its end."""

    number: int
    settings: dict[str, Value]
    objective: float | None
    state: str


@dataclass(frozen=True)
class Found:
    """A sweep's trials in their order.

    Attributes
    ----------
    ranges : dict
        Name of each setting that was varied, to its ends; 0 and 1 where it is on or off.
    trials : tuple of Tried
    """

    ranges: dict[str, tuple[float, float]]
    trials: tuple[Tried, ...]

    @property
    def ended(self) -> list[Tried]:
        """Trials that came to their end."""
        return [trial for trial in self.trials if trial.objective is not None]

    @property
    def best(self) -> Tried | None:
        """The trial with the highest objective, of equal ones the first."""
        return max(self.ended, key=lambda trial: (trial.objective, -trial.number), default=None)

    def count(self, state: str) -> int:
        """How many trials are in a state."""
        return sum(trial.state == state for trial in self.trials)


def of_run(sweep: Run, trials: Sequence[Run]) -> Found:
    """What MLflow keeps of a sweep: its run and those of its trials."""
    said = {key.removeprefix(VARY): text for key, text in sweep.settings.items() if key.startswith(VARY)}
    ranges = {name: _ends(text) for name, text in said.items()}
    found = [_tried(number, one, ranges) for number, one in enumerate(trials, 1)]
    return Found(ranges, tuple(sorted(found, key=lambda trial: trial.number)))


def of_facts(facts: Mapping[str, Any]) -> Found:
    """What a sweep that is at work tells its job."""
    ranges = {name: (float(low), float(high)) for name, (low, high) in (facts.get("vary") or {}).items()}
    trials = [
        Tried(int(one["number"]), dict(one["settings"]), one.get("objective"), str(one["state"]))
        for one in facts.get("trials") or ()
    ]
    return Found(ranges, tuple(trials))


def table(found: Found) -> pd.DataFrame:
    """A row a trial, the best first: number, objective, state and a column for each setting."""
    rows = [
        {"number": trial.number, "objective": trial.objective, "state": trial.state}
        | {name: trial.settings.get(name) for name in found.ranges}
        for trial in found.trials
    ]
    out = pd.DataFrame(rows, columns=["number", "objective", "state", *found.ranges])
    out["objective"] = out["objective"].astype(float)
    return out.sort_values(["objective", "number"], ascending=[False, True]).reset_index(drop=True)


def course(found: Found) -> pd.DataFrame:
    """The ended trials in their order: number, objective, and the best one so far."""
    out = pd.DataFrame(
        [(trial.number, trial.objective) for trial in found.ended], columns=["number", "objective"]
    )
    return out.assign(best=out["objective"].cummax())


def scaled(name: str, values: Sequence[Value]) -> np.ndarray:
    """Values of a setting as they are laid on an axis: logarithms (base 10) where its steps are factors."""
    array = np.asarray(values, dtype=float)
    return np.log10(array) if field(name).kind == "log" else array


def surface(found: Found) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The objective between the trials where two numbers were varied, by linear interpolation.

    Returns
    -------
    tuple of numpy.ndarray or None
        Places on the first setting's axis, shape (80,), on the second's, shape (80,), and the objective,
        shape (80, 80), a row for each place of the second; NaN outside of what was tried. Places are
        scaled as by :func:`scaled`. None where trials span no surface.
    """
    names = list(found.ranges)
    if len(names) != 2 or any(field(name).kind == "bool" for name in names):
        return None
    ended = found.ended
    points = np.stack([scaled(name, [trial.settings[name] for trial in ended]) for name in names], axis=1)
    centred = points - points.mean(axis=0) if len(points) else points
    if len(points) < SPANNING or np.linalg.matrix_rank(centred) < 2:
        return None
    x, y = (np.linspace(*scaled(name, found.ranges[name]), SIDE) for name in names)
    values = [trial.objective for trial in ended]
    return x, y, griddata(points, values, tuple(np.meshgrid(x, y)), method="linear", rescale=True)


def notice(found: Found) -> list[str]:
    """Sentences that say what to see in a sweep's charts; plain text."""
    best = found.best
    if best is None:
        return ["No trial has come to its end yet."]
    said = [
        f"Best is trial {best.number} of {len(found.trials)}: AUROC {best.objective:.3f} on validation "
        f"patients, with {settings_in_words(best.settings)}."
    ]
    if len(found.ended) > 1:
        lowest, middle = (
            np.min([t.objective for t in found.ended]),
            np.median([t.objective for t in found.ended]),
        )
        said.append(
            f"The median of the {len(found.ended)} finished trials is {middle:.3f}, the lowest {lowest:.3f}."
        )
    said += filter(None, (_edge(found, best, name) for name in found.ranges))
    said += filter(None, (_tendency(found, name) for name in found.ranges))
    if pruned := found.count(PRUNED):
        said.append(f"{_trials(pruned)} broken off early, being worse than the median at the same epoch.")
    if failed := found.count(FAILED):
        said.append(f"{_trials(failed)} of no use: the loss was no number any more.")
    return said


def settings_in_words(settings: Mapping[str, Value]) -> str:
    """Settings for a reader: ``learning rate 0.001, flips on``."""
    return ", ".join(f"{field(name).title.lower()} {in_words(value)}" for name, value in settings.items())


def in_words(value: Value) -> str:
    """One value for a reader."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _trials(count: int) -> str:
    return "1 trial was" if count == 1 else f"{count} trials were"


def _edge(found: Found, best: Tried, name: str) -> str:
    if field(name).kind == "bool":
        return ""
    low, high = scaled(name, found.ranges[name])
    place = (scaled(name, [best.settings[name]])[0] - low) / (high - low)
    if EDGE < place < 1 - EDGE:
        return ""
    end, one = ("upper", field(name).high) if place > 0.5 else ("lower", field(name).low)
    if found.ranges[name][int(place > 0.5)] == one:
        return ""
    return f"Its {field(name).title.lower()} lies at the {end} end of the range: a wider one may hold better."


def _tendency(found: Found, name: str) -> str:
    ended = found.ended
    values = [float(trial.settings[name]) for trial in ended]
    if len(ended) < ENOUGH or len(set(values)) < 2:
        return ""
    rank = spearmanr(values, [trial.objective for trial in ended]).statistic
    if not abs(rank) >= CLEAR:
        return ""
    word = "higher" if rank > 0 else "lower"
    title = field(name).title
    first = f"{title} switched on" if field(name).kind == "bool" else f"A higher {title.lower()}"
    return f"{first} went with a {word} AUROC (rank correlation {rank:+.2f} over {len(ended)} trials)."


def _tried(place: int, run: Run, ranges: Mapping[str, tuple[float, float]]) -> Tried:
    settings = {name: _value(name, run.settings[name]) for name in ranges if name in run.settings}
    said = run.tags.get("objective", "")
    state = run.tags.get("outcome") or (AT_WORK if run.status == RunStatus.RUNNING else run.status)
    number = run.tags.get("trial", "")
    return Tried(int(number) if number.isdigit() else place, settings, float(said) if said else None, state)


def _value(name: str, text: str) -> Value:
    kind = field(name).kind
    if kind == "bool":
        return text.lower() == "true"
    return int(float(text)) if kind == "int" else float(text)


def _ends(text: str) -> tuple[float, float]:
    if text == BOTH:
        return 0.0, 1.0
    low, _, high = text.partition(":")
    return float(low), float(high)
