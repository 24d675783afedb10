"""Cells a second by workers on Ray, a core each, beside one process without it; whether all answer alike.

    python -m benchmarks.scale [--cells 100000] [--workers 1 2 3 4] [--rounds 1] [--model BUNDLE]

Drawn cells, several hundred different ones, as files; each way has a list of images of its own. The ways take
turns, and the median of the rounds counts. A pace is measured from the first batch that is done to the last,
so without the start of Ray, which is told apart. Where other programs use the machine, cores are not whole
and the clock says little: so the processor time of a cell is printed, too, of all processes together. Of
busy cores, its share of that of one process is the share of linear, but for what workers wait for batches.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.inference import on_ray
from leukemia.inference.answer import Answer, Source
from leukemia.inference.classifier import Classifier
from leukemia.inference.inputs.image import FileImage

DIFFERENT = 500
# Share of linear, a core, that spreading must reach.
ASKED = 0.85
# Seconds after which processor time is read again, so that what processes used that have ended is known.
EVERY = 1.0


@dataclass(frozen=True)
class Pace:
    """Cells a second from the first batch on, seconds before it, milliseconds of processor time a cell."""

    rate: float
    start: float
    processor: float


def alone(bundle: Bundle, images: list[FileImage]) -> tuple[Pace, list[Answer]]:
    """One process on one core, without Ray; a batch is as large as on Ray."""
    begun = time.perf_counter()
    classifier = Classifier(bundle, one_core=True)
    answered = classifier.classify(Source(image.name, image.load) for image in images)
    answers = [next(answered) for _ in range(on_ray.BATCH)]
    first, used = time.perf_counter(), time.process_time()
    answers += answered
    rest = len(images) - on_ray.BATCH
    pace = Pace(
        rest / (time.perf_counter() - first), first - begun, (time.process_time() - used) / rest * 1_000
    )
    return pace, answers


def on_workers(
    bundle: Bundle, images: list[FileImage], workers: int, scratch: Path
) -> tuple[Pace, list[Answer]]:
    """The same on Ray."""
    marks: list[tuple[float, int, float]] = []
    used: dict[int, float] = {}

    def note(done: int, total: int, what: str) -> None:
        # To look through all processes at each batch would be measured, too.
        now = time.perf_counter()
        if len(marks) < 2 or done == total or now - marks[-1][0] > EVERY:
            marks.append((now, done, _processor_time(used)))

    begun = time.perf_counter()
    output = scratch / "cells.csv"
    with on_ray.kept(bundle, images, None, output, address="", cores=workers, progress=note) as run:
        answers = list(run.answers())
    (first, before, processor), (last, after, processor_then) = marks[1], marks[-1]
    rest = after - before
    return Pace(rest / (last - first), first - begun, (processor_then - processor) / rest * 1_000), answers


def main() -> None:
    """Run all ways in turn, print the table, and end with 1 where an answer differs."""
    options = _options()
    bundle = bundles.read(options.model)
    paces: dict[int, list[Pace]] = {workers: [] for workers in (0, *options.workers)}
    alike = True
    with tempfile.TemporaryDirectory() as scratch:
        images = _draw(Path(scratch), options.cells)
        expected: list[Answer] = []
        for _ in range(options.rounds):
            for workers, found in paces.items():
                pace, answers = (
                    on_workers(bundle, images, workers, Path(scratch)) if workers else alone(bundle, images)
                )
                found.append(pace)
                expected = expected or answers
                alike = alike and answers == expected
                print(f"{_called(workers)}: {pace.rate:.1f} cells a second", file=sys.stderr, flush=True)
    _print(options, bundle, {workers: _median(found) for workers, found in paces.items()}, alike)
    sys.exit(0 if alike else 1)


def _print(options: argparse.Namespace, bundle: Bundle, paces: dict[int, Pace], alike: bool) -> None:
    cores = os.cpu_count() or 1
    load = os.getloadavg()[2]
    print(f"{options.cells:,} drawn cells, {DIFFERENT} different; {cores} cores, load {load:.1f}")
    print(f"{bundle.name}; median of {options.rounds} rounds")
    print(f"{'':<22}{'cells/s':>10}{'a core':>10}{'of linear*':>13}{'ms CPU/cell':>13}{'start, s':>10}")
    one = paces[0]
    for workers, pace in paces.items():
        each = pace.rate / min(max(workers, 1), cores)
        share = f"{each / one.rate:.2f} {one.processor / pace.processor:.2f}"
        print(
            f"{_called(workers):<22}{pace.rate:>10.1f}{each:>10.1f}{share:>13}"
            f"{pace.processor:>13.1f}{pace.start:>10.1f}"
        )
    print(f"* of one process: by the clock, and by processor time; asked: {ASKED} with {cores} workers")
    print(f"all answers are those of one process: {'yes' if alike else 'NO'}")


def _called(workers: int) -> str:
    return f"Ray, {workers} worker{'s' if workers > 1 else ''}" if workers else "one process, no Ray"


def _processor_time(used: dict[int, float]) -> float:
    """Seconds of processor time of this process and all of Ray's so far, those that have ended, too."""
    for one in psutil.Process().children(recursive=True):
        try:
            times = one.cpu_times()
            used[one.pid] = times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return time.process_time() + sum(used.values())


def _median(paces: list[Pace]) -> Pace:
    return Pace(
        *(statistics.median(getattr(one, name) for one in paces) for name in ("rate", "start", "processor"))
    )


def _draw(folder: Path, count: int) -> list[FileImage]:
    import numpy as np

    from leukemia.dataset.synthetic import sample_writer

    rng, drawn = np.random.default_rng(0), []
    for index in range(min(DIFFERENT, count)):
        path = folder / f"{index:04d}.bmp"
        path.write_bytes(sample_writer.encode(sample_writer.draw_cell(rng, ("Normal", "ALL")[index % 2])))
        drawn.append(FileImage.at(path))
    return [replace(drawn[index % len(drawn)], name=f"cell {index}") for index in range(count)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--rounds", type=int, default=1, help="turns that each way takes")
    parser.add_argument("--model", type=Path, default=settings.load().model)
    return parser.parse_args()


if __name__ == "__main__":
    main()
