"""The Dataset page's speed and memory, on the prepared set and on a manifest of a million rows.

    python -m benchmarks.dataset [--data FOLDER] [--rows 1000000] [--no-browser]

Each set is measured in a process of its own, so that its peak memory is its own. A query is what
the catalog answers; a run is all that the server does for a press of a widget: query, thumbnails,
cards. The prepared set's thumbnails are made beforehand; the million rows' are made as they come up.
First paint needs Chromium.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from leukemia import settings
from leukemia.operating_point import OperatingPoint
from leukemia.storage.workspace import Workspace

DRAWN = 64  # different pictures among the million rows
PATIENTS = 2_000
ANSWERED = 0.2  # share of rows with a held-out probability
LOADS = 5
LIMITS = {"real": 150, "million": 1_000}
MEMORY, PAINT = 1_024, 2_000  # MB, ms
NO_MODEL = "no-model-here"


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n")
        if (options.data / "manifest.csv").is_file():
            _set(f"The prepared set in {options.data}", options.data, "real")
            if not options.no_browser:
                _first_paint(options.data)
        else:
            print(f"No prepared set in {options.data}: only the drawn one is measured.\n")
        million = Path(scratch) / "million"
        write_manifest(million, options.rows)
        _set(f"A manifest of {options.rows:,} rows", million, "million")


def write_manifest(data: Path, rows: int) -> None:
    """Write a prepared folder of so many rows: some drawn pictures under many names, brightness measured."""
    import duckdb

    from leukemia.dataset.catalog import brightness, manifest_parquet
    from leukemia.dataset.synthetic import sample_writer
    from leukemia.imaging.cell import measure_cell

    rng = np.random.default_rng(0)
    (data / "drawn").mkdir(parents=True)
    for number in range(DRAWN):
        pixels = sample_writer.draw_cell(rng, ("Normal", "ALL")[number % 2])
        cell = measure_cell(pixels)
        (data / "drawn" / f"{number}.png").write_bytes(sample_writer.encode(cell.pixels, "PNG"))
    duckdb.execute(
        f"""COPY (
            SELECT sha256(i::VARCHAR) AS image_id, 'drawn/' || (i % {DRAWN}) || '.png' AS path,
                if(p < {PATIENTS // 3}, 'Normal', 'ALL') AS label,
                if(p < {PATIENTS // 3}, 'H' || p, p::VARCHAR) AS patient, patient AS patient_group,
                'fold_' || p % 3 AS source, 450 AS width, 450 AS height,
                (20000 + hash(i) % 40000)::INT AS cell_area,
                'C-NMC_Leukemia/training_data/fold_' || p % 3 || '/UID_' || p || '_' || i || '.bmp' AS origin,
                sha256('file' || i) AS file_sha256
            FROM (SELECT i, (hash(i + 7) % {PATIENTS})::INT AS p FROM range({rows}) t(i))
        ) TO '{data / "manifest.csv"}' (HEADER)"""
    )
    folder = Workspace(data).brightness
    folder.mkdir(parents=True)
    duckdb.execute(
        f"COPY (SELECT sha256(i::VARCHAR) AS image_id, 30.0 + hash(i) % 600 / 10 AS brightness "
        f"FROM range({rows}) t(i)) TO '{folder / '000001.parquet'}'"
    )
    (folder / brightness.FINISHED).write_text(manifest_parquet.stamp(data))


def queries(data: Path) -> dict[str, float]:
    """Milliseconds of every sort, filter and page turn, with a model's answers for some of the rows."""
    import pandas as pd

    from leukemia.dataset.catalog import summary
    from leukemia.dataset.catalog.catalog import open_catalog
    from leukemia.dataset.catalog.filters import Filters
    from leukemia.dataset.catalog.sql import SORTS

    start = time.perf_counter()
    first = open_catalog(data)
    opened = time.perf_counter() - start
    rng = np.random.default_rng(0)
    names = first.query("SELECT image_id FROM names ORDER BY row")["image_id"]
    some = names[rng.random(len(names)) < ANSWERED]
    groups = sorted(first.query("SELECT DISTINCT patient_group AS g FROM cells WHERE label <> ''")["g"])
    predictions = pd.DataFrame({"image_id": some, "probability": rng.random(len(some))})
    split = {"training": groups[::3], "validation": groups[1::3], "test": groups[2::3]}
    del first, names
    start = time.perf_counter()
    catalog = open_catalog(data, predictions, OperatingPoint.of(0.5), groups=split)
    again = time.perf_counter() - start
    many = tuple(some[:3_000])
    del some, predictions
    patients, sources = catalog.choices.patients, catalog.choices.sources
    filters = (
        Filters(),
        Filters(labels=("ALL",)),
        Filters(patients=patients[:5]),
        Filters(sources=sources[:1], labels=("Normal",)),
        Filters(subsets=("test",), outcomes=("wrong",)),
        Filters(decisions=("ALL",), probability=(0.2, 0.8)),
        Filters(area=(20_000, 30_000), labels=("Normal", "ALL")),
        Filters(images=many),
    )
    times = []
    for chosen in filters:
        for sort in SORTS:
            last = max(1, catalog.count(chosen) // 48)
            for number in {1, 2, last // 2 or 1, last}:
                times.append(
                    _timed(lambda c=chosen, s=sort, n=number: (catalog.tally(c), catalog.page(c, s, n)))
                )
    sums = (
        summary.by_source,
        summary.images_per_patient,
        summary.by_subset,
        summary.frames,
        lambda c: summary.histogram(c, "cell_area"),
        lambda c: summary.histogram(c, "brightness"),
        lambda c: summary.quantiles(c, "cell_area"),
        lambda c: summary.group_medians(c, "cell_area"),
    )
    return {
        "rows": catalog.total,
        "open_first": opened * 1_000,
        "open_again": again * 1_000,
        **_summed(times),
        "sums": sum(_timed(lambda one=one: one(catalog))[0] for one in sums),
        "peak_mb": _peak(),
    }


def runs(data: Path) -> dict[str, float]:
    """Milliseconds of the whole page's run on the server, a widget pressed at a time."""
    from streamlit.testing.v1 import AppTest

    os.environ |= {"LEUKEMIA_DATA": str(data), "LEUKEMIA_MODEL": str(data / NO_MODEL)}
    app = AppTest.from_file(str(settings.PROJECT / "dashboard.py"), default_timeout=120).run()
    app.switch_page("pages/dataset.py")
    app.query_params["section"] = "gallery"
    app.run()
    pressed: list[Callable[[], object]] = [
        lambda: app.multiselect[0].set_value(["ALL"]),
        lambda: app.multiselect[2].set_value([app.multiselect[2].options[3]]),
        lambda: app.multiselect[2].set_value([]),
        lambda: app.slider[0].set_value((25_000, 40_000)),
        *(lambda name=name: app.selectbox[0].set_value(name) for name in ("largest", "patient", "darkest")),
        *(lambda page=page: app.query_params.update({"page": page}) for page in ("2", "9", "60")),
    ]
    cold, warm = [], []
    for press in pressed:
        press()
        cold.append(_timed(app.run))
        if app.exception or app.error:
            sys.exit(f"The page failed: {[e.value for e in (*app.exception, *app.error)]}")
        warm.append(_timed(app.run))
    return {**_summed(cold), "warm": max(clock for clock, _ in warm), "peak_mb": _peak()}


def _set(title: str, data: Path, kind: str) -> None:
    measured, pages = _apart("queries", data), _apart("runs", data)
    limit = LIMITS[kind]
    print(f"{title}: {measured['rows']:,.0f} rows")
    _row("catalog opened the first time, ms", measured["open_first"])
    _row("catalog opened again, ms", measured["open_again"])
    _row(f"{measured['count']:.0f} queries (filter, sort, page), median ms", measured["median"])
    _row("  the slowest, ms", measured["worst"], limit)
    _row("  most processor time of one, ms", measured["processor"])
    _row("all sums of the overview, ms", measured["sums"], limit)
    _row(f"{pages['count']:.0f} runs of the page, median ms", pages["median"])
    _row("  the slowest, ms", pages["worst"], limit)
    _row("  most processor time of one, ms", pages["processor"])
    _row("  the slowest of those seen before, ms", pages["warm"], limit)
    _row("peak memory of the queries, MB", measured["peak_mb"], MEMORY)
    _row("peak memory of the page, MB", pages["peak_mb"], MEMORY)
    print()


def _first_paint(data: Path) -> None:
    from tests.browser.conftest import ARGUMENTS, Server, find_browser

    path = find_browser()
    if path is None:
        print("No Chromium here: first paint is not measured.\n")
        return
    from playwright.sync_api import sync_playwright

    os.environ["LEUKEMIA_DATA"] = str(data.resolve())
    print("First paint in Chromium, median of five visits, server warm")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        server = Server(settings.load().model.resolve(), Path(scratch) / "log.txt")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            server.wait()
            for section, sign in (("gallery", ".card img"), ("overview", ".js-plotly-plot .main-svg")):
                visits = list(_visits(browser, server.address(f"dataset?section={section}"), sign))[1:]
                heading, content = (statistics.median(times) for times in zip(*visits, strict=True))
                _row(f"{section}: title and sections on screen, ms", heading, PAINT)
                _row(f"{section}: first {'cells' if section == 'gallery' else 'chart'}, ms", content, PAINT)
        finally:
            browser.close()
            server.stop()
    print()


def _visits(browser, url: str, sign: str) -> Iterator[tuple[float, float]]:
    """Milliseconds from the request to the title and to the content, the first visit included."""
    for _ in range(LOADS + 1):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        start = time.perf_counter()
        page.goto(url, wait_until="commit")
        page.get_by_role("heading", name="Dataset").wait_for()
        heading = time.perf_counter() - start
        page.locator(sign).first.wait_for(timeout=60_000)
        yield heading * 1_000, (time.perf_counter() - start) * 1_000
        context.close()


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock, and of processor time in all threads: other work does not lengthen that."""
    start, before = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - start) * 1_000, (time.process_time() - before) * 1_000


def _summed(times: list[tuple[float, float]]) -> dict[str, float]:
    clock, processor = zip(*times, strict=True)
    return {
        "count": len(times),
        "median": statistics.median(clock),
        "worst": max(clock),
        "processor": max(processor),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _row(what: str, value: float, limit: float | None = None) -> None:
    verdict = (
        "" if limit is None else f"   at most {limit:,}: {'holds' if value <= limit else 'DOES NOT HOLD'}"
    )
    print(f"  {what:<52}{value:>9,.0f}{verdict}")


def _apart(way: str, data: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.dataset", "--job", way, str(data.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=settings.PROJECT)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=settings.load().data)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--no-browser", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        print(json.dumps({"queries": queries, "runs": runs}[sys.argv[2]](Path(sys.argv[3]))))
    else:
        main()
