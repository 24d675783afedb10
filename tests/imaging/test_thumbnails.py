"""Thumbnails: made once, at one scale, kept within bounds, and never in the way."""

import io
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukemia.dataset import manifest
from leukemia.imaging import reader, thumbnails
from leukemia.imaging.cell import crop_cell, read_cell
from leukemia.imaging.thumbnails import CROP, SIDE, Thumbnails
from leukemia.storage.workspace import Workspace


@pytest.fixture
def data(drawn_set, tmp_path):
    for name in ("labeled_images", "unlabeled_images"):
        (tmp_path / name).symlink_to(drawn_set / name)
    return tmp_path


@pytest.fixture
def cells(drawn_set):
    """image_id and path of twenty different images."""
    rows = manifest.read(drawn_set).drop_duplicates("image_id")[:20]
    return list(zip(rows["image_id"], rows["path"], strict=True))


def opened(picture):
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


def test_each_is_the_cell_at_one_scale(data, cells):
    pictures = Thumbnails(data).get(cells)
    assert set(pictures) == {image_id for image_id, _ in cells}
    for image_id, path in cells:
        small = opened(pictures[image_id])
        assert small.shape == (SIDE, SIDE, 3)
        cell = read_cell(data / path)
        large = crop_cell(cell, CROP).reshape(SIDE, CROP // SIDE, SIDE, CROP // SIDE, 3).mean(axis=(1, 3))
        assert abs(small - large).mean() < 4


def test_they_are_made_once(data, cells, monkeypatch):
    first = Thumbnails(data).get(cells)

    def refuse(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(reader, "decode", refuse)
    assert Thumbnails(data).get(cells) == first
    assert Thumbnails(data).cached([cells[0][0], "unknown"]) == {cells[0][0]: first[cells[0][0]]}


def test_what_cannot_be_read_is_left_out_and_tried_again(data, cells):
    image_id, path = cells[0]
    assert Thumbnails(data).get([(image_id, "gone.webp"), cells[1]]).keys() == {cells[1][0]}
    assert image_id in Thumbnails(data).get([(image_id, path)])


def test_over_the_bound_those_not_looked_at_for_longest_go(data, cells, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(thumbnails.time, "time", lambda: now[0])
    ids = [f"{number:064d}" for number in range(12)]
    store = Thumbnails(data, limit=10_000)
    for image_id in ids[:10]:
        now[0] += 2 * thumbnails.USE_GRAIN
        store.store({image_id: bytes(1_000)})
    assert store.size() == 10_000
    now[0] += 2 * thumbnails.USE_GRAIN
    assert store.cached([ids[0]])
    store.store({ids[10]: bytes(1_000)})
    assert store.size() <= 10_000
    left = store.cached(ids)
    assert {ids[0], ids[9], ids[10]} <= left.keys()
    assert not {ids[1], ids[2]} & left.keys()


def test_many_at_once_stay_within_the_bound(data):
    store = Thumbnails(data, limit=50_000)
    store.store({f"{number:064d}": bytes(1_000) for number in range(500)})
    assert 0 < store.size() <= 50_000


def test_more_are_asked_for_than_one_question_holds(data):
    store = Thumbnails(data)
    ids = [f"{number:064d}" for number in range(2 * thumbnails.PER_QUERY + 1)]
    store.store(dict.fromkeys(ids, b"x"))
    assert store.cached(ids).keys() == set(ids)


def test_a_damaged_file_is_made_again(data, cells):
    first = Thumbnails(data).get(cells)
    Workspace(data).thumbnails.write_bytes(b"no database at all" * 1_000)
    for side in ("-wal", "-shm"):
        Path(f"{Workspace(data).thumbnails}{side}").unlink(missing_ok=True)
    assert Thumbnails(data).get(cells) == first
    assert Thumbnails(data).cached(first) == first


def test_a_file_damaged_within_is_made_again(data, cells):
    first = Thumbnails(data).get(cells)
    with sqlite3.connect(Workspace(data).thumbnails) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = bytearray(Workspace(data).thumbnails.read_bytes())
    content[4_096:] = bytes(len(content) - 4_096)
    Workspace(data).thumbnails.write_bytes(content)
    assert Thumbnails(data).get(cells) == first
    assert Thumbnails(data).get(cells) == first


def test_where_nothing_can_be_kept_pictures_are_made_all_the_same(data, cells):
    (data / "cache").write_text("a file where the folder should be")
    assert len(Thumbnails(data).get(cells)) == len(cells)


def test_a_locked_file_does_not_stop_the_page(data, cells, monkeypatch):
    store = Thumbnails(data)
    store.store({"x": b"y"})
    monkeypatch.setattr(thumbnails, "TIMEOUT", 0.05)
    with sqlite3.connect(Workspace(data).thumbnails) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert len(store.get(cells)) == len(cells)


def test_threads_share_them(data, cells):
    store, results, failed = Thumbnails(data), [], []

    def look():
        try:
            results.append(store.get(cells))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert all(one == results[0] for one in results)
    assert len(results[0]) == len(cells)
