"""The Performance page's speed: milliseconds from a change of the threshold to the page laid out anew.

    python -m benchmarks.performance [--model FOLDER] [--cells 10000] [--patients 60]

Measured on the model's bundle and on a synthetic one. A change is all that the server does for a move
of the slider: metrics with their intervals, charts, text; each section is measured by itself, the page
running in this process without a browser. The first opening of a version, which also reads its files
and draws what depends on no threshold, is printed apart. Processor time stands beside the clock's: other
work on the machine lengthens only the latter.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from leukemia import settings
from tests.support import bundle_factory

BOUND = 500.0  # ms
MOVES = (0.1, 0.35, 0.2, 0.5, 0.75, 0.6, 0.4)
SECTIONS = ("threshold", "prevalence", "calibration", "patients", "errors", "subgroups", "compare", "card")


def main() -> None:
    """Measure and print."""
    options = _options()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before; bound {BOUND:.0f} ms a change\n")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "real"
        for name in ("served", "other"):
            shutil.copytree(options.model, folder / name)
        _measure(f"The bundle {options.model.name}", folder / "served")
        folder = Path(scratch) / "drawn"
        for seed, name in enumerate(("served", "other")):
            write_bundle(options.model, folder / name, options.cells, options.patients, seed)
        _measure(f"A drawn one of {options.cells:,} cells, {options.patients} patients", folder / "served")


def write_bundle(model: Path, folder: Path, cells: int, patients: int, seed: int) -> None:
    """Copy a bundle and give it drawn held-out predictions, as those of a cross-validation."""
    import pandas as pd

    shutil.copytree(model, folder)
    rng = np.random.default_rng(0)
    patient = np.sort(rng.integers(0, patients, cells))
    is_all = patient % 3 > 0
    of_patient, noise = rng.normal(0, 1, patients), np.random.default_rng(seed)
    logit = np.where(is_all, 1.2, -1.2) + of_patient[patient] + noise.normal(0, 1.5, cells)
    frame = pd.DataFrame(
        {
            "image_id": [f"{number:064x}" for number in range(cells)],
            "patient_group": [f"p{number}" for number in patient],
            "label": np.where(is_all, "ALL", "Normal"),
            "probability": (1 / (1 + np.exp(-logit))).round(6),
            "fold": patient % 5,
            "cell_area": rng.integers(15_000, 50_000, cells),
            "source": np.char.add("fold_", (patient % 3).astype(str)),
        }
    )
    bundle_factory.write_predictions(folder, frame)


def _measure(title: str, model: Path) -> None:
    from streamlit.testing.v1 import AppTest

    os.environ["LEUKEMIA_MODEL"] = str(model)
    print(f"{title}\n{'section':<14}{'opened':>10}{'change':>10}{'slowest':>10}{'processor':>12}   ms")
    page = AppTest.from_file(str(settings.PROJECT / "dashboard.py"), default_timeout=300).run()
    page.switch_page("pages/performance.py")
    slowest = busiest = 0.0
    for section in SECTIONS:
        page.query_params["section"] = section
        page.session_state["performance-how"] = "By hand"
        opened, _ = _timed(page.run)
        if section == "compare":
            opened += _timed(page.multiselect[0].select(str(model.parent / "other")).run)[0]
        times = []
        for move in MOVES:
            times.append(_timed(page.select_slider[0].set_value(move).run))
            if page.exception or len(page.error):
                raise RuntimeError(f"{section}: the page failed.")
        clock, processor = (statistics.median(column) for column in zip(*times, strict=True))
        slowest, busiest = max(slowest, clock), max(busiest, processor)
        print(f"{section:<14}{opened:>10.0f}{clock:>10.0f}{max(times)[0]:>10.0f}{processor:>12.0f}")
    for name, milliseconds in (("by the clock", slowest), ("of processor time", busiest)):
        holds = "holds" if milliseconds <= BOUND else "does not hold"
        slow = f"Slowest section, median of {len(MOVES)} changes: {milliseconds:.0f} ms {name}"
        print(f"{slow}; {BOUND:.0f} ms {holds}.")
    print()


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock and of processor time."""
    start, busy = time.perf_counter(), time.process_time()
    work()
    return 1_000 * (time.perf_counter() - start), 1_000 * (time.process_time() - busy)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=settings.SHIPPED)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--patients", type=int, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    main()
