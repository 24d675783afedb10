import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from leukemia.errors import ImageError
from leukemia.imaging import reader, validate
from leukemia.imaging.cell import crop_cell, measure_cell


def ellipse(frame=450, area=30_000, at=None, colour=(150, 90, 170)):
    """A plain coloured disc on black: the least that counts as a cell."""
    y, x = np.mgrid[:frame, :frame]
    cy, cx = at or (frame // 2, frame // 2)
    disc = (y - cy) ** 2 + (x - cx) ** 2 <= area / np.pi
    return (disc[..., None] * np.array(colour)).astype(np.uint8)


def encoded(pixels, kind="BMP", **options):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def png_header(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


@pytest.mark.parametrize(
    ("kind", "options"), [("BMP", {}), ("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})]
)
def test_lossless_formats_give_the_same_pixels_and_identity(kind, options):
    pixels = ellipse()
    cell = validate.open_cell(encoded(pixels, kind, **options))
    assert np.array_equal(cell.pixels, pixels)
    assert cell.image_id == measure_cell(pixels).image_id


def test_channels_stay_in_order():
    pixels = reader.decode(encoded(ellipse(colour=(200, 90, 40))))
    assert pixels[225, 225].tolist() == [200, 90, 40]


def test_jpeg_is_read_as_a_cell():
    cell = validate.open_cell(encoded(ellipse(), "JPEG", quality=80))
    assert cell.area == pytest.approx(30_000, rel=0.05)


def test_identity_knows_the_shape():
    flat = np.arange(24 * 36 * 3, dtype=np.uint8)
    ids = {measure_cell(flat.reshape(shape)).image_id for shape in ((24, 36, 3), (36, 24, 3))}
    assert len(ids) == 2
    assert all(len(i) == len(hashlib.sha256().hexdigest()) for i in ids)


def test_measures_area_and_middle():
    cell = measure_cell(ellipse(area=20_000, at=(200, 260)))
    assert cell.area == pytest.approx(20_000, rel=0.01)
    assert cell.middle == pytest.approx((200, 260), abs=1)
    assert (cell.height, cell.width) == (450, 450)


@pytest.mark.parametrize("frame", [450, 600])
def test_crop_keeps_the_scale_whatever_the_frame(frame):
    crop = crop_cell(measure_cell(ellipse(frame, area=26_000)), 256)
    assert crop.shape == (256, 256, 3)
    assert np.count_nonzero(crop.max(axis=2)) == pytest.approx(26_000, rel=0.01)


def test_crops_of_both_frames_are_the_same_picture():
    small, large = (crop_cell(measure_cell(ellipse(f)), 256) for f in (450, 600))
    assert np.array_equal(small, large)


def test_crop_pads_with_black_beyond_the_frame():
    crop = crop_cell(measure_cell(ellipse(120, area=6_000)), 256)
    assert crop[:60].max() == 0
    assert np.count_nonzero(crop.max(axis=2)) == pytest.approx(6_000, rel=0.02)


def test_crop_follows_a_cell_off_the_middle_and_ignores_specks():
    pixels = ellipse(at=(150, 300))
    pixels[440:444, 5:9] = 255
    crop = crop_cell(measure_cell(pixels), 256)
    ys, xs = np.nonzero(crop.max(axis=2))
    assert (ys.mean(), xs.mean()) == pytest.approx((128, 128), abs=2)


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
        (GOOD + b"\0" * reader.MAX_FILE_BYTES, "larger than 20 MB"),
    ],
)
def test_what_cannot_be_decoded_says_why(data, says):
    with pytest.raises(ImageError, match=says):
        validate.open_cell(data)


def test_gif_and_other_formats_are_not_read():
    with pytest.raises(ImageError, match="BMP, PNG, JPEG, TIFF or WebP"):
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


def smear(rng):
    """Pink field with purple cells: what a photograph of a smear looks like."""
    field = rng.normal((220, 180, 200), 8, (480, 640, 3))
    for y, x in rng.integers(50, 430, (20, 2)):
        field[y - 15 : y + 15, x - 15 : x + 15] = (120, 70, 150)
    return field.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("pixels", "says"),
    [
        (np.zeros((450, 450, 3), np.uint8), "blank"),
        (np.full((450, 450, 3), 255, np.uint8), "blank"),
        (np.full((450, 450, 3), 90, np.uint8), "blank"),
        (smear(np.random.default_rng(0)), "background is not black"),
        (ellipse(area=400), "No cell on the black background is large enough"),
        (ellipse(900, area=300_000), "Larger than any single cell"),
        (ellipse(colour=(130, 130, 130)), "no colour"),
        (np.concatenate([ellipse(area=20_000)[:, 100:350]] * 2, axis=1), "More than one cell"),
        (np.zeros((1, 1, 3), np.uint8), "blank"),
    ],
)
def test_what_is_no_single_cell_says_so(pixels, says):
    with pytest.raises(ImageError, match=says):
        validate.open_cell(encoded(pixels, "PNG"))


def test_read_refuses_a_huge_file_before_reading_it(tmp_path):
    path = tmp_path / "huge.bmp"
    with path.open("wb") as file:
        file.truncate(reader.MAX_FILE_BYTES + 1)
    with pytest.raises(ImageError, match="larger than 20 MB"):
        reader.read(path)


def test_read_says_when_a_file_is_not_there(tmp_path):
    with pytest.raises(ImageError, match="cannot be read: No such file"):
        reader.read(tmp_path / "gone.bmp")


def test_a_speck_beside_a_cell_is_no_second_cell():
    pixels = ellipse(area=20_000)
    pixels[10:60, 10:60] = pixels[225, 225]
    assert validate.open_cell(encoded(pixels, "PNG")).area > 20_000
