"""The table of runs: whether figures that stand below each other are of the same patients."""

from datetime import UTC, datetime

from leukemia.plots import run_table
from leukemia.tracking.records import Run, RunKind, RunStatus


def run(number):
    return Run(
        run_id=f"{number or 0}" * 32,
        name=f"run {number}",
        kind=RunKind.TRAIN,
        recipe="small",
        status=RunStatus.FINISHED,
        started=datetime(2026, 1, 1, tzinfo=UTC),
        ended=datetime(2026, 1, 1, 1, tzinfo=UTC),
        by="Ada",
        settings={},
        estimates={"auroc": {"value": 0.9}},
        parent="",
        version=number,
        tags={},
    )


def test_figures_of_other_patients_than_those_of_the_model_in_service_are_marked():
    runs = [run(1), run(2), run(3), run(None)]
    table = run_table.table(runs, {}, {1: "same", 2: "others", 3: ""}, "same")
    assert list(table[run_table.HELD_OUT]) == ["as in service", "≠ other patients", "–", "–"]
