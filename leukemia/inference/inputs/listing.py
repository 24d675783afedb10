"""The images in what is no folder: zips, Parquet tables and buckets."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from leukemia.errors import DatasetError
from leukemia.imaging.reader import SUFFIXES
from leukemia.inference.inputs import archives, buckets, tables
from leukemia.inference.inputs.image import StoredImage, TableImage, ZippedImage
from leukemia.storage import files

NO_IMAGE = "No image in {} (looked for {})."


def in_zip(path: Path) -> tuple[list[ZippedImage], dict[str, str]]:
    """The images of a zip, and what in it cannot be read, each with its reason.

    Raises
    ------
    LeukemiaError
        Where it is damaged, locked, leads outside itself or holds no image.
    """
    place, shown, found = path.absolute(), files.shown(path), archives.listed(path.absolute())
    images = [
        ZippedImage(str(place), f"{shown}/{origin}", entry.stamp, origin)
        for origin, entry in found.entries.items()
        if _is_image(origin)
    ]
    if not images:
        raise DatasetError(NO_IMAGE.format(shown, ", ".join(SUFFIXES)))
    return images, {name: why for name, why in found.left_out.items() if _is_image(name)}


def in_table(table: str) -> Iterator[TableImage]:
    """The images of a Parquet table, by its path or address; see :func:`tables.find` for the errors."""
    place = table if buckets.is_address(table) else str(Path(table).absolute())
    shown = buckets.shown(table) if buckets.is_address(table) else files.shown(table)
    for row in tables.find(place):
        yield TableImage(place, f"{shown}/{row.name}", row.stamp, row.group, row.row)


def in_bucket(address: str) -> Iterator[StoredImage | TableImage]:
    """The images at an address or below it, Parquet tables opened, too; in order.

    Raises
    ------
    DatasetError
        Where there is nothing, no image, or the bucket cannot be read.
    """
    none = True
    for one in buckets.find(address):
        if PurePosixPath(one.name).suffix.lower() == tables.SUFFIX:
            yield from in_table(one.url)
        elif _is_image(one.name):
            yield StoredImage(one.url, one.name, one.stamp)
        else:
            continue
        none = False
    if none:
        raise DatasetError(NO_IMAGE.format(buckets.shown(address), ", ".join((*SUFFIXES, tables.SUFFIX))))


def _is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES
