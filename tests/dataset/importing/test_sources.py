import os
import zipfile
from contextlib import ExitStack

import pytest

from leukemia.dataset.importing import sources
from leukemia.errors import ArchiveError
from leukemia.settings import MAX_FILE_BYTES
from leukemia.storage import files


@pytest.fixture
def stack():
    with ExitStack() as opened:
        yield opened


def make_zip(path, files, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_a_folder_is_listed_with_the_zips_in_it(tmp_path, stack):
    (tmp_path / "b" / "deep").mkdir(parents=True)
    (tmp_path / "b" / "deep" / "x.bmp").write_bytes(b"x")
    (tmp_path / ".hidden").write_bytes(b"h")
    make_zip(tmp_path / "a.zip", {"in/y.bmp": b"yy", "__MACOSX/in/._y.bmp": b"m"})
    entries = sources.open_source(tmp_path, stack).entries
    assert [(entry.origin, entry.size, entry.load()) for entry in entries] == [
        ("a/in/y.bmp", 2, b"yy"),
        ("b/deep/x.bmp", 1, b"x"),
    ]


def test_a_stamp_changes_with_the_file(tmp_path, stack):
    def stamps():
        return {entry.origin: entry.stamp for entry in sources.open_source(tmp_path, stack).entries}

    (tmp_path / "a.bmp").write_bytes(b"one")
    make_zip(tmp_path / "z.zip", {"b.bmp": b"one"})
    before = stamps()
    assert stamps() == before
    (tmp_path / "a.bmp").write_bytes(b"three")
    make_zip(tmp_path / "z.zip", {"b.bmp": b"two"})
    assert all(stamps()[origin] != before[origin] for origin in before)


OUTSIDE = ("../out.bmp", "/etc/out.bmp", "a/../../out.bmp", "C:/out.bmp", "..\\out.bmp")


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_path_that_leads_outside_refuses_the_zip(tmp_path, stack, name):
    make_zip(tmp_path / "z.zip", {"a.bmp": b"a", name: b"b"})
    with pytest.raises(ArchiveError, match="leads outside"):
        sources.open_source(tmp_path / "z.zip", stack)


def test_a_bomb_is_not_inflated(tmp_path, stack, monkeypatch):
    path = make_zip(
        tmp_path / "z.zip", {"a.bmp": b"\0" * (MAX_FILE_BYTES + 1)}, compression=zipfile.ZIP_DEFLATED
    )
    (entry,) = sources.open_source(path, stack).entries
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("inflated"))
    with pytest.raises(ArchiveError, match="larger than 20 MB"):
        entry.load()


def test_an_entry_that_understates_its_size_is_refused(tmp_path, stack):
    path = make_zip(tmp_path / "z.zip", {"a.bmp": b"\0" * 5_000}, compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(mark) + at
        data[start : start + 4] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    (entry,) = sources.open_source(path, stack).entries
    with pytest.raises(ArchiveError, match=r"cannot be read|changed"):
        entry.load()


def test_a_damaged_entry_is_an_error_of_its_own(tmp_path, stack):
    path = make_zip(tmp_path / "z.zip", {"a.bmp": b"a" * 100, "b.bmp": b"b" * 100})
    data = bytearray(path.read_bytes())
    data[data.index(b"a" * 100)] ^= 1
    path.write_bytes(data)
    a, b = sources.open_source(path, stack).entries
    with pytest.raises(ArchiveError, match="damaged"):
        a.load()
    assert b.load() == b"b" * 100


def test_a_file_that_changes_after_it_was_listed_is_told(tmp_path, stack):
    (tmp_path / "a.bmp").write_bytes(b"one")
    (entry,) = sources.open_source(tmp_path, stack).entries
    (tmp_path / "a.bmp").write_bytes(b"three")
    with pytest.raises(ArchiveError, match="changed while"):
        entry.load()
    (tmp_path / "a.bmp").unlink()
    with pytest.raises(ArchiveError, match="No such file"):
        entry.load()


def test_a_locked_zip_is_told(tmp_path, stack):
    path = make_zip(tmp_path / "z.zip", {"a.bmp": b"a"})
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match="password"):
        sources.open_source(path, stack)


def test_what_is_no_source_is_told(tmp_path, stack, monkeypatch):
    (tmp_path / "hollow").mkdir()
    (tmp_path / "text.zip").write_text("hello")
    (tmp_path / "full").mkdir()
    for number in range(3):
        (tmp_path / "full" / f"{number}.bmp").write_bytes(b"x")
    monkeypatch.setattr(sources, "MAX_ARCHIVE_FILES", 2)
    os.mkfifo(tmp_path / "pipe.zip")
    for name, says in (
        ("gone", "No such file or folder"),
        ("pipe.zip", "is a device or a pipe"),
        ("hollow", "is empty"),
        ("text.zip", "neither a folder nor a complete .zip"),
        ("full", "more than 2 files"),
    ):
        with pytest.raises(ArchiveError, match=says):
            sources.open_source(tmp_path / name, stack)


def test_links_devices_and_pipes_are_left_out_each_with_its_reason(tmp_path, stack):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.bmp").write_bytes(b"a")
    (tmp_path / "set" / "gone.bmp").symlink_to("nowhere")
    (tmp_path / "set" / "endless.bmp").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "set" / "pipe.bmp")
    listing = sources.open_source(tmp_path / "set", stack)
    assert [entry.origin for entry in listing.entries] == ["a.bmp"]
    assert {name: why.split()[-1] for name, why in listing.left_out.items()} == {
        "gone.bmp": "nothing",
        "endless.bmp": "file",
        "pipe.bmp": "file",
    }


def test_one_odd_entry_of_a_zip_is_a_line_and_the_rest_is_read(tmp_path, stack):
    path = make_zip(
        tmp_path / "z.zip",
        {
            "Export 12:30/a.bmp": b"a",
            ".": b"",
            "inner.zip": b"PK",
            "x\x1b[31m.bmp": b"x",
            "__MACOSX/._a.bmp": b"m",
            "@eaDir/a.bmp": b"t",
            "b.bmp": b"b" * 99,
        },
    )
    data = bytearray(path.read_bytes())
    place = data.rindex(b"b.bmp") - 46  # its entry in the directory
    data[place + 10 : place + 12] = (9).to_bytes(2, "little")  # Deflate64
    path.write_bytes(data)
    listing = sources.open_source(path, stack)
    assert {entry.origin: entry.load() for entry in listing.entries} == {
        "Export 12:30/a.bmp": b"a",
        r"x\x1b[31m.bmp": b"x",
    }
    assert set(listing.left_out) == {".", "inner.zip", "b.bmp"}
    assert "deflate64" in listing.left_out["b.bmp"] and "in a .zip" in listing.left_out["inner.zip"]


def test_a_zip_of_nothing_that_can_be_read_says_why(tmp_path, stack):
    path = make_zip(tmp_path / "z.zip", {"fold_0.zip": b"PK"})
    with pytest.raises(ArchiveError, match=r"nothing that can be read. fold_0.zip: a .zip in a .zip"):
        sources.open_source(path, stack)


@pytest.fixture
def linked(tmp_path):
    """An open folder with a set whose links lead out of it, and into a second folder of it."""
    for name in ("open/set", "open/beside", "secret/deep"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("open/set/a.bmp", "open/beside/b.bmp", "secret/s.bmp", "secret/deep/t.bmp"):
        (tmp_path / name).write_bytes(b"x")
    make_zip(tmp_path / "secret" / "z.zip", {"u.bmp": b"u"})
    for name, target in {
        "in": "open/beside",
        "out": "secret",
        "out.bmp": "secret/s.bmp",
        "out.zip": "secret/z.zip",
        "gone": "secret/nothing",
        "pipe": "/dev/zero",
    }.items():
        (tmp_path / "open" / "set" / name).symlink_to(tmp_path / target)
    (tmp_path / "open" / "beside" / "on").symlink_to(tmp_path / "secret" / "deep")
    return tmp_path


def test_links_out_of_the_open_folders_are_left_out_and_nothing_is_told_of_their_targets(
    linked, stack, monkeypatch
):
    monkeypatch.setenv("LEUKEMIA_IMPORT_FROM", str(linked / "open"))
    listing = sources.open_source(linked / "open" / "set", stack)
    assert [entry.origin for entry in listing.entries] == ["a.bmp", "in/b.bmp"]
    assert set(listing.left_out) == {"out", "out.bmp", "out.zip", "gone", "pipe", "in/on"}
    assert set(listing.left_out.values()) == {files.LEADS_OUT}


def test_a_link_may_lead_into_another_open_folder(linked, stack, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_IMPORT_FROM", f"{linked / 'open'}{os.pathsep}{linked / 'secret' / 'deep'}")
    listing = sources.open_source(linked / "open" / "set", stack)
    assert [entry.origin for entry in listing.entries] == ["a.bmp", "in/b.bmp", "in/on/t.bmp"]


def test_links_lead_anywhere_where_no_folder_is_named_or_the_source_is_in_none(linked, stack, monkeypatch):
    for folders in ("", str(linked / "secret" / "deep")):
        monkeypatch.setenv("LEUKEMIA_IMPORT_FROM", folders)
        listing = sources.open_source(linked / "open" / "set", stack)
        assert {"a.bmp", "in/b.bmp", "out.bmp", "out/s.bmp", "out/u.bmp"} <= {
            entry.origin for entry in listing.entries
        }
        assert files.LEADS_OUT not in listing.left_out.values()


def test_what_becomes_a_link_out_of_the_open_folders_is_not_read(linked, stack, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_IMPORT_FROM", str(linked / "open"))
    source = linked / "open" / "set"
    one = sources.open_source(source, stack).entries[0]
    (source / "a.bmp").unlink()
    (source / "a.bmp").symlink_to(linked / "secret" / "s.bmp")
    with pytest.raises(ArchiveError, match="leads out of the folders"):
        one.load()
    source.rename(linked / "open" / "before")
    source.symlink_to(linked / "secret")
    with pytest.raises(ArchiveError, match="from these folders of the server only"):
        sources.open_source(source, stack)
