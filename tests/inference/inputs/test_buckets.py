"""Buckets: what lies in them is listed and read, and the key of an address is shown nowhere."""

import pytest

from leukemia.errors import DatasetError, ImageError
from leukemia.imaging.limits import CELL
from leukemia.inference.inputs import buckets, listing
from tests.support import s3

OBJECTS = {
    "day one/a.bmp": b"first",
    "day one/b é.png": b"second",
    "day one/.hidden.png": b"not asked for",
    "day one/notes.txt": b"no image",
    "other/c.bmp": b"not below",
}


def address(path, query):
    return f"s3://{s3.KEY}:{s3.SECRET}@slides/{path}?{query}"


def test_objects_below_an_address_are_listed_and_read():
    with s3.bucket("slides", OBJECTS) as query:
        found = list(listing.in_bucket(address("day%20one", query)))
        assert [one.name for one in found] == ["s3://slides/day one/a.bmp", "s3://slides/day one/b é.png"]
        assert [one.load() for one in found] == [b"first", b"second"]
        (one,) = listing.in_bucket(address("other/c.bmp", query))
        assert one.load() == b"not below"
        assert len(list(listing.in_bucket(address("", query)))) == 3


def test_neither_names_nor_sentences_hold_the_key():
    with s3.bucket("slides", OBJECTS) as query:
        (one,) = listing.in_bucket(address("other", query))
        assert one.name == "s3://slides/other/c.bmp"
        with pytest.raises(DatasetError) as nothing:
            list(listing.in_bucket(address("gone", query)))
        assert str(nothing.value) == "There is nothing at s3://slides/gone."
        with pytest.raises(DatasetError) as refused:
            list(listing.in_bucket(address("other", query).replace(s3.KEY, "wrong")))
        assert str(refused.value).startswith("s3://slides/other cannot be read")


def test_an_object_that_went_away_is_an_image_that_cannot_be_read(tmp_path):
    (tmp_path / "a.bmp").write_bytes(b"x")
    (one,) = listing.in_bucket(tmp_path.as_uri())
    (tmp_path / "a.bmp").unlink()
    with pytest.raises(ImageError, match="cannot be read from where it is stored"):
        one.load()


def test_an_object_over_the_size_limit_is_refused(tmp_path):
    with (tmp_path / "a.bmp").open("wb") as file:
        file.truncate(CELL.file_bytes + 1)
    (one,) = listing.in_bucket(tmp_path.as_uri())
    with pytest.raises(ImageError, match=CELL.too_many_bytes[:20]):
        one.load()


@pytest.mark.parametrize("text", ["ftp://host/a", "https://example.org/a.png", "s4://b"])
def test_other_addresses_are_asked_nothing(text):
    with pytest.raises(DatasetError, match="is no address that can be read"):
        list(listing.in_bucket(text))


def test_a_path_is_no_address():
    assert buckets.is_address("s3://b") and not buckets.is_address("C:/cells") and not buckets.is_address("a")
