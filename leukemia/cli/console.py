"""What commands show on the terminal."""

import sys
from typing import TYPE_CHECKING

from tqdm import tqdm

from leukemia.jobs import progress

if TYPE_CHECKING:
    from leukemia.bundles.bundle import Bundle


class Bar:
    """A progress bar for calls of (done, total, what); a job reports them, too."""

    def __init__(self, unit: str = "images") -> None:
        self._bar: tqdm | None = None
        self._what = ""
        self._unit = unit

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show how many of how many are done, and what is being done."""
        if self._bar is None or self._what != what:
            self.close()
            self._what = what
            self._bar = tqdm(total=total, desc=what, unit=f" {self._unit}", file=sys.stderr)
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


def print_bundle(bundle: "Bundle") -> None:
    """Print a bundle's metrics."""
    from leukemia.inference.scoring import on_held_out
    from leukemia.reports.evaluation_tables import summary

    print("\n".join(summary(on_held_out(bundle))))
