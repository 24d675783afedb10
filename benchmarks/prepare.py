"""The import beside a plain Pillow loop, in one run.

    python -m benchmarks.prepare [--source FOLDER]

The plain way is what a script would do: open each image, save it as PNG under its label, hash the
pixels for the table. Same files, same machine; each way runs in a process of its own, so that its
peak memory is its own. Without a source, drawn cells are imported.
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = (
    ("images a second", "rate"),
    ("seconds", "seconds"),
    ("again, nothing to do: seconds", "again"),
    ("peak memory, MB", "peak_mb"),
    ("space, share of the originals", "share"),
)


def ours(source: Path, output: Path) -> None:
    """Import with this program."""
    from leukemia import settings
    from leukemia.dataset.importing import importer

    importer.prepare(source, output, workers=settings.load().workers)


def plain(source: Path, output: Path) -> None:
    """Import with a plain loop."""
    from PIL import Image

    lines = []
    for number, path in enumerate(sorted(source.rglob("*.bmp"))):
        with Image.open(path) as image:
            pixels = image.convert("RGB")
        folder = output / {"all": "ALL", "hem": "Normal"}.get(path.parent.name, "other")
        folder.mkdir(parents=True, exist_ok=True)
        pixels.save(folder / f"{number}.png")
        lines.append(f"{folder.name},{path.name},{hashlib.sha256(pixels.tobytes()).hexdigest()}")
    (output / "table.csv").write_text("\n".join(lines))


def main() -> None:
    """Run both ways and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, help="an unpacked download with BMPs (default: drawn cells)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source = options.source or _draw(Path(name) / "set")
        files = [path for path in source.rglob("*.bmp") if path.stat().st_size]
        if not files:
            sys.exit(f"No .bmp file in {source}.")
        size = sum(path.stat().st_size for path in files)
        for path in files:  # both ways find the files in the system's cache
            path.read_bytes()
        results = {way: _apart(way, source, Path(name) / way, len(files), size) for way in ("plain", "ours")}
    print(f"{len(files):,} BMPs, {size / 1e9:.2f} GB; {os.cpu_count()} cores")
    print(f"{'':<32}{'ours':>10}{'plain':>10}{'ratio':>8}")
    for title, key in ROWS:
        a, b = results["ours"][key], results["plain"].get(key)
        compared = f"{b:>10.3f}{a / b:>8.2f}" if b else f"{'-':>10}{'-':>8}"
        print(f"{title:<32}{a:>10.3f}{compared}")


def _apart(way: str, source: Path, output: Path, files: int, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.prepare", "--job", way, str(source), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    result = json.loads(done.stdout.splitlines()[-1])
    written = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    return result | {"rate": files / result["seconds"], "share": written / size}


def _job(way: str, source: Path, output: Path) -> None:
    result = {"seconds": _seconds(way, source, output)}
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if way == "ours":
        result["again"] = _seconds(way, source, output)
    print(json.dumps(result))


def _seconds(way: str, source: Path, output: Path) -> float:
    start = time.perf_counter()
    {"ours": ours, "plain": plain}[way](source, output)
    return time.perf_counter() - start


def _draw(folder: Path) -> Path:
    from leukemia.dataset.synthetic import sample_writer

    sample_writer.write_sample(folder, patients=24, cells=20, faults=False)
    return folder


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        _job(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main()
