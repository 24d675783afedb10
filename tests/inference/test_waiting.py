"""Fields of a session wait in a folder of its own, as long as the session lasts."""

import gc

from PIL import Image

from leukemia.inference.waiting import WaitingFields

IMAGE = Image.new("RGB", (64, 48), (200, 100, 120))


def test_they_go_with_their_owner(tmp_path):
    place = tmp_path / "cache" / "fields"
    one, other = WaitingFields(place), WaitingFields(place)
    assert not place.exists(), "nothing is made before a field is kept"
    files = [each.keep(IMAGE, "a" * 64) for each in (one, other)]
    assert all(file.is_file() for file in files) and files[0] != files[1]
    assert files[0].parent.stat().st_mode & 0o077 == 0, "nobody else can read it"
    del one
    gc.collect()
    assert [file.is_file() for file in files] == [False, True]


def test_beyond_the_limit_none_is_kept(tmp_path):
    waiting = WaitingFields(tmp_path, most=1)
    assert waiting.keep(IMAGE, "a" * 64)
    assert waiting.keep(IMAGE, "b" * 64) is None


def test_a_disk_that_cannot_be_written_to_keeps_none(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert WaitingFields(tmp_path / "file" / "fields").keep(IMAGE, "a" * 64) is None


def test_one_that_is_dropped_is_removed_and_no_other_file(tmp_path):
    waiting, outside = WaitingFields(tmp_path / "fields"), tmp_path / "mine.png"
    IMAGE.save(outside)
    file = waiting.keep(IMAGE, "a" * 64)
    waiting.drop(file)
    waiting.drop(outside)
    assert (file.exists(), outside.exists()) == (False, True)
