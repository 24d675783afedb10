"""How much memory pictures may take while they are decoded, whoever asks: many people at once, too."""

import contextlib
import io
import threading
from collections import deque
from collections.abc import Iterator

from PIL import Image

from leukemia.imaging import dicom, tiff
from leukemia.imaging.limits import CELL, Limits
from leukemia.imaging.reader import FORMATS
from leukemia.settings import DECODING_BYTES

# Bytes that a pixel takes at the most, with the copies that are made of it. Measured with frames of 25
# million pixels: 10 for RGB, 26 for RGBA, 30 for floats.
PER_PIXEL = 32


class Room:
    """Bytes that are lent for a while; whoever asks first has them first.

    Parameters
    ----------
    size : int
        Bytes in all. Who needs more waits until all are free.
    """

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()

    @contextlib.contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Have ``size`` bytes for as long as the context lasts; not to be asked for twice by one thread."""
        size, ticket = min(size, self._size), object()
        with self._changed:
            self._queue.append(ticket)
            try:
                self._changed.wait_for(lambda: self._queue[0] is ticket and self._free >= size)
                self._free -= size
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()


_ROOM = Room(DECODING_BYTES)


def room_for(data: bytes, limits: Limits = CELL) -> contextlib.AbstractContextManager[None]:
    """Wait until there is memory to decode a file and to cut its cell out, and have it until then."""
    return _ROOM.of(needed(data, limits))


def needed(data: bytes, limits: Limits = CELL) -> int:
    """Bytes that it takes at the most to decode a file; 0 for one that will be refused unread."""
    try:
        if dicom.is_dicom(data):
            pixels = dicom.pixels(data)
        elif tiff.is_tiff(data):
            pixels = tiff.pixels(data)
        else:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                pixels = image.width * image.height
    except Exception:  # decoders raise many kinds of error on damaged headers; the reader says what is wrong
        return 0
    return min(pixels, limits.pixels) * PER_PIXEL
