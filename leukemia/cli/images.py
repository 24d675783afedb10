"""The image files that a command is given: files as they are named, and those of folders."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from leukemia.errors import DatasetError


def find(paths: list[Path], suffixes: Sequence[str] | None = None) -> Iterator[Path]:
    """Files as they are named; of folders, at any depth, those with an image's suffix, or one given.

    Of what must not be read, images get a row that says so, and the rest a line on the error stream.

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
