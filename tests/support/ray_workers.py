"""What workers on Ray are given in tests: imported by them, too."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from leukemia.errors import BundleError


class Doubler:
    """Doubles numbers; an item may be what ends it."""

    def __init__(self, folder):
        self._folder = Path(folder)

    def prepare(self):
        pass

    def answer(self, items):
        return [self._one(item) for item in items]

    def _one(self, item):
        if item == "poison":
            os.kill(os.getpid(), signal.SIGKILL)
        if isinstance(item, str):
            end_once(self._folder / item)
            return item
        return item * 2


class Slow(Doubler):
    """Takes its time."""

    def answer(self, items):
        time.sleep(2.5)
        return super().answer(items)


class Refuser(Doubler):
    """Cannot start, and says why."""

    def prepare(self):
        raise BundleError("No model here.")


class Stumbler(Doubler):
    """Has a fault in its program."""

    def answer(self, items):
        return [{}[item] for item in items]


class Dier(Doubler):
    """Ends before it answers anything."""

    def prepare(self):
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class EndingImage:
    """An image that ends whoever reads it: once where it has a mark, else always."""

    place: str
    name: str
    stamp: str = ""
    mark: str = ""

    def load(self):
        if self.mark:
            end_once(Path(self.mark))
        else:
            os.kill(os.getpid(), signal.SIGKILL)
        return Path(self.place).read_bytes()


def end_once(mark):
    """End this process, unless it or another did so at this mark before."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
