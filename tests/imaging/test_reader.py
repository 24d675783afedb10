"""Bytes to pixels: formats, limits, and what is refused."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from leukemia.errors import ImageError
from leukemia.imaging import reader, validate
from leukemia.settings import MAX_FILE_BYTES
from tests.support.pictures import ellipse, encoded


def png_header(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


def test_channels_stay_in_order():
    pixels = reader.decode(encoded(ellipse(colour=(200, 90, 40))))
    assert pixels[225, 225].tolist() == [200, 90, 40]


def test_transparent_pixels_become_black():
    pixels = np.dstack([ellipse(), (ellipse().max(axis=2) > 0) * np.uint8(255)])
    pixels[pixels[..., 3] == 0, :3] = 255
    assert reader.decode(encoded(pixels, "PNG"))[0, 0].tolist() == [0, 0, 0]


def test_a_rotated_camera_picture_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = ellipse()[:300]
    assert reader.decode(encoded(wide, "JPEG", exif=exif)).shape == (450, 300, 3)


GOOD = encoded(ellipse())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"not an image at all", "Not a readable image"),
        (b"%PDF-1.7 " * 100, "Not a readable image"),
        (GOOD[: len(GOOD) // 2], "damaged or incomplete"),
        (encoded(ellipse(), "PNG")[:-900], "damaged or incomplete"),
        (encoded(ellipse(), "JPEG")[:-3000], "damaged or incomplete"),
        (GOOD[:40], "damaged or incomplete|Not a readable image"),
        (png_header(60_000, 60_000), "too large"),
        (png_header(60_000, 10), "too large"),
        (png_header(6_000, 6_000), "too large"),
        (GOOD + b"\0" * MAX_FILE_BYTES, "larger than 20 MB"),
    ],
)
def test_what_cannot_be_decoded_says_why(data, says):
    with pytest.raises(ImageError, match=says):
        validate.open_cell(data)


def test_gif_and_other_formats_are_not_read():
    with pytest.raises(ImageError, match="BMP, PNG, JPEG, TIFF, WebP or DICOM"):
        reader.decode(encoded(ellipse(), "GIF"))


def test_a_file_of_several_pictures_is_refused():
    out = io.BytesIO()
    page = Image.fromarray(ellipse(100, area=2_000))
    page.save(out, "TIFF", save_all=True, append_images=[page, page])
    with pytest.raises(ImageError, match="3 images"):
        reader.decode(out.getvalue())


def test_sixteen_bit_grey_is_refused():
    with pytest.raises(ImageError, match="8-bit colour"):
        reader.decode(encoded(np.zeros((50, 50), np.uint16), "PNG"))


@pytest.mark.parametrize("shift", [2, 4, 8])
def test_a_png_of_deep_samples_is_the_cell_itself(shift):
    deep = ellipse().astype(np.uint16) << shift
    opaque = np.full((*deep.shape[:2], 1), 65_535, np.uint16)
    picture = reader.open_picture(imagecodecs.png_encode(deep))
    assert np.array_equal(picture.pixels, ellipse())
    assert bool(picture.note) == (shift < 8)
    if shift == 8:
        clear = imagecodecs.png_encode(np.concatenate([deep, opaque], axis=2))
        assert np.array_equal(reader.decode(clear), ellipse())


def test_a_camera_s_preview_is_no_second_picture():
    def camera(*others):
        out = io.BytesIO()
        main = Image.fromarray(ellipse())
        main.save(out, "MPO", save_all=True, append_images=[Image.fromarray(one) for one in others])
        return out.getvalue()

    alone = reader.decode(encoded(ellipse(), "JPEG"))
    with_preview = camera(ellipse(100, area=2_000))
    assert np.array_equal(reader.decode(with_preview), alone)
    second = with_preview.index(b"\xff\xd8\xff", 3)
    for cut in (second, second + 20):
        assert np.array_equal(reader.decode(with_preview[:cut]), alone)
    with pytest.raises(ImageError, match="2 images"):
        reader.decode(camera(ellipse(area=20_000)))


@pytest.mark.parametrize("alpha", [0, 255])
def test_a_bmp_whose_fourth_byte_is_empty_is_opaque(alpha):
    data = encoded(np.dstack([ellipse(), np.full((450, 450), alpha, np.uint8)]), "BMP")
    # A V4 header whose masks name the fourth byte as opacity, as Windows writes it.
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    header = struct.pack("<I", 108) + data[18:30] + struct.pack("<I", 3) + data[34:54] + masks
    bmp = b"BM" + struct.pack("<IHHI", len(data) + 68, 0, 0, 14 + 108) + header + data[54:]
    assert np.array_equal(reader.decode(bmp), ellipse())


def test_read_refuses_a_huge_file_before_reading_it(tmp_path):
    path = tmp_path / "huge.bmp"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(ImageError, match="larger than 20 MB"):
        reader.read(path)


def test_read_says_when_a_file_is_not_there(tmp_path):
    with pytest.raises(ImageError, match="cannot be read: No such file"):
        reader.read(tmp_path / "gone.bmp")
