"""Pictures that many people send at once are decoded within bounds, in the order they came."""

import contextlib
import io
import threading
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from leukemia.imaging import memory
from leukemia.imaging.limits import FIELD
from leukemia.imaging.memory import PER_PIXEL, Room
from leukemia.segmentation.field import open_field
from leukemia.settings import DECODING_BYTES, MAX_PIXELS
from tests.support.pictures import ellipse, encoded


def test_what_is_lent_never_exceeds_the_room_and_comes_back():
    room, lent, most = Room(100), 0, 0
    guard = threading.Lock()

    def use(size):
        nonlocal lent, most
        with room.of(size):
            with guard:
                lent += min(size, 100)
                most = max(most, lent)
            time.sleep(0.001)
            with guard:
                lent -= min(size, 100)

    threads = [threading.Thread(target=use, args=(size,)) for size in (30, 60, 100, 250, 0, 70) * 20]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert 60 < most <= 100
    with room.of(100):
        pass


def test_who_needs_much_is_not_passed_by_for_ever():
    room, order = Room(100), []
    first = room.of(60)
    first.__enter__()

    def use(name, size):
        with room.of(size):
            order.append(name)

    threads = []
    for name, size in (("large", 90), ("small", 10)):
        threads.append(threading.Thread(target=use, args=(name, size)))
        threads[-1].start()
        until = time.monotonic() + 30
        while len(room._queue) < len(threads) and time.monotonic() < until:
            time.sleep(0.001)
    first.__exit__(None, None, None)
    for thread in threads:
        thread.join(30)
    assert order == ["large", "small"]


def test_an_error_gives_its_room_back():
    room = Room(10)
    for _ in range(3):
        with pytest.raises(ValueError), room.of(10):
            raise ValueError


def test_what_a_file_needs_is_told_by_its_header(tmp_path):
    frame = ellipse(200, area=9_000)
    tifffile.imwrite(tmp_path / "deep.tif", frame.astype(np.uint16) * 257, photometric="rgb")
    for data in (encoded(frame), encoded(frame, "PNG"), (tmp_path / "deep.tif").read_bytes()):
        assert memory.needed(data) == 200 * 200 * PER_PIXEL
    assert memory.needed(b"no picture") == memory.needed(b"II*\0" + bytes(9)) == 0
    assert MAX_PIXELS * PER_PIXEL <= DECODING_BYTES


def test_a_field_is_reckoned_with_all_its_pixels(monkeypatch):
    out = io.BytesIO()
    Image.new("1", (6_000, 5_000)).save(out, "PNG")
    data = out.getvalue()
    assert memory.needed(data, FIELD) == 30_000_000 * PER_PIXEL
    assert memory.needed(data) == MAX_PIXELS * PER_PIXEL
    asked = []
    monkeypatch.setattr(memory._ROOM, "of", lambda size: asked.append(size) or contextlib.nullcontext())
    open_field(data)
    assert asked == [30_000_000 * PER_PIXEL]
