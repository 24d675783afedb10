"""What a user names for a result: only what this program wrote is replaced."""

import os
import stat
from pathlib import Path

import pytest

from leukemia.errors import OutputError
from leukemia.storage import output
from leukemia.storage.atomic import partial_folder, whole_file

OURS = "ours,"


def checked(path, inputs=()):
    return output.file(path, lambda beginning: beginning.startswith(OURS), "table", inputs)


def write(path, text=f"{OURS}new\n", inputs=()):
    with checked(path, inputs).open() as out:
        out.write(text)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_new_files_and_folders_keep_the_umask(tmp_path, umask):
    write(tmp_path / "new.csv")
    with whole_file(tmp_path / "other.json") as partial:
        partial.write_text("{}")
    with partial_folder(tmp_path) as partial:
        partial.rename(tmp_path / "folder")
    assert [mode(tmp_path / name) for name in ("new.csv", "other.json")] == [0o666 & ~umask] * 2
    assert mode(tmp_path / "folder") == 0o777 & ~umask


@pytest.mark.parametrize("before", [f"{OURS}old\n", f"\ufeff{OURS}old\n", ""])
def test_a_table_of_ours_and_an_empty_file_are_replaced_and_keep_their_mode(tmp_path, before):
    path = tmp_path / "table.csv"
    path.write_text(before, encoding="utf-8")
    path.chmod(0o640)
    write(path)
    assert (path.read_text(), mode(path)) == (f"{OURS}new\n", 0o640)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n", b"name,age\nours,3\n", b"\xff\xfe\x00"])
def test_any_other_file_is_left_as_it_was(tmp_path, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"a\.png exists and is not a table .* It was not changed"):
        write(path)
    assert path.read_bytes() == content


def test_an_input_is_left_as_it_was_by_whatever_name(tmp_path):
    path = tmp_path / "input.csv"
    path.write_text(f"{OURS}input\n")
    (tmp_path / "link.csv").symlink_to(path)
    (tmp_path / "hard.csv").hardlink_to(path)
    for name in ("input.csv", "link.csv", "hard.csv", "../" + tmp_path.name + "/input.csv"):
        with pytest.raises(OutputError, match="is one of the files to be read"):
            write(tmp_path / name, inputs=[tmp_path / "gone", path])
    assert path.read_text() == f"{OURS}input\n"


def test_a_link_is_followed_not_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    for name in ("old.csv", "new.csv"):
        (tmp_path / name).symlink_to(tmp_path / "there" / name)
    (tmp_path / "there" / "old.csv").write_text(OURS)
    for name in ("old.csv", "new.csv"):
        write(tmp_path / name)
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / "there" / name).read_text() == f"{OURS}new\n"
    (tmp_path / "picture.csv").symlink_to(tmp_path / "there" / "picture.png")
    (tmp_path / "there" / "picture.png").write_bytes(b"picture")
    with pytest.raises(OutputError, match=r"picture\.csv exists and is not a table"):
        write(tmp_path / "picture.csv")


def test_folders_devices_pipes_and_circles_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "file").write_text("")
    for path, says in (
        (tmp_path, "it is a folder"),
        (tmp_path / "pipe", "a device or a pipe"),
        ("/dev/null", "a device or a pipe"),
        (tmp_path / "null", "a device or a pipe"),
        (tmp_path / "circle", "Cannot write"),
        (tmp_path / "gone" / "table.csv", "its folder does not exist"),
        (tmp_path / "file" / "table.csv", "Cannot write"),
        (tmp_path / ("x" * 300), "Cannot write"),
    ):
        with pytest.raises(OutputError, match=says) as refused:
            write(path)
        assert str(refused.value).endswith(".") and "\n" not in str(refused.value)
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_the_standard_output_is_streamed_as_utf8(name, capfdbinary, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert checked(name).streams
    write(name, "µ\n")
    print("after", flush=True)
    assert capfdbinary.readouterr().out == b"\xc2\xb5\nafter\n"
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(f"{OURS}old\n")
    with pytest.raises(ZeroDivisionError), checked(path).open() as out:
        out.write("half")
        raise ZeroDivisionError
    assert path.read_text() == f"{OURS}old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_only_where_it_holds_what_we_write_and_nothing_else(tmp_path):
    ours = ("model", "record")
    output.folder(tmp_path / "new", ours, "model bundle")
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    output.folder(bundle, ours, "model bundle")
    refused = pytest.raises(OutputError, match="not just a model bundle")
    (bundle / "record").write_text("")
    with refused:
        output.folder(bundle, ours, "model bundle")
    (bundle / "model").write_text("")
    output.folder(bundle, ours, "model bundle")
    (bundle / "notes.txt").write_text("")
    with refused:
        output.folder(bundle, ours, "model bundle")
    with pytest.raises(OutputError, match="is no folder"):
        output.folder(bundle / "model", ours, "model bundle")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(OutputError, match="Cannot write"):
        output.folder(tmp_path / "circle", ours, "model bundle")


def test_a_folder_that_holds_what_is_read_is_not_replaced(tmp_path):
    (tmp_path / "bundle" / "model").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "bundle" / "model")
    (tmp_path / "bundle-2").mkdir()
    for one in ("bundle", "bundle/model", "link", "bundle-2/../bundle/model/gone"):
        with pytest.raises(OutputError, match=r"is to be read and lies in .*bundle, which would be replaced"):
            output.folder(tmp_path / "bundle", ("model",), "model bundle", [tmp_path / one])
    for one in (tmp_path, tmp_path / "bundle-2", tmp_path / "gone"):
        output.folder(tmp_path / "bundle", ("model",), "model bundle", [one])


def test_the_folder_that_somebody_is_in_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "bundle" / "model").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "bundle")
    (tmp_path / "bundle-2").mkdir()
    for inside in ("bundle", "bundle/model", "link"):
        monkeypatch.chdir(tmp_path / inside)
        for named in (tmp_path / "bundle", tmp_path / "link", Path(os.path.relpath(tmp_path / "bundle"))):
            with pytest.raises(OutputError, match=r"You are in .*bundle, which would be replaced"):
                output.folder(named, ("model",), "model bundle")
        output.folder(Path("../new"), ("model",), "model bundle")
    for outside in (".", "bundle-2"):
        monkeypatch.chdir(tmp_path / outside)
        output.folder(tmp_path / "bundle", ("model",), "model bundle")
    (tmp_path / "bundle-2").rmdir()
    output.folder(tmp_path / "bundle", ("model",), "model bundle")
