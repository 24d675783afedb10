"""Which folders of the server somebody may name."""

import zipfile

import pytest

from leukemia.access import acting
from leukemia.access.users import Role, User
from leukemia.dataset.importing import places
from leukemia.errors import ArchiveError

MONA = User.of("Mona", "https://id.example mona", {Role.MANAGER})


@pytest.fixture
def server(tmp_path, monkeypatch):
    """An open folder with a set, another one beside it, and a link from the one to the other."""
    for name in ("open", "secret"):
        (tmp_path / name / "set").mkdir(parents=True)
        with zipfile.ZipFile(tmp_path / name / "set.zip", "w") as archive:
            archive.writestr("a", "b")
    (tmp_path / "open" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "open" / "cells.csv").write_text("file\n")
    return tmp_path


def open_to(monkeypatch, *folders):
    monkeypatch.setenv("LEUKEMIA_IMPORT_FROM", ":".join(map(str, folders)))


def test_on_this_machine_alone_any_folder_may_be_named(server):
    assert places.named(f" {server / 'secret' / 'set'} ") == server / "secret" / "set"
    with pytest.raises(ArchiveError, match="No such file or folder"):
        places.named(str(server / "nowhere"))
    with pytest.raises(ArchiveError, match="neither a folder nor"):
        places.named(str(server / "open" / "cells.csv"))
    assert places.named(str(server / "open" / "cells.csv"), tables=True).name == "cells.csv"


def test_where_people_sign_in_none_is_open_at_first(server):
    with acting.acting_as(MONA):
        for path in (server / "open" / "set", server / "nowhere"):
            with pytest.raises(ArchiveError, match="No folder of the server is open") as refused:
                places.named(str(path))
            assert str(server) not in str(refused.value)


@pytest.mark.parametrize("signed_in", [True, False])
def test_only_what_lies_below_the_named_folders_and_nothing_is_told_of_the_rest(
    server, monkeypatch, signed_in
):
    open_to(monkeypatch, server / "open")
    with acting.acting_as(MONA if signed_in else acting.user()):
        assert places.named(str(server / "open" / "set.zip")) == server / "open" / "set.zip"
        sentences = set()
        for path in (
            server / "secret" / "set",
            server / "nowhere",
            server / "open" / ".." / "secret",
            server / "open" / "link" / "set.zip",
            server / "opened",
            "/etc/passwd",
            "/etc/no-such-file",
            "~root",
            ".",
        ):
            with pytest.raises(ArchiveError) as refused:
                places.named(str(path))
            sentences.add(str(refused.value))
    assert sentences == {places.OUTSIDE.format(folders=server / "open")}


def test_several_folders_may_be_named(server, monkeypatch):
    open_to(monkeypatch, server / "open", server / "secret")
    for name in ("open", "secret"):
        assert places.named(str(server / name / "set")) == server / name / "set"


@pytest.mark.parametrize("text", ["", "  ", "a\0b", "~no-such-user-here/x", "x" * 5_000])
def test_what_is_no_path_is_a_sentence(text, monkeypatch, server):
    with pytest.raises(ArchiveError):
        places.named(text)
    open_to(monkeypatch, server)
    with pytest.raises(ArchiveError):
        places.named(text)
