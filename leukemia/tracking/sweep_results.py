"""Results of a sweep: its trials, the best one so far, and what a reader should notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.interpolate import griddata
from scipy.stats import spearmanr

from leukemia.jobs.facts import Setting, SweepFacts, SweepTrial
from leukemia.recipes.search_space import BOTH
from leukemia.recipes.settings import field
from leukemia.tracking.records import Run, RunStatus

# Before the name of a varied setting among the settings of a run.
VARY = "vary_"
# States of a trial.
COMPLETE, PRUNED, FAILED, AT_WORK = "complete", "pruned", "failed", "running"
# Trials from which a tendency is mentioned, and how clear it must be (rank correlation).
ENOUGH, CLEAR = 8, 0.5
# A best value this close to an end of its range, as a share of the range, lies at the end.
EDGE = 0.05
# Points along each side of the surface between trials, and the fewest trials that span one.
SIDE, SPANNING = 80, 4


@dataclass(frozen=True)
class SweepResults:
    """The trials of a sweep, in their order.

    Attributes
    ----------
    ranges : dict
        Name of each varied setting to the ends of its range; 0 and 1 where it is on or off.
    trials : tuple of SweepTrial
        By their number.
    """

    ranges: dict[str, tuple[float, float]]
    trials: tuple[SweepTrial, ...]

    @property
    def finished(self) -> list[SweepTrial]:
        """Trials that finished."""
        return [trial for trial in self.trials if trial.objective is not None]

    @property
    def best(self) -> SweepTrial | None:
        """The trial with the highest objective; of equal ones, the first."""
        return max(self.finished, key=lambda trial: (trial.objective, -trial.number), default=None)

    def count(self, state: str) -> int:
        """Count the trials in a state."""
        return sum(trial.state == state for trial in self.trials)


def of_run(sweep: Run, trials: Sequence[Run]) -> SweepResults:
    """Read the results of a sweep from its run and those of its trials."""
    ranges = {
        key.removeprefix(VARY): _ends(text) for key, text in sweep.settings.items() if key.startswith(VARY)
    }
    read = [_trial(number, run, ranges) for number, run in enumerate(trials, 1)]
    return SweepResults(ranges, tuple(sorted(read, key=lambda trial: trial.number)))


def of_facts(facts: SweepFacts) -> SweepResults:
    """Read the results of a running sweep from what it reports to its job."""
    return SweepResults(dict(facts.vary), tuple(facts.trials))


def table(results: SweepResults) -> pd.DataFrame:
    """Make a table, one row per trial, the best first: number, objective, state and each varied setting."""
    rows = [
        {"number": trial.number, "objective": trial.objective, "state": trial.state}
        | {name: trial.settings.get(name) for name in results.ranges}
        for trial in results.trials
    ]
    out = pd.DataFrame(rows, columns=["number", "objective", "state", *results.ranges])
    out["objective"] = out["objective"].astype(float)
    return out.sort_values(["objective", "number"], ascending=[False, True]).reset_index(drop=True)


def course(results: SweepResults) -> pd.DataFrame:
    """List the finished trials in their order: number, objective, and the best objective so far."""
    out = pd.DataFrame(
        [(trial.number, trial.objective) for trial in results.finished], columns=["number", "objective"]
    )
    return out.assign(best=out["objective"].cummax())


def scaled(name: str, values: Sequence[Setting]) -> np.ndarray:
    """Scale a setting's values for a linear axis: base-10 logarithms where it is drawn logarithmically."""
    array = np.asarray(values, dtype=float)
    return np.log10(array) if field(name).kind == "log" else array


def surface(results: SweepResults) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Interpolate the objective between the trials, linearly, where two numbers were varied.

    Returns
    -------
    tuple of numpy.ndarray or None
        Positions along the first setting, shape (80,), along the second, shape (80,), and the objective,
        shape (80, 80), one row per position of the second; NaN outside of what was tried. Positions are
        scaled as by :func:`scaled`. None where the trials span no surface.
    """
    names = list(results.ranges)
    if len(names) != 2 or any(field(name).kind == "bool" for name in names):
        return None
    finished = results.finished
    points = np.stack([scaled(name, [trial.settings[name] for trial in finished]) for name in names], axis=1)
    centred = points - points.mean(axis=0) if len(points) else points
    if len(points) < SPANNING or np.linalg.matrix_rank(centred) < 2:
        return None
    x, y = (np.linspace(*scaled(name, results.ranges[name]), SIDE) for name in names)
    values = [trial.objective for trial in finished]
    return x, y, griddata(points, values, tuple(np.meshgrid(x, y)), method="linear", rescale=True)


def notes(results: SweepResults) -> list[str]:
    """Say in sentences what to notice in a sweep; plain text."""
    best = results.best
    if best is None:
        return ["No trial has finished yet."]
    sentences = [
        f"The best is trial {best.number} of {len(results.trials)}: AUROC {best.objective:.3f} on validation "
        f"patients, with {settings_in_words(best.settings)}."
    ]
    objectives = [trial.objective for trial in results.finished]
    if len(objectives) > 1:
        sentences.append(
            f"The median of the {len(objectives)} finished trials is {np.median(objectives):.3f}, the lowest "
            f"{min(objectives):.3f}."
        )
    sentences += filter(None, (_edge(results, best, name) for name in results.ranges))
    sentences += filter(None, (_tendency(results, name) for name in results.ranges))
    if pruned := results.count(PRUNED):
        sentences.append(f"{_trials(pruned)} stopped early: worse than the median at the same epoch.")
    if failed := results.count(FAILED):
        sentences.append(f"{_trials(failed)} unusable: the training diverged.")
    return sentences


def settings_in_words(settings: Mapping[str, Setting]) -> str:
    """Put settings in words: ``learning rate 0.001, flips on``."""
    return ", ".join(f"{field(name).title.lower()} {in_words(value)}" for name, value in settings.items())


def in_words(value: Setting) -> str:
    """Put a setting's value in words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _trials(count: int) -> str:
    return "1 trial was" if count == 1 else f"{count} trials were"


def _edge(results: SweepResults, best: SweepTrial, name: str) -> str:
    if field(name).kind == "bool":
        return ""
    low, high = scaled(name, results.ranges[name])
    place = (scaled(name, [best.settings[name]])[0] - low) / (high - low)
    if EDGE < place < 1 - EDGE:
        return ""
    end, bound = ("upper", field(name).high) if place > 0.5 else ("lower", field(name).low)
    if results.ranges[name][int(place > 0.5)] == bound:
        return ""
    return f"Its {field(name).title.lower()} is at the {end} end of the range: a wider range may do better."


def _tendency(results: SweepResults, name: str) -> str:
    finished = results.finished
    values = [float(trial.settings[name]) for trial in finished]
    if len(finished) < ENOUGH or len(set(values)) < 2:
        return ""
    rank = spearmanr(values, [trial.objective for trial in finished]).statistic
    if not abs(rank) >= CLEAR:
        return ""
    word = "higher" if rank > 0 else "lower"
    title = field(name).title
    first = f"{title} switched on" if field(name).kind == "bool" else f"A higher {title.lower()}"
    return f"{first} went with a {word} AUROC (rank correlation {rank:+.2f} over {len(finished)} trials)."


def _trial(place: int, run: Run, ranges: Mapping[str, tuple[float, float]]) -> SweepTrial:
    settings = {name: _value(name, run.settings[name]) for name in ranges if name in run.settings}
    objective = run.tags.get("objective", "")
    state = run.tags.get("outcome") or (AT_WORK if run.status == RunStatus.RUNNING else run.status)
    number = run.tags.get("trial", "")
    return SweepTrial(
        int(number) if number.isdigit() else place, settings, float(objective) if objective else None, state
    )


def _value(name: str, text: str) -> Setting:
    kind = field(name).kind
    if kind == "bool":
        return text.lower() == "true"
    return int(float(text)) if kind == "int" else float(text)


def _ends(text: str) -> tuple[float, float]:
    if text == BOTH:
        return 0.0, 1.0
    low, _, high = text.partition(":")
    return float(low), float(high)
