"""Arguments that several commands share."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from leukemia import settings

if TYPE_CHECKING:
    from leukemia.imaging.scale import Scale

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def data_option(
    command: argparse.ArgumentParser, name: str = "--data", meaning: str = "the data folder"
) -> None:
    """Add the option that names the data folder."""
    command.add_argument(
        name, type=Path, default=settings.load().data, help=f"{meaning} (default: %(default)s)"
    )


def scale_option(command: argparse.ArgumentParser) -> None:
    """Add the option that states the scale of images: ``scale`` is a Scale, or None."""
    command.add_argument(
        "--pixel-size",
        type=_scale,
        dest="scale",
        metavar="MICROMETRES",
        help=(
            "the scale of all images: the micrometres of one pixel, or 'native' for C-NMC's magnification "
            "(default: as a TIFF records it; frames of 450 or 600 pixels a side are native)"
        ),
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


def _scale(text: str) -> "Scale":
    """Micrometres per pixel, or the word for the scale of C-NMC's frames."""
    from leukemia.imaging import scale

    try:
        return scale.STATED_NATIVE if text == "native" else scale.stated(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be a number of micrometres, or native") from error
