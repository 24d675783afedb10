"""What commands show on the terminal while they work."""

import sys
import time
from typing import TYPE_CHECKING

from tqdm import tqdm

from leukemia.jobs import progress

if TYPE_CHECKING:
    from leukemia.bundles.bundle import Bundle

# Seconds between two lines where nobody watches: in a file or a job's log.
BETWEEN_LINES = 30.0


class Bar:
    """Progress for calls of (done, total, what): a bar on a terminal, else a line now and then.

    A job reports it, too.
    """

    def __init__(self, unit: str = "images") -> None:
        self._bar: tqdm | _Lines | None = None
        self._what = ""
        self._unit = unit

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show how many of how many are done, and what is being done."""
        new = self._what != what
        if new:
            self.close()
            self._what = what
        if not total:  # nobody can say of how many: a step with a name
            if new:
                print(f"{what} …", file=sys.stderr)
        elif self._bar is None:
            made = tqdm if is_watched() else _Lines
            self._bar = made(
                total=total, desc=what, unit=f" {self._unit}" if self._unit else "", file=sys.stderr
            )
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        progress.current().progress(done, total, what)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the terminal on a new line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class _Lines:
    """As tqdm, in lines: the first after :data:`BETWEEN_LINES`, the last at the end."""

    def __init__(self, **shown: object) -> None:
        self.n = 0
        self._shown = shown
        self._last = time.monotonic()

    def update(self, more: int) -> None:
        self.n += more
        if time.monotonic() - self._last >= BETWEEN_LINES:
            self._write()

    def close(self) -> None:
        self._write()

    def _write(self) -> None:
        self._last = time.monotonic()
        total, unit = self._shown["total"], self._shown["unit"]
        of = f" of {total:,}" if total else ""
        print(f"{self._shown['desc']}: {self.n:,}{of}{unit}", file=self._shown["file"], flush=True)


def is_watched() -> bool:
    """Whether the error stream is a terminal, on which a bar can be drawn again and again."""
    return sys.stderr.isatty()


def print_bundle(bundle: "Bundle") -> None:
    """Print a bundle's metrics."""
    from leukemia.inference.scoring import on_held_out
    from leukemia.reports.evaluation_tables import summary

    print("\n".join(summary(on_held_out(bundle))))
