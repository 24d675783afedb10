"""Arguments that several commands share."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from leukemia import settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def data_option(
    command: argparse.ArgumentParser, name: str = "--data", meaning: str = "the data folder"
) -> None:
    """Add the option that names the data folder."""
    command.add_argument(
        name, type=Path, default=settings.load().data, help=f"{meaning} (default: %(default)s)"
    )


def at_least(least: int) -> Callable[[str], int]:
    """Make a reader of whole numbers from ``least`` on."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}")
        return value

    return number


def share(text: str) -> float:
    """Read a number above 0 and at most 1."""
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError("must be above 0 and at most 1")
    return value
