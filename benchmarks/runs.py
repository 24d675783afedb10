"""How long it takes to list 200 past runs.

    python -m benchmarks.runs [--runs 200]

Makes so many runs as trainings leave them (8 epochs, 40 final figures, 35 settings, every thirteenth
with five folds) in SQLite in a scratch folder, and lists them beside MLflow's own search_runs, in the
same process.
"""

import argparse
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from leukemia.tracking import mlflow_client, run_history
from leukemia.tracking.records import EXPERIMENT, PARENT

LIMIT = 1_000  # ms
TIMES = 7
EPOCHS, FIGURES, SETTINGS, TAGS = 8, 40, 35, 8
EPOCH = ("loss", "recall", "specificity", "val_loss", "val_recall", "val_specificity", "val_auroc", "seconds")
PARTS, EVERY = 5, 13
AT = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1_000)


def main() -> None:
    """Make the runs, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    count = parser.parse_args().runs
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch)
        parents = make(data, count)
        client = mlflow_client.client(data)
        experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
        load = os.getloadavg()[0]
        print(f"{os.cpu_count()} cores, load {load:.1f}; {count} runs, {len(parents)} with parts\n")
        ours = _row(f"list {count} runs", lambda: run_history.runs(data, count))
        search = {"filter_string": f"tags.`{PARENT}` IS NULL", "max_results": count}
        theirs = _row("MLflow's search_runs, the same", lambda: client.search_runs([experiment], **search))
        print(f"{'ratio':40}{theirs / ours:8.1f}\n")
        _row("the parts of one run", lambda: run_history.children(data, parents[0]))
        _row("the epochs of one run", lambda: run_history.histories(data, parents[0]))


def _row(what: str, work: Callable[[], list]) -> float:
    clock, processor = [], []
    for _ in range(TIMES):
        began, busy = time.perf_counter(), time.process_time()
        result = work()
        clock.append(1_000 * (time.perf_counter() - began))
        processor.append(1_000 * (time.process_time() - busy))
        assert result
    print(
        f"{what:40}{statistics.median(clock):8.0f} ms (worst {max(clock):.0f}, first {clock[0]:.0f}; "
        f"processor {statistics.median(processor):.0f}; limit {LIMIT})"
    )
    return statistics.median(clock)


def make(data: Path, count: int) -> list[str]:
    """Fill a registry with runs; return those that have parts. MLflow itself would take minutes."""
    import sqlite3

    client = mlflow_client.client(data)
    experiment = int(client.create_experiment(EXPERIMENT, mlflow_client.artifacts(data)))
    parents = []
    with sqlite3.connect(mlflow_client.database(data)) as database:
        for number in range(count):
            run_id = _insert(database, experiment, number)
            if number % EVERY == 0:
                parents.append(run_id)
                for _ in range(PARTS):
                    _insert(database, experiment, number, run_id)
    database.close()
    return parents


def _insert(database, experiment: int, number: int, parent: str = "") -> str:
    run_id, began = uuid.uuid4().hex, AT + number * 60_000
    database.execute(
        "INSERT INTO runs (run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, "
        "experiment_id) VALUES (?, ?, 'ada', 'FINISHED', ?, ?, 'active', ?)",
        (run_id, f"run {number}", began, began + 30_000, experiment),
    )
    tags = {f"tag{n}": "x" * 20 for n in range(TAGS - 2)}
    tags |= {"kind": "fold" if parent else "train", "mlflow.runName": f"run {number}"}
    tags |= {PARENT: parent} if parent else {}
    settings = {f"setting{n}": str(n / 7) for n in range(SETTINGS - 1)} | {"recipe": "reference-cnn"}
    epochs = [(name, 0.5 + step / 100, step) for name in EPOCH for step in range(EPOCHS)]
    final = [(f"test_{n}{end}", 0.9, 0) for n in range(FIGURES // 3) for end in ("", "_low", "_high")]
    last = [(name, 0.57, EPOCHS - 1) for name in EPOCH] + final
    database.executemany("INSERT INTO tags VALUES (?, ?, ?)", [(*one, run_id) for one in tags.items()])
    database.executemany("INSERT INTO params VALUES (?, ?, ?)", [(*one, run_id) for one in settings.items()])
    for table, values in (("metrics", epochs + final), ("latest_metrics", last)):
        columns = "(key, value, step, timestamp, run_uuid, is_nan)"
        database.executemany(
            f"INSERT INTO {table} {columns} VALUES (?, ?, ?, ?, ?, 0)",
            [(*one, began, run_id) for one in values],
        )
    return run_id


if __name__ == "__main__":
    main()
