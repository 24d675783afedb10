"""The image files that a command is given: files as they are named, and those of folders."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from leukemia.errors import DatasetError

if TYPE_CHECKING:
    from leukemia.inference.inputs.image import Image


def find(
    paths: list[Path], suffixes: Sequence[str] | None = None, leave_out: Path | None = None
) -> Iterator[Path]:
    """Files as they are named; of folders, at any depth, those with an image's suffix, or one given.

    Of what must not be read, images get a row that says so, and the rest a line on the error stream.

    Parameters
    ----------
    paths : list of Path
        Files and folders.
    suffixes : sequence of str, optional
        Those of images, where they are others than usual.
    leave_out : Path, optional
        A folder whose files are passed over, such as the one that an earlier run wrote.

    Raises
    ------
    DatasetError
        Where a path does not exist, or a folder holds no image.
    """
    from leukemia.imaging.reader import SUFFIXES
    from leukemia.storage import files

    suffixes = suffixes or SUFFIXES
    for path in paths:
        if path.is_dir():
            found = sorted(files.walk(path), key=lambda one: one.path)
            if leave_out:
                found = [one for one in found if not files.lies_in(one.path, leave_out)]
            images = [one.path for one in found if one.path.suffix.lower() in suffixes]
            for one in found:
                if one.left_out and one.path not in images:
                    print(f"leukemia: {one.name} was left out: {one.left_out}.", file=sys.stderr)
            if not images:
                raise DatasetError(f"No image in {files.shown(path)} (looked for {', '.join(suffixes)}).")
            yield from images
        elif path.exists():
            yield path
        else:
            raise DatasetError(f"No such file or folder: {path}.")


def place(text: str) -> Path | str:
    """Read where images lie: a path, or the address of a bucket as it is."""
    # A path would take one of its two slashes away.
    return text if "://" in text else Path(text)


def find_anywhere(places: list[Path | str]) -> "Iterator[Image]":
    """Images as :func:`find` finds them, and those in zips, Parquet tables and buckets that are named.

    Raises
    ------
    LeukemiaError
        Where a place does not exist, cannot be read or holds no image.
    """
    from leukemia.inference.inputs import listing, tables
    from leukemia.inference.inputs.image import FileImage

    for one in places:
        suffix = PurePosixPath(str(one)).suffix.lower()
        if isinstance(one, str):
            yield from listing.in_bucket(one)
        elif suffix == tables.SUFFIX and one.is_file():
            yield from listing.in_table(str(one))
        elif suffix == ".zip" and one.is_file():
            images, left_out = listing.in_zip(one)
            for name, why in left_out.items():
                print(f"leukemia: {name} was left out: {why}.", file=sys.stderr)
            yield from images
        else:
            yield from (FileImage.at(path) for path in find([one]))


def files_of(found: "Iterable[Image]") -> set[Path]:
    """The files on this machine that images are or lie in."""
    return {Path(one.place) for one in found if "://" not in one.place}
