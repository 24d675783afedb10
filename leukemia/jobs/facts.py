"""What commands report of themselves beyond how far they are: each kind of fact with its type.

They are written to and read from the ``facts`` of a job's ``progress.json`` here and nowhere else. What
an older program did not write, or wrote otherwise, takes its default.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

History = list[dict[str, float]]
Setting = bool | int | float


@dataclass
class Part:
    """A fold, a trial, or the one training of a single run; ``history`` has a dict of metrics per epoch."""

    name: str = ""
    history: History = field(default_factory=list)


@dataclass
class TrainingFacts:
    """A training, a cross-validation or a sweep.

    Attributes
    ----------
    recipe : str
    epochs : int
        At most, in each part.
    run_id : str
        MLflow's; empty until the run is recorded.
    parts : list of Part
        Those that have begun; the last one is running.
    step : dict of str to float
        Metrics of the epoch that is running.
    memory : int or None
        Bytes that the process uses.
    left : float or None
        Seconds until the end, by estimate.
    warnings : list of str
        What a reader must know, in sentences.
    version : int or None
        The model version that it became.
    bundle : str
        The folder that it was written to.
    """

    recipe: str = ""
    epochs: int = 0
    run_id: str = ""
    parts: list[Part] = field(default_factory=list)
    step: dict[str, float] = field(default_factory=dict)
    memory: int | None = None
    left: float | None = None
    warnings: list[str] = field(default_factory=list)
    version: int | None = None
    bundle: str = ""

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "TrainingFacts":
        """Take what belongs here from a job's facts."""
        return cls(
            recipe=str(facts.get("recipe") or ""),
            epochs=int(facts.get("epochs") or 0),
            run_id=str(facts.get("run_id") or ""),
            parts=[
                Part(str(part.get("name") or ""), list(part.get("history") or ()))
                for part in _objects(facts.get("parts"))
            ],
            step=dict(facts.get("step") or {}),
            memory=facts.get("memory"),
            left=facts.get("left"),
            warnings=[str(sentence) for sentence in facts.get("warnings") or ()],
            version=facts.get("version"),
            bundle=str(facts.get("bundle") or ""),
        )


@dataclass(frozen=True)
class SweepTrial:
    """One trial of a sweep, numbered from 1; ``objective`` is None where it did not come to its end."""

    number: int
    settings: dict[str, Setting]
    objective: float | None
    state: str


@dataclass
class SweepFacts:
    """What a sweep varies (the name of a setting to its ends), its trials, and the best one's number."""

    vary: dict[str, tuple[float, float]] = field(default_factory=dict)
    best: int | None = None
    trials: list[SweepTrial] = field(default_factory=list)

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "SweepFacts":
        """Take what belongs here from a job's facts."""
        return cls(
            vary={name: (float(low), float(high)) for name, (low, high) in (facts.get("vary") or {}).items()},
            best=facts.get("best"),
            trials=[
                SweepTrial(int(one["number"]), dict(one["settings"]), one.get("objective"), str(one["state"]))
                for one in _objects(facts.get("trials"))
            ],
        )


@dataclass
class ImportFacts:
    """What an import has read and refused, in lines."""

    report: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "ImportFacts":
        """Take what belongs here from a job's facts."""
        return cls([str(line) for line in facts.get("report") or ()])


def _objects(values: Iterable[Any] | None) -> list[Mapping[str, Any]]:
    return [value for value in values or () if isinstance(value, Mapping)]
