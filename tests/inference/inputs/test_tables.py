"""Parquet tables of images."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leukemia.errors import DatasetError, ImageError
from leukemia.inference.inputs import listing, tables


def written(path, columns, **how):
    pq.write_table(pa.table(columns), path, **how)
    return str(path)


def test_each_row_is_an_image_by_its_name(tmp_path):
    place = tmp_path / "cells.parquet"
    frame = pd.DataFrame({"label": [1, 2, 3], "file": ["a", None, "c\x1b"], "cell": [b"1", b"2", None]})
    frame.to_parquet(place, row_group_size=2)
    found = list(listing.in_table(str(place)))
    assert [one.name for one in found] == [f"{place}/a", f"{place}/0-1", f"{place}/c\\x1b"]
    assert [one.load() for one in found] == [b"1", b"2", b""]
    assert [one.load() for one in reversed(found)] == [b"", b"2", b"1"]
    in_bucket = list(listing.in_bucket(place.as_uri()))
    assert [one.load() for one in in_bucket] == [b"1", b"2", b""]


def test_without_names_rows_are_called_by_their_place(tmp_path):
    place = written(tmp_path / "cells.parquet", {"image": pa.array([b"1"], pa.large_binary())})
    (one,) = listing.in_table(place)
    assert one.name == f"{place}/0-0"


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"name": ["a"]}, "needs one column of bytes that hold the image files; it has none"),
        ({"small": [b"a"], "large": [b"b"]}, "it has small, large"),
    ],
)
def test_a_table_without_one_column_of_bytes_is_refused(columns, says, tmp_path):
    place = written(tmp_path / "cells.parquet", columns)
    with pytest.raises(DatasetError, match=says):
        list(listing.in_table(place))


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "cells.parquet").write_text("hello")
    with pytest.raises(DatasetError, match=r"cells\.parquet is no Parquet table, or is damaged"):
        list(listing.in_table(str(tmp_path / "cells.parquet")))


def test_a_group_of_rows_that_does_not_fit_into_memory_is_refused(tmp_path, monkeypatch):
    images = {"image": [bytes([number]) * 1000 for number in range(20)]}
    monkeypatch.setattr(tables, "MAX_GROUP", 15_000)
    with pytest.raises(DatasetError, match="row_group_size=1000"):
        list(listing.in_table(written(tmp_path / "a.parquet", images)))
    smaller = written(tmp_path / "b.parquet", images, row_group_size=4)
    assert len(list(listing.in_table(smaller))) == 20


def test_a_table_that_changed_meanwhile_gives_no_image(tmp_path):
    place = written(tmp_path / "cells.parquet", {"image": [b"1"]})
    (one,) = listing.in_table(place)
    written(tmp_path / "cells.parquet", {"image": [b"1", b"22"]})
    tables._opened.cache_clear()  # as in another process
    with pytest.raises(ImageError, match="The table was changed"):
        one.load()
