"""DICOM pictures of one frame: microscopic and other visible-light images [1]_, as archives keep them.

Only the tags that say how the pixels lie are read. Who the patient is stays in the file: it is neither parsed
nor shown, logged or kept. How large the picture is, in the header and in its compressed frame alike, is
checked before anything is decoded.

References
----------
.. [1] DICOM PS3.3 A.32 (visible light images), PS3.5 8.2 and annex G (compressed and run-length frames).
.. [2] ISO/IEC 15444-1, annexes A (codestream) and I (file format).
"""

import io
import logging
import re
import struct
import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from leukemia.errors import ImageError
from leukemia.imaging import loss, scale
from leukemia.imaging.limits import Limits
from leukemia.imaging.loss import Loss

if TYPE_CHECKING:
    from pydicom import Dataset

SUFFIXES = (".dcm", ".dicom")
PREAMBLE, MAGIC = 128, b"DICM"
# Kinds of object that hold one picture of stained cells, by their SOP class: VL Microscopic, VL
# Slide-Coordinates Microscopic and VL Photographic Image Storage.
ROOT = "1.2.840.10008.5.1.4.1.1.77.1."
PICTURES = (f"{ROOT}2", f"{ROOT}3", f"{ROOT}4")
WHOLE_SLIDE = f"{ROOT}6"
# Transfer syntaxes: how the pixels are written.
PLAIN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
JPEG = "1.2.840.10008.1.2.4.50"
JPEG_2000, JPEG_2000_LOSSY = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"
RLE = "1.2.840.10008.1.2.5"
READ = (*PLAIN, JPEG, JPEG_2000, JPEG_2000_LOSSY, RLE)
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
# All tags that are read.
TAGS = (
    "SOPClassUID",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "PlanarConfiguration",
    "PhotometricInterpretation",
    "PixelSpacing",
    "LossyImageCompression",
    "BurnedInAnnotation",
    "PixelData",
)
RLE_HEADER = 64
# A JPEG 2000 codestream [2]_: how it begins, and the segment that says how it is coded. Against PS3.5 A.4.4,
# a file's header may stand before it, and may say that colours are YCbCr.
CODESTREAM, CODING = b"\xff\x4f\xff\x51", b"\xff\x52"
SAYS_YCC = re.compile(rb"colr\x01..\x00\x00\x00\x12", re.DOTALL)

NO_PICTURE = "This DICOM file holds no microscopic or photographic picture."
OF_A_SLIDE = (
    "This DICOM file is a level of a whole slide. Save a field of it as a picture, or give the scanner's own "
    "file."
)
UNREAD_SYNTAX = (
    "The pixels of this DICOM file are compressed in a way that is not read here. Export it uncompressed, as "
    "JPEG (baseline), JPEG 2000 or RLE."
)
DAMAGED = "The image is damaged or incomplete. Export or copy it again."
BURNED_IN = "its header says that text is burned into the picture"
NO_COLOUR = "The picture has no colour. A stained cell or field is needed."
NOT_EIGHT_BITS = "This DICOM picture has not 8 bits per channel. Export it as 8-bit colour."


class Found(NamedTuple):
    """A decoded picture: uint8 RGB pixels (height, width, 3), and what its file says of it."""

    pixels: np.ndarray
    loss: Loss | None
    pixel_size: float | None
    note: str


def is_dicom(data: bytes) -> bool:
    """Whether a file is a DICOM file, by its beginning."""
    return data[PREAMBLE : PREAMBLE + len(MAGIC)] == MAGIC


def pixels(data: bytes) -> int:
    """How many pixels the picture of a file has, without decoding it."""
    header = _header(data)
    return int(header.get("Rows", 0)) * int(header.get("Columns", 0))


def read(data: bytes, limits: Limits) -> Found:
    """Decode the one picture of a DICOM file.

    Parameters
    ----------
    data : bytes
        The file.
    limits : Limits
        Checked before anything is decoded.

    Raises
    ------
    ImageError
        Where it holds another kind of object, several frames, no colour, a compression that is not read here,
        is over a limit, or damaged.
    """
    header = _header(data)
    syntax = str(header.file_meta.TransferSyntaxUID)
    _check(header, limits)
    size = int(header.Columns), int(header.Rows)
    lost = None
    if syntax in PLAIN:
        levels = _plain(header, size)
    else:
        frame = _frame(header)
        if syntax == RLE:
            levels = _run_lengths(frame, size)
        else:
            levels, lost = _by_pillow(frame, size, header)
    if syntax in (*PLAIN, RLE) and header.get("PhotometricInterpretation") != "RGB":
        levels = _from_ycc(levels)
    if syntax == JPEG_2000_LOSSY:
        lost = Loss("JPEG 2000")
    if lost is None and str(header.get("LossyImageCompression", "")) == "01":
        lost = Loss("lossy DICOM")
    burned = header.get("BurnedInAnnotation") == "YES"
    return Found(levels, lost, _pixel_size(header), BURNED_IN if burned else "")


def _header(data: bytes) -> "Dataset":
    """The tags that are read. A compressed header, which may grow without end, is refused unread."""
    import pydicom

    # What is odd in a header may be a name: nothing of it is told.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # It raises many kinds of error on damaged files.
        try:
            syntax = _syntax(data)
        except Exception:
            raise ImageError(DAMAGED) from None
        if syntax not in READ:
            raise ImageError(UNREAD_SYNTAX)
        try:
            return pydicom.dcmread(io.BytesIO(data), specific_tags=list(TAGS))
        except Exception:
            raise ImageError(DAMAGED) from None


def _syntax(data: bytes) -> object:
    """The UID of the transfer syntax, by which pydicom reads the rest; empty where none is named."""
    # As pydicom itself reads it: found in another way it might be another one, such as one in the preamble.
    from pydicom.filereader import _read_file_meta_info, read_preamble

    file = io.BytesIO(data)
    read_preamble(file, force=False)
    return _read_file_meta_info(file).get("TransferSyntaxUID", "")


def _check(header: "Dataset", limits: Limits) -> None:
    kind = str(header.get("SOPClassUID", ""))
    if kind == WHOLE_SLIDE:
        raise ImageError(OF_A_SLIDE)
    rows, columns = (int(header.get(name) or 0) for name in ("Rows", "Columns"))
    if kind not in PICTURES or "PixelData" not in header:
        raise ImageError(NO_PICTURE)
    if rows < 1 or columns < 1:
        raise ImageError(DAMAGED)
    frames = int(header.get("NumberOfFrames") or 1)
    if frames > 1:
        raise ImageError(f"The file contains {frames:,} images. Save each as a separate file.")
    limits.check(columns, rows)
    if header.get("SamplesPerPixel") != 3 or header.get("PhotometricInterpretation") not in COLOURS:
        raise ImageError(NO_COLOUR)
    if header.get("BitsAllocated") != 8:
        raise ImageError(NOT_EIGHT_BITS)


def _plain(header: "Dataset", size: tuple[int, int]) -> np.ndarray:
    width, height = size
    stored = np.frombuffer(header.PixelData, np.uint8)
    if header.get("PhotometricInterpretation") == "YBR_FULL_422":
        # Two pixels share their colour: Y1 Y2 Cb Cr (PS3.3 C.7.6.3.1.2).
        if width % 2:
            raise ImageError(DAMAGED)
        pairs = _enough(stored, 2 * width * height).reshape(height, width // 2, 4)
        light = pairs[..., :2].reshape(height, width, 1)
        return np.concatenate([light, pairs[..., 2:].repeat(2, axis=1)], axis=2)
    levels = _enough(stored, 3 * width * height)
    if header.get("PlanarConfiguration", 0) == 1:
        return np.ascontiguousarray(levels.reshape(3, height, width).transpose(1, 2, 0))
    return levels.reshape(height, width, 3)


def _enough(stored: np.ndarray, size: int) -> np.ndarray:
    if len(stored) < size:
        raise ImageError(DAMAGED)
    return stored[:size]


def _frame(header: "Dataset") -> bytes:
    """The one compressed frame, whose fragments may be several."""
    from pydicom.encaps import get_frame

    try:
        return get_frame(header.PixelData, 0, number_of_frames=1)
    except Exception:
        raise ImageError(DAMAGED) from None


def _run_lengths(frame: bytes, size: tuple[int, int]) -> np.ndarray:
    """Decode three planes, none of which may grow beyond the picture."""
    from imagecodecs import packbits_decode

    width, height = size
    if len(frame) < RLE_HEADER:
        raise ImageError(DAMAGED)
    count, *starts = struct.unpack("<16I", frame[:RLE_HEADER])
    if count != 3:
        raise ImageError(DAMAGED)
    ends = [*starts[1:3], len(frame)]
    planes = []
    for start, end in zip(starts[:3], ends, strict=True):
        plane = packbits_decode(frame[start:end], out=width * height + RLE_HEADER)
        planes.append(_enough(np.frombuffer(plane, np.uint8), width * height).reshape(height, width))
    return np.stack(planes, axis=2)


def _by_pillow(frame: bytes, size: tuple[int, int], header: "Dataset") -> tuple[np.ndarray, Loss | None]:
    with Image.open(io.BytesIO(frame), formats=("JPEG", "JPEG2000")) as image:
        # A frame that claims another size than the header is not decoded.
        if image.size != size or image.mode not in ("RGB", "YCbCr"):
            raise ImageError(DAMAGED)
        lost = loss.of_file(image, frame)
        if image.format == "JPEG" and header.get("PhotometricInterpretation") == "RGB":
            return _rgb_jpeg(image, frame), lost
        levels = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
        in_ycc = header.get("PhotometricInterpretation") in ("YBR_FULL", "YBR_FULL_422")
        if image.format == "JPEG2000" and in_ycc and _keeps_colours(frame):
            levels = _from_ycc(levels)
        return levels, lost


def _from_ycc(levels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(levels, "YCbCr").convert("RGB"))


def _keeps_colours(frame: bytes) -> bool:
    """Whether Pillow gives the components of a JPEG 2000 frame, which it has decoded, as they were encoded.

    It undoes a multiple component transform, and makes RGB by itself where colour has fewer pixels than light
    or the frame has a file's header that says YCbCr.
    """
    start = frame.find(CODESTREAM)
    across_and_down = frame[start + 46 : start + 48]
    if across_and_down != b"\1\1" or SAYS_YCC.search(frame[:start]):
        return False
    at = start + 2
    while frame[at : at + 2] != CODING:
        if at + 4 > len(frame):
            raise ImageError(DAMAGED)
        at += 2 + int.from_bytes(frame[at + 2 : at + 4])
    transformed = frame[at + 8 : at + 9]
    return transformed == b"\0"


def _rgb_jpeg(image: Image.Image, frame: bytes) -> np.ndarray:
    """A JPEG whose channels are RGB as the header says, where the frame itself does not say otherwise."""
    from imagecodecs import jpeg8_decode

    if "adobe_transform" in image.info or "jfif" in image.info:
        return np.asarray(image.convert("RGB"))
    return jpeg8_decode(frame, colorspace="RGB", outcolorspace="RGB")


def _pixel_size(header: "Dataset") -> float | None:
    """Micrometres per pixel, where pixels are square and of a size that a microscope has."""
    try:
        down, across = (1_000 * float(one) for one in header.PixelSpacing)
    except (AttributeError, TypeError, ValueError):
        return None
    # What is not a number fails every comparison.
    if not (across > 0 and abs(across - down) <= scale.SQUARE * across):
        return None
    return scale.plausible(across)
