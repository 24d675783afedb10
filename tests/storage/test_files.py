"""What a folder holds, as people have it: links, pipes, hidden files, names in other letters."""

import os

import pytest

from leukemia.storage import files


def names(folder):
    return {found.name: found.left_out for found in files.walk(folder)}


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


def test_a_linked_folder_is_read_once_under_its_own_name(tmp_path):
    touch(tmp_path / "elsewhere" / "hem" / "deep" / "1.bmp")
    touch(tmp_path / "set" / "b" / "2.bmp")
    (tmp_path / "set" / "hem").symlink_to(tmp_path / "elsewhere" / "hem")
    (tmp_path / "set" / "again").symlink_to(tmp_path / "set" / "b")
    (tmp_path / "elsewhere" / "hem" / "loop").symlink_to(tmp_path / "set")
    found = names(tmp_path / "set")
    read_before = "it leads to a folder that was read already"
    assert found == {
        "b/2.bmp": "",
        "hem/deep/1.bmp": "",
        "again": read_before,
        "hem/loop": read_before,
    }


def test_hidden_files_and_the_system_s_own_are_passed_over(tmp_path):
    for name in ("._a.png", ".thumbnails/a.png", "@eaDir/a.png", "__MACOSX/a.png", "a.png"):
        touch(tmp_path / name)
    assert names(tmp_path) == {"a.png": ""}


def test_a_device_or_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(OSError, match="device, a pipe"):
            files.read(tmp_path / name, 10)


def test_a_file_is_read_to_one_byte_over_the_limit(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert files.read(tmp_path / "a", 5) == b"12345"
    assert files.read(tmp_path / "a", 3) == b"1234"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (os.fsdecode(b"Zelle \xfc.png"), r"Zelle \xfc.png"),
        ("Zelle ü 細胞.png", "Zelle ü 細胞.png"),
        ("a\x1b[2J\r\n.png", r"a\x1b[2J\r\n.png"),
        ("a\u202egnp.exe", r"a\u202egnp.exe"),
        ("\ud800", r"\ud800"),
    ],
)
def test_a_name_is_shown_as_text_that_can_be_written_anywhere(name, text):
    assert files.shown(name) == text
    files.shown(name).encode()
