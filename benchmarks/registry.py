"""How long it takes to list model versions and to ask which one is in service.

    python -m benchmarks.registry [--versions 200]

Makes a registry of so many versions, each from a run of its own, in SQLite in a scratch folder.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from leukemia.registry import promotion_log, versions
from leukemia.tracking import mlflow_client
from leukemia.tracking.mlflow import MlflowStore
from leukemia.tracking.records import CHAMPION, EXPERIMENT, MODEL

LIST_LIMIT = 1_000  # ms
EPOCHS, PARAMETERS, FIGURES = 12, 16, 40
TIMES = 5


def main() -> None:
    """Make the registry, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--versions", type=int, default=200)
    count = parser.parse_args().versions
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch)
        _make(data, count)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {count} runs, each a version\n")
        client = mlflow_client.client(data)
        experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
        _row("list the versions", lambda: versions.registered(data), count)
        _row("list the runs (MLflow's search_runs)", lambda: client.search_runs([experiment]), count)
        through_mlflow = MlflowStore(data)
        _row("ask which is in service", lambda: [versions.registry_state(data).champion], 1)
        _row("the same through MLflow", lambda: [through_mlflow.registry_state_through_client().champion], 1)


def _row(what: str, work: Callable[[], list], expected: int) -> None:
    clock, processor = [], []
    for _ in range(TIMES):
        began, busy = time.perf_counter(), time.process_time()
        found = work()
        clock.append(1_000 * (time.perf_counter() - began))
        processor.append(1_000 * (time.process_time() - busy))
        assert len(found) == expected
    print(
        f"{what:40}{statistics.median(clock):8.0f} ms (worst {max(clock):.0f}, first {clock[0]:.0f}; "
        f"processor {statistics.median(processor):.0f}; limit {LIST_LIMIT})"
    )


def _make(data: Path, count: int) -> None:
    from mlflow.entities import Metric, Param

    client = mlflow_client.client(data)
    client.create_registered_model(MODEL)
    experiment = client.create_experiment(EXPERIMENT, mlflow_client.artifacts(data))
    figures = json.dumps({f"figure{n}": {"value": 0.9, "low": 0.8, "high": 0.95} for n in range(12)})
    for number in range(1, count + 1):
        run_id = client.create_run(experiment, run_name=f"run {number}").info.run_id
        client.log_batch(
            run_id,
            [Metric(f"m{n}", 0.5, 0, step) for n in range(6) for step in range(EPOCHS)]
            + [Metric(f"test_{n}", 0.9, 0, 0) for n in range(FIGURES)],
            [Param(f"p{n}", str(n)) for n in range(PARAMETERS)],
        )
        tags = {"recipe": "recipe", "figures": figures, "seal": "0" * 64, "digest": "0" * 64}
        client.create_model_version(MODEL, f"runs:/{run_id}/bundle", run_id, tags=tags)
        event = promotion_log.Event(
            promotion_log.PROMOTED, number, number - 1, "Ada", "better " * 20, "2026-01-01T00:00:00+00:00"
        )
        client.set_registered_model_tag(MODEL, *event.tag())
    client.set_registered_model_alias(MODEL, CHAMPION, str(count))


if __name__ == "__main__":
    main()
