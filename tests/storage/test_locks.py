"""The lock between processes, and the paths of the data folder."""

import pytest

from leukemia.errors import BusyError
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace


def test_only_one_has_the_lock_and_the_other_is_told_in_the_words_of_the_place(tmp_path):
    path = tmp_path / "new" / "lock"
    with exclusive(path, 0, BusyError("first")):
        with pytest.raises(BusyError, match=r"^second$"), exclusive(path, 0.1, BusyError("second")):
            pass
        with exclusive(path.with_name("another"), 0, BusyError("third")):
            pass
    with exclusive(path, 0, BusyError("fourth")):
        pass


def test_an_error_lets_go_of_the_lock_and_is_raised_as_it_is(tmp_path):
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "lock", 0, BusyError("busy")):
        raise ZeroDivisionError
    with exclusive(tmp_path / "lock", 0, BusyError("busy")):
        pass


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError), exclusive(tmp_path / "file" / "lock", 0, BusyError("busy")):
        pass


def test_every_path_lies_below_the_data_folder_and_none_is_made(tmp_path):
    names = [name for name, value in vars(Workspace).items() if isinstance(value, property)]
    paths = [getattr(Workspace(tmp_path), name) for name in names]
    assert len(set(paths)) == len(paths) > 15
    assert all(path.is_relative_to(tmp_path) for path in paths)
    assert not list(tmp_path.iterdir())
    assert Workspace(str(tmp_path)) == Workspace(tmp_path)
