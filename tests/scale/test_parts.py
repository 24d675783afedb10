"""Finished batches on disk: whole or absent, of one run only, gone once the result is there."""

import pyarrow as pa
import pytest

from leukemia.errors import BusyError
from leukemia.scale.parts import Parts

SCHEMA = pa.schema([("name", pa.string()), ("value", pa.float64())])
ROWS = [{"name": "a", "value": 0.1 + 0.2}, {"name": "b", "value": None}]


class StoppedError(Exception):
    pass


def interrupted(result, decided_by="abc"):
    with pytest.raises(StoppedError), Parts.kept(result, decided_by, SCHEMA) as parts:
        parts.write(3, ROWS)
        raise StoppedError


def test_a_run_that_was_ended_finds_its_batches_to_the_last_digit(tmp_path):
    result = tmp_path / "out.csv"
    interrupted(result)
    with Parts.kept(result, "abc", SCHEMA) as parts:
        assert parts.has(3, len(ROWS)) and parts.read(3) == ROWS
        assert not parts.has(2, len(ROWS)) and not parts.has(3, 1)
    assert list(tmp_path.iterdir()) == []


def test_another_run_finds_none_of_them_and_leaves_them(tmp_path):
    result = tmp_path / "out.csv"
    interrupted(result)
    with Parts.kept(result, "def", SCHEMA) as parts:
        assert not parts.has(3, len(ROWS))
    with Parts.kept(result, "abc", SCHEMA) as parts:
        assert parts.has(3, len(ROWS))


@pytest.mark.parametrize("spoilt", [b"", b"PAR1 half of it"])
def test_a_damaged_batch_is_done_again(spoilt, tmp_path):
    result = tmp_path / "out.csv"
    interrupted(result)
    (tmp_path / "out.csv.parts" / "abc" / "00000003.parquet").write_bytes(spoilt)
    with Parts.kept(result, "abc", SCHEMA) as parts:
        assert not parts.has(3, len(ROWS))
        parts.write(3, ROWS)
        assert parts.has(3, len(ROWS))


def test_a_run_keeps_its_key_and_another_one_has_another(tmp_path):
    result = tmp_path / "out.csv"
    keys = []
    for stays in (True, False, False):
        with Parts.kept(result, "abc", SCHEMA) as parts:
            parts.stay = stays
            keys.append(parts.key())
            assert parts.key() == keys[-1]
    assert keys[0] == keys[1] != keys[2]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spoilt", [b"", b"\xff\x00", b"abc"])
def test_a_key_that_cannot_be_read_is_drawn_anew(spoilt, tmp_path):
    with Parts.kept(tmp_path / "out.csv", "abc", SCHEMA) as parts:
        before = parts.key()
        (tmp_path / "out.csv.parts" / "abc" / "key").write_bytes(spoilt)
        after = parts.key()
        assert after != before and parts.key() == after


def test_two_processes_never_work_on_the_same_run(tmp_path):
    result = tmp_path / "out.csv"
    with (
        Parts.kept(result, "abc", SCHEMA),
        pytest.raises(BusyError, match=r"out\.csv"),
        Parts.kept(result, "abc", SCHEMA),
    ):
        pass
