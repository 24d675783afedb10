"""Images in zips."""

import zipfile

import pytest

from leukemia.errors import ArchiveError, DatasetError, ImageError
from leukemia.inference.inputs import listing


def zipped(path, entries):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def test_images_of_a_zip_are_listed_and_read(tmp_path):
    path = zipped(tmp_path / "cells.zip", {"b/two.PNG": b"2", "one.bmp": b"1", "notes.txt": b"no"})
    images, left_out = listing.in_zip(path)
    assert [(one.name, one.load()) for one in images] == [
        (f"{path}/b/two.PNG", b"2"),
        (f"{path}/one.bmp", b"1"),
    ]
    assert left_out == {}


def test_a_zip_that_changed_meanwhile_gives_no_image(tmp_path):
    path = zipped(tmp_path / "cells.zip", {"one.bmp": b"1"})
    ((one,), _) = listing.in_zip(path)
    zipped(path, {"one.bmp": b"another"})
    with pytest.raises(ImageError, match="was changed"):
        one.load()
    path.unlink()
    with pytest.raises(ImageError, match="No such file"):
        one.load()


def test_a_zip_that_leads_outside_is_damaged_or_holds_no_image_is_refused(tmp_path):
    with pytest.raises(ArchiveError, match="leads outside"):
        listing.in_zip(zipped(tmp_path / "a.zip", {"../one.bmp": b"1"}))
    with pytest.raises(DatasetError, match="No image in"):
        listing.in_zip(zipped(tmp_path / "b.zip", {"notes.txt": b"1"}))
    (tmp_path / "c.zip").write_bytes(b"PK half")
    with pytest.raises(ArchiveError, match=r"neither a folder nor a complete \.zip"):
        listing.in_zip(tmp_path / "c.zip")
