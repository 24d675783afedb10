"""Whole slides: pyramids of tiles, of which parts are read without the rest.

What a file says of itself (which of its pictures is the slide, its levels, its scale) is told by TiffSlide.
Tiles are decoded one at a time: a damaged one costs itself and no other. Labels and overviews of the glass
are never read.
"""

import mmap
import threading
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leukemia.errors import ImageError
from leukemia.imaging import planes, scale, tiff
from leukemia.imaging.limits import FIELD
from leukemia.imaging.loss import Loss
from leukemia.imaging.reader import SUFFIXES
from leukemia.settings import MAX_PIXELS

if TYPE_CHECKING:
    from tifffile import TiffPage
    from tiffslide import TiffSlide

# Of scanners' files that are TIFF within: Aperio, Leica, Hamamatsu, Ventana; and TIFF itself.
SCANNERS = (".svs", ".scn", ".ndpi", ".bif")
TIFF = (".tif", ".tiff")
ALL_SUFFIXES = (*SUFFIXES, *SCANNERS)
# Levels, labels and overviews that a file may hold.
MOST_PAGES = 100
# More than any slide has: 76 x 26 mm at 0.05 µm per pixel are 1.5 million by half a million.
MOST_SIDE = 2_000_000
KEPT = 64 * 1024**2  # bytes of decoded tiles
GLASS = 255  # of a tile that the scanner left out
JPEG_END = b"\xff\xd9"
COLOUR, YCBCR = 2, 6  # PhotometricInterpretation
NO_SLIDE = "The slide cannot be read: it is damaged or incomplete, or of a kind that is not supported."
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Level:
    """One size of a slide.

    Attributes
    ----------
    width, height : int
        In its own pixels.
    across, down : float
        Pixels of the slide at its finest for one of this level.
    """

    width: int
    height: int
    across: float
    down: float
    page: "TiffPage"


def is_slide(path: Path) -> bool:
    """Whether a file is a whole slide, and not a field: a scanner's own file, or a TIFF with levels of tiles.

    A TIFF in one level of tiles is one where it is larger than a field may be. What cannot be opened is none.
    """
    suffix = path.suffix.lower()
    if suffix in SCANNERS:
        return True
    if suffix not in TIFF:
        return False
    try:
        with _opened(path) as file:
            page = file.pages[0]
            large = (
                path.stat().st_size > FIELD.file_bytes or page.imagewidth * page.imagelength > FIELD.pixels
            )
            return page.is_tiled and (large or len(file.series[0].levels) > 1)
    except ImageError:
        return False
    except Exception:  # decoders raise many kinds of error on damaged headers
        return False


class Slide:
    """An open slide; a context manager. Safe to share between threads.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    width, height : int
        In pixels at its finest.
    pixel_size : float or None
        Micrometres per pixel, where the file records them.
    loss : Loss or None
        How it was compressed; None where that keeps every pixel.
    levels : tuple of Level
        The finest first.

    Raises
    ------
    ImageError
        Where it cannot be read, in a sentence.
    """

    def __init__(self, path: Path) -> None:
        self._slide = _open_slide(path)
        try:
            self.levels = _levels(self._slide)
            self.pixel_size = _pixel_size(self._slide)
        except Exception as error:
            self.close()
            if isinstance(error, ImageError):
                raise
            raise ImageError(NO_SLIDE) from error
        self.width, self.height = self.levels[0].width, self.levels[0].height
        kind = self.levels[0].page.compression
        kinds = ((tiff.JPEG, "JPEG"), (tiff.JPEG_2000, "JPEG 2000"), (tiff.WEBP, "WebP"))
        self.loss = next((Loss(f"{name}-compressed slide") for codes, name in kinds if kind in codes), None)
        self._lock = threading.Lock()
        self._tiles: OrderedDict[tuple[int, int], np.ndarray | None] = OrderedDict()
        self._bytes = 0

    def __enter__(self) -> "Slide":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._slide.close()

    def level_for(self, reduced: float) -> int:
        """The coarsest level that shows at least as much as a slide so many times reduced."""
        fine = [at for at, one in enumerate(self.levels) if max(one.across, one.down) <= reduced * 1.01]
        return max(fine, default=0)

    def read(self, level: int, box: Box) -> tuple[np.ndarray, list[Box]]:
        """Read a part of a level.

        Parameters
        ----------
        level : int
        box : tuple of int
            Left, top, right and bottom in pixels of the level, within it.

        Returns
        -------
        tuple of numpy.ndarray and list of tuple
            uint8 RGB, shape (bottom - top, right - left, 3); and the boxes of tiles that are damaged, in
            pixels of the level, which are shown as glass.
        """
        left, top, right, bottom = box
        pixels = np.full((bottom - top, right - left, 3), GLASS, np.uint8)
        damaged = []
        for index, (x, y, x1, y1) in _tiles_of(self.levels[level].page, box):
            with self._lock:
                tile = self._tile(level, index)
            if tile is None:
                damaged.append((x, y, min(x1, self.levels[level].width), min(y1, self.levels[level].height)))
                continue
            x1, y1 = min(x + tile.shape[1], right), min(y + tile.shape[0], bottom)
            to = np.s_[max(y, top) - top : y1 - top, max(x, left) - left : x1 - left]
            pixels[to] = tile[max(top - y, 0) : y1 - y, max(left - x, 0) : x1 - x]
        return pixels, damaged

    def _tile(self, level: int, index: int) -> np.ndarray | None:
        """A decoded tile, uint8 RGB; None where it is damaged."""
        key = level, index
        if key not in self._tiles:
            self._tiles[key] = tile = _decode(self.levels[level].page, index)
            self._bytes += 0 if tile is None else tile.nbytes
            while self._bytes > KEPT and len(self._tiles) > 1:
                _, old = self._tiles.popitem(last=False)
                self._bytes -= 0 if old is None else old.nbytes
        self._tiles.move_to_end(key)
        return self._tiles[key]


def _opened(path: Path) -> Any:
    """A TIFF whose pictures were counted before they are read; raises ImageError where they are too many."""
    from tifffile import TiffFile

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if not tiff.is_tiff(data):
            raise ImageError(NO_SLIDE)
        if len(list(islice(tiff.page_places(data), MOST_PAGES + 1))) > MOST_PAGES:
            raise ImageError(f"The file holds more than {MOST_PAGES} pictures: it is no slide.")
    return TiffFile(path)


def _open_slide(path: Path) -> "TiffSlide":
    from tiffslide import TiffSlide

    try:
        _opened(path).close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Never as an address, which could be one of another machine.
            slide = TiffSlide(path.resolve())
            slide.properties  # noqa: B018 - read now, and kept
        return slide
    except ImageError:
        raise
    except OSError as error:
        raise ImageError(f"The file cannot be read: {error.strerror or 'unknown reason'}.") from error
    except Exception as error:  # decoders raise many kinds of error on damaged headers
        raise ImageError(NO_SLIDE) from error


def _levels(slide: "TiffSlide") -> tuple[Level, ...]:
    told = slide.properties
    if (
        told.get("tiffslide.series-composition")
        and len(told["tiffslide.series-composition"].located_series) > 1
    ):
        raise ImageError("The file holds several scans. Save each as a slide of its own.")
    series = slide.ts_tifffile.series[told["tiffslide.series-index"]]
    pages = [level.pages[0] for level in series.levels]
    first = pages[0]
    if max(first.imagewidth, first.imagelength) > MOST_SIDE:
        raise ImageError("The slide is larger than any slide is: its size is not recorded correctly.")
    for page in pages:
        _check(page)
    sizes = [(page.imagewidth, page.imagelength) for page in pages]
    return tuple(
        Level(width, height, sizes[0][0] / width, sizes[0][1] / height, page)
        for (width, height), page in zip(sizes, pages, strict=True)
    )


def _check(page: "TiffPage") -> None:
    if page.bitspersample != 8:
        raise ImageError(f"The slide has {page.bitspersample} bits per channel. Save it with 8.")
    one_plane = page.planarconfig != tiff.SEPARATE and page.imagedepth == 1
    if page.photometric not in (COLOUR, YCBCR) or page.samplesperpixel not in (3, 4) or not one_plane:
        raise ImageError(
            "The slide is not in colour, or its colours are kept in a way that is not supported."
        )
    _, _, height, width = _shape(page)
    if height * width > MAX_PIXELS:
        raise ImageError("The slide is not cut into tiles. Save it as a tiled TIFF.")


def _pixel_size(slide: "TiffSlide") -> float | None:
    """Micrometres per pixel, where a microscope can have them; 72 dpi of a screen are none."""
    told = slide.properties
    sizes = [told.get(f"tiffslide.mpp-{axis}") for axis in "xy"]
    square = all(sizes) and abs(float(sizes[0]) - float(sizes[1])) <= scale.SQUARE * float(sizes[0])
    if square and (size := scale.plausible(float(sizes[0]))):
        return size
    channels = planes.ome(slide.ts_tifffile.pages[0].description, 1)
    return scale.plausible(channels.pixel_size) if channels else None


def _shape(page: "TiffPage") -> tuple[int, int, int, int]:
    """Tiles down and across, and height and width of one, in pixels; strips are tiles of the full width."""
    height, width = page.chunks[:2]
    return -(-page.imagelength // height), -(-page.imagewidth // width), height, width


def _tiles_of(page: "TiffPage", box: Box) -> Iterator[tuple[int, Box]]:
    """Index and place of each tile that a box meets."""
    _, columns, height, width = _shape(page)
    left, top, right, bottom = box
    for row in range(top // height, -(-bottom // height)):
        for column in range(left // width, -(-right // width)):
            x, y = column * width, row * height
            yield row * columns + column, (x, y, x + width, y + height)


def _decode(page: "TiffPage", index: int) -> np.ndarray | None:
    try:
        offset, count = page.dataoffsets[index], page.databytecounts[index]
        _, _, height, width = _shape(page)
        if not count:
            return np.full((height, width, 3), GLASS, np.uint8)
        file = page.parent.filehandle
        file.seek(offset)
        data = file.read(count)
        # A decoder of JPEG shows grey for what is missing, and says nothing. Hamamatsu's tiles are parts of
        # one JPEG, whose header is apart: they have no end of their own.
        whole = page.compression in tiff.JPEG and page.jpegheader is None
        cut_off = whole and not data.rstrip(b"\0").endswith(JPEG_END)
        if len(data) < count or cut_off:
            return None
        samples = page.decode(data, index, jpegtables=page.jpegtables, jpegheader=page.jpegheader)[0]
        return None if samples is None else np.ascontiguousarray(samples[0, ..., :3])
    except Exception:  # decoders raise many kinds of error on damaged bytes
        return None
