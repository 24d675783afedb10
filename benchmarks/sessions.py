"""Many people at once: seconds to each session's first and last answer, and the server's memory.

    python -m benchmarks.sessions [--sessions 20] [--cells 50] [--images FOLDER] [--large]

A dashboard is started, and so many sessions drop their cells on it at the same moment, as browsers do it: by
Streamlit's own messages over a websocket. Each has cells of its own: drawn ones, or those of a folder in
turn. With ``--large`` each drops 20 pictures of 5,000 x 5,000 pixels instead, small on disk; the server's
limit is then 3 GB.
"""

import argparse
import asyncio
import io
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from statistics import median

import psutil
from PIL import Image

from leukemia import settings
from leukemia.imaging.reader import SUFFIXES
from tests.support.browser import Server
from tests.support.tab import open_tab

CELLS, LARGE, SIDE = 50, 20, 5_000
LIMIT = 3_000_000_000


class Session:
    """One person who drops files once."""

    def __init__(self, url: str, files: list[tuple[str, bytes]]) -> None:
        self._url, self._files = url, files
        self.first = self.last = float("nan")

    async def run(self, ready: asyncio.Barrier) -> None:
        """Open the page, drop the files when all others are ready, and wait for the answers."""
        async with open_tab(self._url) as tab:
            places = await tab.offer(self._files)
            await ready.wait()
            began = time.monotonic()
            await tab.drop(self._files, places)
            await tab.wait(lambda: tab.answered > 0)
            self.first = time.monotonic() - began
            await tab.wait(lambda: tab.answered >= len(self._files))
            self.last = time.monotonic() - began


def main() -> None:
    """Measure and print."""
    options = _options()
    files = _large() if options.large else cells(options.images)
    each = options.cells or (LARGE if options.large else CELLS)
    supply = cycle(files)
    with tempfile.TemporaryDirectory() as scratch:
        server = Server(settings.SHIPPED, Path(scratch) / "log.txt", Path(scratch) / "data")
        try:
            server.wait()
            sessions = [Session(server.url, list(islice(supply, each))) for _ in range(options.sessions)]
            peak = asyncio.run(_measure(sessions, server.process.pid))
        finally:
            server.stop()
    first, last = ([getattr(one, name) for one in sessions] for name in ("first", "last"))
    print(f"{len(sessions)} sessions of {each} pictures")
    print(f"first answer after {median(first):.1f} s at the median, {max(first):.1f} s at the worst")
    print(f"all answered after {median(last):.1f} s at the median, {max(last):.1f} s at the worst")
    print(f"{len(sessions) * each / max(last):.1f} pictures a second")
    print(f"the server took up to {peak / 1e9:.2f} GB (limit {LIMIT / 1e9:g})")


async def _measure(sessions: list[Session], process: int) -> int:
    """Run the sessions; return the most memory that the server took."""
    ready = asyncio.Barrier(len(sessions))
    running = asyncio.gather(*(one.run(ready) for one in sessions))
    server, peak = psutil.Process(process), 0
    while not running.done():
        peak = max(peak, server.memory_info().rss)
        await asyncio.sleep(0.1)
    await running
    return peak


def cells(folder: Path | None) -> list[tuple[str, bytes]]:
    """Name and bytes of cells: the first thousand of a folder, or drawn ones."""
    if folder:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        return [(path.name, path.read_bytes()) for path in paths[:1_000]]
    from leukemia.dataset.synthetic import sample_writer

    return sample_writer.sample_cells(100)


def _large() -> list[tuple[str, bytes]]:
    files = []
    for number in range(LARGE):
        out = io.BytesIO()
        Image.new("RGBA", (SIDE, SIDE), (number, 40, 90, 255)).save(out, "PNG")
        files.append((f"large{number:02d}.png", out.getvalue()))
    return files


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--cells", type=int, help="pictures of each session")
    parser.add_argument("--images", type=Path, help="a folder of cells, in place of drawn ones")
    parser.add_argument("--large", action="store_true", help=f"{LARGE} pictures of {SIDE} x {SIDE} each")
    return parser.parse_args()


if __name__ == "__main__":
    main()
