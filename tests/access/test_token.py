"""The token of the address: kept for the account that runs the dashboard, and for nobody else."""

import os
import stat

import pytest

from leukemia import settings
from leukemia.access import token
from leukemia.errors import SettingError
from leukemia.storage.workspace import Workspace

POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has other rights")


def test_it_stays_over_restarts_until_its_file_is_deleted(tmp_path):
    first = token.of(tmp_path / "data")
    assert len(first.text) > 40
    assert token.of(tmp_path / "data").text == first.text
    Workspace(tmp_path / "data").access_token.unlink()
    assert token.of(tmp_path / "data").text != first.text
    assert token.of(tmp_path / "other").text != first.text


@POSIX
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o606])
def test_one_that_others_could_read_is_replaced(tmp_path, mode):
    first, file = token.of(tmp_path).text, Workspace(tmp_path).access_token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(mode)
    second = token.of(tmp_path).text
    assert second != first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token.of(tmp_path).text == second


@POSIX
def test_a_link_in_its_place_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("a-token-that-somebody-else-knows")
    elsewhere.chmod(0o600)
    data = tmp_path / "data"
    data.mkdir()
    Workspace(data).access_token.symlink_to(elsewhere)
    assert token.of(data).text != "a-token-that-somebody-else-knows"
    assert elsewhere.read_text() == "a-token-that-somebody-else-knows"


@pytest.mark.parametrize("content", ["", "short", "with a space in it, long", "ü" * 40])
def test_a_damaged_file_is_replaced(tmp_path, content):
    first, file = token.of(tmp_path).text, Workspace(tmp_path).access_token
    file.write_text(content)
    second = token.of(tmp_path).text
    assert second not in (first, content)
    assert file.read_text() == second


def test_where_nothing_can_be_kept_there_is_one_all_the_same(tmp_path):
    (tmp_path / "data").write_text("a file where the folder should be")
    assert len(token.of(tmp_path / "data").text) > 40


def test_the_cookie_is_not_the_token(tmp_path):
    one, other = token.of(tmp_path / "one"), token.of(tmp_path / "other")
    assert one.is_text(one.text) and one.is_cookie(one.cookie)
    assert not one.is_text(one.cookie) and not one.is_cookie(one.text)
    assert not one.is_cookie(other.cookie) and not one.is_text("") and not one.is_text("\udcff")


@pytest.mark.parametrize("given", ["short", "with spaces in the token", "ü" * 20, "x" * 201])
def test_a_setting_must_be_hard_to_guess(monkeypatch, given):
    monkeypatch.setenv("LEUKEMIA_TOKEN", given)
    with pytest.raises(SettingError, match="LEUKEMIA_TOKEN"):
        settings.load()


def test_a_given_one_is_taken_and_not_written_down(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_TOKEN", "one-that-was-given")
    given = settings.load()
    assert token.of(tmp_path, given.token).text == "one-that-was-given"
    assert not Workspace(tmp_path).access_token.exists()
    assert "one-that-was-given" not in repr(given)
