"""A whole slide searched part by part, beside the plain way: the whole picture read at once.

    python -m benchmarks.slides [--side N]

The slide is made of drawn fields, N by N of them (1,800 x 1,350 pixels each, five white cells in each), of
which the right half is clean glass; JPEG in tiles of 512 pixels, in five levels. Each way runs in a process
of its own, so that its memory is its own. The plain way is :func:`leukemia.segmentation.segment.segment` on
the decoded picture.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

from leukemia.imaging.scale import STATED_NATIVE
from leukemia.imaging.slide import Slide
from leukemia.segmentation.field import Field
from leukemia.segmentation.segment import segment
from leukemia.segmentation.slides import search
from leukemia.segmentation.slides.search import Settings
from tests.support import slides
from tests.support.fields import GLASS, draw_smear

MAKE, WAYS = "make", ("ours", "plain")
LEVELS, TILE, PIXEL_SIZE, DRAWN = 5, 512, 0.05, 4
MOST = 100_000  # cells: none is left out


def make(path: Path, side: int) -> None:
    """Write the slide."""
    several = [draw_smear(seed) for seed in range(DRAWN)]
    blank = np.full_like(several[0], GLASS)
    rows = [
        np.concatenate(
            [several[(row + column) % DRAWN] if column < side / 2 else blank for column in range(side)],
            axis=1,
        )
        for row in range(side)
    ]
    slides.write(
        path, np.concatenate(rows), levels=LEVELS, pixel_size=PIXEL_SIZE, compression="jpeg", tile=TILE
    )


def ours(path: Path) -> int:
    """Search part by part; how many cells are found."""
    settings = Settings(MOST)
    with (
        tempfile.TemporaryDirectory() as folder,
        Slide(path) as slide,
        search.search(path, slide, Path(folder, "one.db"), settings) as state,
    ):
        return len(search.cells(state, settings))


def plain(path: Path) -> int:
    """Read the whole picture and segment it as a field; how many cells are found."""
    return len(segment(Field.of(tifffile.imread(path, level=0)), STATED_NATIVE).cells)


def main() -> None:
    """Print a line for each way, and how they compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", type=int, default=8, help="fields a side of the slide (default: 8)")
    parser.add_argument("--way", choices=(MAKE, *WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--slide", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way == MAKE:
        make(options.slide, options.side)
        return
    if options.way:
        _run(options.way, options.slide)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "slide.tif")
        # Linux counts the memory of whoever starts a process as that of the process: this one stays small.
        for way in (MAKE, *WAYS):
            command = [sys.executable, "-m", "benchmarks.slides", "--way", way, "--slide", path]
            subprocess.run([*command, "--side", str(options.side)], check=True)


def _run(way: str, path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter(), time.process_time()
    cells = {"ours": ours, "plain": plain}[way](path)
    took, worked = time.perf_counter() - began[0], time.process_time() - began[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Slide(path) as slide:
        megapixels = slide.width * slide.height / 1e6
        size = f"{slide.width:,} x {slide.height:,} pixels"
    print(
        f"{way:>6}, {size}: {cells} white cells, {megapixels / took:.1f} megapixels a second "
        f"({megapixels / worked:.1f} per second of processor time), {peak / 1024:.0f} MB at most, "
        f"{(peak - before) / 1024:.0f} MB of it for this",
        flush=True,
    )


if __name__ == "__main__":
    main()
