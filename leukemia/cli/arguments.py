"""Arguments that several commands share."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from leukemia import settings
from leukemia.errors import LeukemiaError

if TYPE_CHECKING:
    from leukemia.imaging.scale import Scale

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

# Of what there is no sensible most.
MOST = 1_000_000
# Where work is done: by this process, or spread over cores and machines.
LOCAL, RAY = "local", "ray"


def data_option(
    command: argparse.ArgumentParser, name: str = "--data", meaning: str = "the data folder"
) -> None:
    """Add the option that names the data folder."""
    command.add_argument(
        name, type=as_path, default=settings.load().data, help=f"{meaning} (default: %(default)s)"
    )


SCALE = (
    "the scale of all images: the micrometres of one pixel, or 'native' for C-NMC's magnification "
    "(default: as a TIFF or DICOM file records it; frames of 450 or 600 pixels a side are native)"
)


def scale_option(command: argparse.ArgumentParser, meaning: str = SCALE) -> None:
    """Add the option that states the scale of images: ``scale`` is a Scale, or None."""
    command.add_argument(
        "--pixel-size",
        type=_scale,
        dest="scale",
        metavar="MICROMETRES",
        help=meaning,
    )


def stain_option(command: argparse.ArgumentParser) -> None:
    """Add the option that has the stain of each field matched: ``match_stain`` is a bool."""
    command.add_argument(
        "--match-stain",
        action="store_true",
        help="bring the colours of each field's cells to those of the model's training cells first; the "
        "table has the distance from them before and after (default: cells are taken as they are, and those "
        "of slides always)",
    )


def executor_option(command: argparse.ArgumentParser, what: str) -> None:
    """Add the options that say where work is done: ``executor`` and ``cluster``."""
    command.add_argument(
        "--executor", choices=(LOCAL, RAY), default=LOCAL, help=f"ray: {what} (default %(default)s)"
    )
    command.add_argument(
        "--cluster",
        default="",
        metavar="HOST:PORT",
        help="with --executor ray, the cluster that this machine is part of (default: one on this machine)",
    )


def check_executor(options: argparse.Namespace) -> None:
    """Refuse a cluster that is named for nothing."""
    if options.cluster and options.executor != RAY:
        raise LeukemiaError("--cluster is for work on Ray: give --executor ray, too.")


def whole(least: int, most: int = MOST) -> Callable[[str], int]:
    """Make a reader of whole numbers from ``least`` to ``most``."""

    def number(text: str) -> int:
        try:
            return settings.whole_number(text, least, most)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return number


# Of a draw of numbers.
seed = whole(0, settings.MAX_SEED)


def as_named(text: str) -> str:
    """Read what names a file, a folder or a bucket; an empty text, as of an unset variable, names none."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the name of a file or folder is empty")
    return text


def as_path(text: str) -> Path:
    """Read a path; an empty text would be the current folder."""
    return Path(as_named(text))


def number(text: str) -> float:
    """Read a number that is one: not infinity, not "nan"."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a number, not {text[:40]!r}")
    return value


def share(text: str) -> float:
    """Read a number above 0 and at most 1."""
    value = number(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"must be above 0 and at most 1, not {text[:40]}")
    return value


def _scale(text: str) -> "Scale":
    """Micrometres per pixel, or the word for the scale of C-NMC's frames."""
    from leukemia.imaging import scale

    try:
        return scale.of_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be a number of micrometres above 0, or native") from error
