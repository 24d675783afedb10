"""Decode to decision: this classifier beside the plain ways, with the same network.

    python -m benchmarks.classify [--images FOLDER] [--model BUNDLE] [--count 1000] [--rounds 3]

The plain ways are Pillow, resize and ``model.predict`` one at a time; and Pillow, resize and OpenVINO's own
queue of requests, with the engine that ours uses, in the same precision. Same files, same machine, same run:
the ways take turns, and the median of the rounds counts. Each runs in a process of its own, so that its peak
memory is its own.
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
from pathlib import Path

from leukemia import settings
from leukemia.bundles import bundle as bundles

SINGLES = 50
FEW, MANY = 500, 5_000
# The slow way's pace is known after so many.
PLAIN_COUNT = 250
# Crops that lie ready for the network alone, each answered this many times.
READY, TIMES = 64, 8
ROWS = (
    ("cells a second, end to end", "rate"),
    ("one warm cell, ms (median)", "one"),
    ("peak memory, MB", "peak_mb"),
)


def ours(paths: list[Path], model: Path) -> dict[str, float]:
    """Cells a second over all files, milliseconds for one warm cell, peak memory."""
    from leukemia.inference.answer import Source
    from leukemia.inference.classifier import Classifier

    classifier = Classifier.load(model)

    def answer(chunk: list[Path]) -> None:
        for _ in classifier.classify(Source.file(path) for path in chunk):
            pass

    answer(paths[:64])
    return _timed(answer, paths)


def plain(paths: list[Path], model: Path) -> dict[str, float]:
    """The same of the plain way."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import numpy as np
    from PIL import Image

    from leukemia.bundles.bundle import NETWORK
    from leukemia.networks import serving_network

    network = serving_network.load(model / NETWORK)
    side = network.input_shape[1]

    def answer(chunk: list[Path]) -> None:
        for path in chunk:
            image = Image.open(path).convert("RGB").resize((side, side))
            network.predict(np.asarray(image)[None], verbose=0)

    answer(paths[:5])
    return _timed(answer, paths)


def engine(paths: list[Path], model: Path) -> dict[str, float]:
    """The same of OpenVINO by itself; ``ready`` is the network alone: crops a second, nothing decoded."""
    import numpy as np
    import openvino
    from PIL import Image

    from leukemia.bundles.bundle import ENGINE
    from leukemia.bundles.engine import compiled

    several = compiled(model / ENGINE, PERFORMANCE_HINT="THROUGHPUT")
    single = compiled(model / ENGINE, PERFORMANCE_HINT="LATENCY")
    side = single.input(0).partial_shape[1].get_length()
    queue = openvino.AsyncInferQueue(several)

    def read(path: Path) -> np.ndarray:
        return np.asarray(Image.open(path).convert("RGB").resize((side, side)))[None]

    def answer(chunk: list[Path]) -> None:
        if len(chunk) == 1:
            single(read(chunk[0]))
            return
        for path in chunk:
            queue.start_async(read(path))
        queue.wait_all()

    answer(paths[:64])
    figures = _timed(answer, paths)
    crops = [read(path) for path in paths[:READY]]
    start = time.perf_counter()
    for crop in crops * TIMES:
        queue.start_async(crop)
    queue.wait_all()
    return {**figures, "ready": len(crops) * TIMES / (time.perf_counter() - start)}


def memory(paths: list[Path], model: Path) -> dict[str, float]:
    """Peak memory of classifying the files, answers dropped as a long batch would."""
    from leukemia.inference.answer import Source
    from leukemia.inference.classifier import Classifier

    for _ in Classifier.load(model).classify(Source.file(path) for path in paths):
        pass
    return {"peak_mb": _peak()}


def main() -> None:
    """Run all ways in turn and print the comparison."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.images or _draw(Path(scratch), 200)
        found = sorted(folder.rglob("*.bmp"))
        if not found:
            sys.exit(f"No .bmp file in {folder}.")
        paths = [found[i % len(found)] for i in range(max(MANY, options.count))]
        counts = {"ours": options.count, "plain": min(options.count, PLAIN_COUNT), "engine": options.count}
        rounds = [
            {way: _apart(way, paths[:count], options.model) for way, count in counts.items()}
            for _ in range(options.rounds)
        ]
        few, many = (_apart("memory", paths[:n], options.model)["peak_mb"] for n in (FEW, MANY))
    ours, plain, engine = (_median([one[way] for one in rounds]) for way in counts)
    bundle = bundles.read(options.model)
    precision = bundle.record.engine.precision if bundle.record.engine else "f32"
    print(f"{options.count} BMPs from disk, {len(found)} different; {os.cpu_count()} cores")
    print(f"{bundle.name}, engine in {precision}; median of {options.rounds} rounds")
    print(f"{'':<28}{'ours':>10}{'Keras':>10}{'OpenVINO':>10}")
    for name, key in ROWS:
        print(f"{name:<28}{ours[key]:>10.1f}{plain[key]:>10.1f}{engine[key]:>10.1f}")
    print(f"OpenVINO on crops that lie ready, nothing decoded: {engine['ready']:.1f} a second")
    print(f"peak memory of {FEW} and {MANY} files: {few:.0f} and {many:.0f} MB, {many - few:+.0f} MB")
    print(f"end to end, times the plain Keras way: {ours['rate'] / plain['rate']:.1f}")
    print(
        f"end to end, share of OpenVINO itself: {ours['rate'] / engine['rate']:.2f} "
        f"(of its pace on crops that lie ready: {ours['rate'] / engine['ready']:.2f})"
    )
    print(f"one warm cell, share of the plain Keras way's time: {ours['one'] / plain['one']:.2f}")


def _median(figures: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(one[key] for one in figures) for key in figures[0]}


def _timed(answer, paths: list[Path]) -> dict[str, float]:
    singles = []
    for path in paths[:SINGLES]:
        start = time.perf_counter()
        answer([path])
        singles.append(time.perf_counter() - start)
    start = time.perf_counter()
    answer(paths)
    rate = len(paths) / (time.perf_counter() - start)
    return {"rate": rate, "one": statistics.median(singles) * 1_000, "peak_mb": _peak()}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(way: str, paths: list[Path], model: Path) -> dict[str, float]:
    job = json.dumps({"way": way, "paths": [str(path) for path in paths], "model": str(model)})
    command = [sys.executable, "-m", "benchmarks.classify", "--job"]
    done = subprocess.run(command, input=job, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def _job() -> None:
    job = json.load(sys.stdin)
    way = {"ours": ours, "plain": plain, "engine": engine, "memory": memory}[job["way"]]
    print(json.dumps(way([Path(path) for path in job["paths"]], Path(job["model"]))))


def _draw(folder: Path, count: int) -> Path:
    import numpy as np

    from leukemia.dataset.synthetic import sample_writer

    rng = np.random.default_rng(0)
    for index in range(count):
        pixels = sample_writer.draw_cell(rng, ("Normal", "ALL")[index % 2])
        (folder / f"{index:04d}.bmp").write_bytes(sample_writer.encode(pixels, "BMP"))
    return folder


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, help="folder of BMPs (default: drawn cells)")
    parser.add_argument("--model", type=Path, default=settings.load().model)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3, help="turns that each way takes")
    return parser.parse_args()


if __name__ == "__main__":
    _job() if sys.argv[1:] == ["--job"] else main()
