"""What is on record of runs and model versions, and the words that it is stored under in MLflow."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

EXPERIMENT = MODEL = "leukemia"
CHAMPION, CHALLENGER = "champion", "challenger"
# Tags of a run.
PARENT, USER = "mlflow.parentRunId", "mlflow.user"
KIND, WARNING = "kind", "warning"
# The process that has a run, see leukemia.jobs.process.ProcessId.
HOST, PID, BORN, START = "host", "pid", "born", "process_start"
FINGERPRINT, REVISION = "data_fingerprint", "git_revision"
# Of the training of a sweep's best settings: the sweep's run. It is a run of its own and not one of the
# sweep's children, as it becomes a model version.
BEST_OF = "best_of_sweep"
# A run's place among all, so that the newest is the newest whatever the clock says; so many digits.
ORDER, DIGITS = "order", 9
# Parameters that are not settings of a training.
RECIPE, FOLDS = "recipe", "folds"
# Metrics of held-out patients have this before their name; those of an epoch do not.
HELD_OUT = "test_"
INTERVAL = ("low", "high")
NOBODY = "unknown"  # MLflow's word for a user who was not named


class RunKind(StrEnum):
    """What a run is; its value is the tag :data:`KIND`."""

    TRAIN = "train"
    CROSSVALIDATE = "crossvalidate"
    FOLD = "fold"  # child of a cross-validation
    SWEEP = "sweep"
    TRIAL = "trial"  # child of a sweep
    IMPORTED = "bundle"  # a bundle that was trained elsewhere
    THRESHOLD = "threshold"  # a version with another threshold
    SITE = "site"  # a version accepted for a laboratory


class RunStatus(StrEnum):
    """How a run stands. MLflow never learns of a kill and has such a run as running."""

    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    RUNNING = "running"
    BROKEN_OFF = "interrupted"


MLFLOW_STATUS = {RunStatus.FINISHED: "FINISHED", RunStatus.FAILED: "FAILED", RunStatus.STOPPED: "KILLED"}
_ENDED = {word: status for status, word in MLFLOW_STATUS.items()}


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes
    ----------
    run_id, name : str
        MLflow's identifier, and what the run is called.
    kind : str
        A :class:`RunKind`; another word where a later version of this program recorded it.
    recipe : str
        Empty where it is not recorded.
    status : RunStatus
    started, ended : datetime or None
        UTC.
    by : str
        Who started it: untrusted text, empty where it is not recorded.
    settings : dict of str to str
    estimates : dict
        Of held-out patients, in the end: name to value, low and high (95 % interval over patients);
        what is not known of these is left out.
    parent : str
        The run that it is a child of; else empty.
    version : int or None
        The model version that it became.
    tags : dict of str to str
    """

    run_id: str
    name: str
    kind: str
    recipe: str
    status: RunStatus
    started: datetime | None
    ended: datetime | None
    by: str
    settings: dict[str, str]
    estimates: dict[str, dict[str, float]]
    parent: str = ""
    version: int | None = None
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Of the data; empty where it is not recorded."""
        return self.tags.get(FINGERPRINT, "")

    @property
    def revision(self) -> str:
        """Of the program; empty where it is not recorded."""
        return self.tags.get(REVISION, "")

    @property
    def seconds(self) -> float | None:
        """From start to end; None where either is not known, or the clock was set back meanwhile."""
        if not (self.started and self.ended):
            return None
        seconds = (self.ended - self.started).total_seconds()
        return seconds if seconds >= 0 else None

    @property
    def warning(self) -> str:
        """What a reader must know, in a sentence; empty for nothing."""
        return self.tags.get(WARNING, "")


def make_run(
    info: tuple[str, str | None, str, int | None, int | None, str | None],
    tags: dict[str, str],
    parameters: dict[str, str],
    metrics: Mapping[str, float],
    version: int | None,
) -> Run:
    """Make a run of what MLflow has.

    Parameters
    ----------
    info : tuple
        Identifier, name, MLflow's word for the status, start and end in milliseconds since 1970, user.
    tags, parameters, metrics : dict
        The last value of each.
    version : int or None
        The model version that it became.
    """
    run_id, name, status, started, ended, user = info
    by = tags.get(USER) or user or ""
    return Run(
        run_id=run_id,
        name=name or "",
        kind=tags.get(KIND) or (RunKind.CROSSVALIDATE if FOLDS in parameters else RunKind.TRAIN),
        recipe=parameters.get(RECIPE, ""),
        status=_ENDED.get(status, RunStatus.RUNNING),
        started=_time(started),
        ended=_time(ended) if status in _ENDED else None,
        by="" if by == NOBODY else by,
        settings=parameters,
        estimates=held_out_estimates(metrics),
        parent=tags.get(PARENT, ""),
        version=version,
        tags=tags,
    )


def held_out_estimates(metrics: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Value, low and high of each estimate of held-out patients, from a run's metrics."""
    out: dict[str, dict[str, float]] = {}
    for name, value in metrics.items():
        if name.startswith(HELD_OUT) and math.isfinite(value):
            title, _, end = name.removeprefix(HELD_OUT).rpartition("_")
            if end in INTERVAL:
                out.setdefault(title, {})[end] = value
            else:
                out.setdefault(name.removeprefix(HELD_OUT), {})["value"] = value
    return {name: estimate for name, estimate in out.items() if "value" in estimate}


def held_out_metrics(estimates: Mapping[str, Mapping[str, float | None]]) -> dict[str, float]:
    """The reverse of :func:`held_out_estimates`: metrics of a run."""
    return {
        f"{HELD_OUT}{name}{'' if key == 'value' else f'_{key}'}": value
        for name, estimate in estimates.items()
        for key, value in estimate.items()
        if value is not None
    }


def _time(milliseconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


@dataclass(frozen=True)
class MetricValue:
    """One value of a metric: of which epoch, and when it was written (milliseconds since 1970)."""

    name: str
    step: int
    at: int
    value: float


@dataclass(frozen=True)
class RegistryState:
    """The registered model's aliases and tags; both empty where nothing was ever registered."""

    aliases: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def champion(self) -> int | None:
        """The version that was put in service."""
        return self.aliases.get(CHAMPION)
