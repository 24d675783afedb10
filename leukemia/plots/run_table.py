"""Runs of training as tables: of all runs, and of the folds of one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pandas as pd

from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.formatting import interval
from leukemia.plots import times
from leukemia.tracking.records import Run, RunKind, RunStatus

KINDS = {
    RunKind.TRAIN: "One run",
    RunKind.CROSSVALIDATE: "Cross-validation",
    RunKind.SWEEP: "Sweep",
    RunKind.IMPORTED: "Imported",
    RunKind.THRESHOLD: "New threshold",
    RunKind.SITE: "Accepted for a site",
    RunKind.FOLD: "Fold",
    RunKind.TRIAL: "Trial",
}
ESTIMATES = {"sensitivity": "Sensitivity (95%)", "specificity": "Specificity (95%)", "auroc": "AUROC (95%)"}
UNKNOWN = "–"
HELD_OUT = "Figures are of"


def table(
    runs: Sequence[Run],
    aliases: Mapping[str, int],
    held_out: Mapping[int, str] | None = None,
    served: str = "",
) -> pd.DataFrame:
    """Make a table, one row per run.

    Parameters
    ----------
    runs : sequence of Run
        In the order of the rows.
    aliases : mapping of str to int
        Alias of the registry to the version that it names.
    held_out : mapping of int to str, optional
        What tells the held-out cells of each version apart.
    served : str, optional
        The same of the model in service.
    """
    names: dict[int, list[str]] = {}
    for alias, number in sorted(aliases.items()):
        names.setdefault(number, []).append(alias)
    return pd.DataFrame(
        {
            "Run": [run.name or run.run_id[:8] for run in runs],
            "Version": [_version(run, names) for run in runs],
            "Status": [run.status for run in runs],
            **_estimates(runs),
            HELD_OUT: [_patients((held_out or {}).get(run.version, ""), served) for run in runs],
            "Kind": [KINDS.get(run.kind, run.kind) for run in runs],
            "Who": [run.by or UNKNOWN for run in runs],
            "Started (UTC)": [f"{run.started:%Y-%m-%d %H:%M}" if run.started else UNKNOWN for run in runs],
            "Took": [took(run) for run in runs],
            "Recipe": [run.recipe or UNKNOWN for run in runs],
        }
    )


def folds_table(folds: Sequence[Run]) -> pd.DataFrame:
    """Make a table, one row per fold; an estimate that no fold has is left out."""
    estimates = _estimates(folds)
    return pd.DataFrame(
        {
            "Fold": [fold.name or fold.run_id[:8] for fold in folds],
            "Status": [fold.status for fold in folds],
            "Took": [took(fold) for fold in folds],
            **{title: values for title, values in estimates.items() if set(values) != {UNKNOWN}},
        }
    )


def took(run: Run) -> str:
    """Say how long a run took, or has taken so far."""
    if run.status == RunStatus.RUNNING and run.started:
        return f"{times.clock((datetime.now(UTC) - run.started).total_seconds())} so far"
    return times.clock(run.seconds) if run.seconds is not None else UNKNOWN


def _version(run: Run, names: Mapping[int, list[str]]) -> str:
    """Name the version that a run became, with its aliases; empty where there is none."""
    return ", ".join([str(run.version), *names.get(run.version, [])]) if run.version else ""


def _patients(own: str, served: str) -> str:
    """Whether a version's figures are of the patients that those of the model in service are of."""
    if not own or not served:
        return UNKNOWN
    return "as in service" if own == served else "≠ other patients"


def _estimates(runs: Sequence[Run]) -> dict[str, list[str]]:
    return {title: [_interval(run, name) for run in runs] for name, title in ESTIMATES.items()}


def _interval(run: Run, name: str) -> str:
    estimate = run.estimates.get(name)
    if not estimate:
        return UNKNOWN
    nan = float("nan")
    return interval(Estimate(estimate["value"], estimate.get("low", nan), estimate.get("high", nan)))
