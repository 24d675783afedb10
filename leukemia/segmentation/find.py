"""White cells, red cells and platelets of a field: where each is, and how sure the network is of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from leukemia.segmentation import boxes, tiles
from leukemia.segmentation.boxes import Boxes
from leukemia.segmentation.field import Field
from leukemia.segmentation.network import FINE, PIXEL_SIZE, Network

# Pixels of the working scale within which a box that ends at the field's edge is cut by it.
AT_EDGE = 2.0
# Micrometres across under which what no edge cuts is a large platelet, and no white cell. In the fields held
# out of the training the smallest white cell has 7.7.
SMALLEST = 5.5


@dataclass(frozen=True)
class Found:
    """What is in a field, in its pixels.

    Attributes
    ----------
    white, red, platelets : Boxes
    pixel_size : float
        Micrometres per pixel at which it was read.
    likely : numpy.ndarray
        uint8, the whole field at half the working scale: 255 where a pixel surely belongs to a white cell.
    """

    white: Boxes
    red: Boxes
    platelets: Boxes
    pixel_size: float
    likely: np.ndarray

    @property
    def times(self) -> float:
        """Pixels of :attr:`likely` for one of the field."""
        return self.pixel_size / PIXEL_SIZE / FINE


def find(
    field: Field,
    network: Network,
    pixel_size: float,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> Found:
    """Find the cells of a field, tile by tile.

    Parameters
    ----------
    field : Field
    network : Network
    pixel_size : float
        Micrometres per pixel; see :mod:`leukemia.segmentation.scale`.
    progress : callable, optional
        Called with the tiles done, all tiles, and what is being done.
    """
    times = pixel_size / PIXEL_SIZE
    width, height = (max(1, round(side * times)) for side in (field.width, field.height))
    across, down = field.width / width, field.height / height
    likely = np.zeros((-(-height // FINE), -(-width // FINE)), np.uint8)
    cells: tuple[list[Boxes], ...] = ([], [], [])
    plan = list(tiles.cover(width, height))
    for done, tile in enumerate(plan):
        progress(done, len(plan), "Finding cells")
        box = tile.left * across, tile.top * down, tile.right * across, tile.bottom * down
        size = tile.right - tile.left, tile.bottom - tile.top
        maps = network.maps(field.part((*box[:2], min(box[2], field.width), min(box[3], field.height)), size))
        left, top, right, bottom = tile.core
        for kind, kept in enumerate(cells):
            own = boxes.apart(boxes.peaks(maps, kind)).moved(tile.left, tile.top)
            x, y = own.middles.T
            kept.append(own.where((x >= left) & (x < right) & (y >= top) & (y < bottom)))
        rows, columns = (slice(a // FINE, -(-b // FINE)) for a, b in ((top, bottom), (left, right)))
        inner = maps.white[rows.start - tile.top // FINE :, columns.start - tile.left // FINE :]
        target = likely[rows, columns]
        target[:] = np.uint8(inner[: target.shape[0], : target.shape[1]] * 255 + 0.5)
    white, red, platelets = (
        boxes.apart(boxes.joined(kept)).clipped(width, height).scaled(across, down) for kept in cells
    )
    large = white.diameters * pixel_size >= SMALLEST
    white = white.where(large | at_edge(white, field, pixel_size))
    return Found(white, red, platelets, pixel_size, likely)


def at_edge(found: Boxes, field: Field, pixel_size: float) -> np.ndarray:
    """Whether the field's edge cuts each cell: bool, shape (n,)."""
    near = AT_EDGE * PIXEL_SIZE / pixel_size
    left, top, right, bottom = found.sides.T
    return (left <= near) | (top <= near) | (right >= field.width - near) | (bottom >= field.height - near)
