"""TIFF as microscopes, ImageJ and Photoshop write it: read exactly, or refused for the true reason."""

import io
import struct
import time
import tracemalloc

import numpy as np
import pytest
import tifffile
from PIL import Image

from leukemia.errors import ImageError
from leukemia.imaging import reader, tiff, validate
from leukemia.imaging.cell import measure_cell
from leukemia.imaging.limits import FIELD
from leukemia.segmentation.field import open_field
from tests.support.cases import case
from tests.support.pictures import ellipse

CELL = ellipse(450, 30_000, colour=(150, 90, 170))
CELL[200:240, 210:250] = (60, 20, 110)
DEEP = CELL.astype(np.uint16) * 257


def written(*pages, **options):
    out = io.BytesIO()
    with tifffile.TiffWriter(out, **options) as file:
        for samples, how in pages:
            file.write(samples, **how)
    return out.getvalue()


def planes(samples):
    return np.ascontiguousarray(np.moveaxis(samples, -1, 0))


RGB = {"photometric": "rgb"}
GREY = {"photometric": "minisblack", "metadata": None}


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("predictor", [False, True])
@pytest.mark.parametrize(("samples", "planar"), [(CELL, 0), (CELL, 1), (DEEP, 0), (DEEP, 1)])
def test_planes_and_depths_are_the_cell_itself(compression, predictor, samples, planar):
    if predictor and not compression:
        pytest.skip("a predictor needs a compression")
    how = RGB | {"compression": compression, "predictor": predictor or None, "rowsperstrip": 100}
    if planar:
        how |= {"planarconfig": "separate"}
    data = written((planes(samples) if planar else samples, how))
    assert np.array_equal(reader.decode(data), CELL)


def test_big_endian_bigtiff_tiles_are_the_cell_itself():
    data = written((DEEP, RGB | {"tile": (64, 64)}), bigtiff=True, byteorder=">")
    assert np.array_equal(reader.decode(data), CELL)


def test_opacity_of_sixteen_bits_stands_on_black():
    opaque = (CELL.max(axis=2, keepdims=True) > 0).astype(np.uint16) * 65_535
    pixels = np.concatenate([np.maximum(DEEP, 1 - opaque), opaque], axis=2)
    pixels[opaque[..., 0] == 0, :3] = 65_535
    data = written((pixels, RGB | {"extrasamples": ["unassalpha"]}))
    assert np.array_equal(reader.decode(data), CELL)


def test_a_cell_of_twelve_bits_is_answered_with_a_word_about_it():
    cell = validate.open_cell(written((CELL.astype(np.uint16) << 4, RGB)))
    assert np.array_equal(cell.pixels, CELL)
    assert "12-bit" in cell.note


def test_a_recorded_depth_needs_no_word():
    data = written((CELL.astype(np.uint16) << 4, RGB | {"extratags": [(281, 3, 3, (4095,) * 3, True)]}))
    assert reader.open_picture(data).note == ""
    assert np.array_equal(reader.decode(data), CELL)


def test_deep_tiffs_record_their_scale_and_orientation_too():
    how = RGB | {"resolution": (1e4 / 0.07, 1e4 / 0.07), "resolutionunit": "CENTIMETER"}
    picture = reader.open_picture(written((DEEP[:300], how | {"extratags": [(274, 3, 1, 6, True)]})))
    assert picture.pixel_size == pytest.approx(0.07, rel=1e-3)
    assert picture.pixels.shape == (450, 300, 3)


@pytest.mark.parametrize("how", [{}, {"tile": (256, 256)}, {"planarconfig": "separate"}])
@pytest.mark.parametrize("bits", [12, 16])
def test_deep_pictures_are_never_in_memory_whole(how, bits):
    side = 2_000
    samples = np.zeros((side, side, 3), np.uint16)
    samples[::7, ::5] = 200
    samples[-1, -1] = (1 << bits) - 1  # only the last part tells the depth
    stored = planes(samples) if "planarconfig" in how else samples
    data = written((stored, RGB | how | {"compression": "zlib"}))
    del stored
    expected = (samples >> (bits - 8)).astype(np.uint8)
    tracemalloc.start()
    try:
        picture = tiff.read(data, FIELD)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.array_equal(np.asarray(picture.image), expected)
    # The levels and a few parts: whole, the samples alone are twice as much.
    assert most < 1.8 * expected.nbytes


OME = {"axes": "YXS", "PhysicalSizeX": 0.11, "PhysicalSizeY": 0.11, "PhysicalSizeXUnit": "µm"}


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"compression": "zlib"},
        {"compression": "lzw"},
        {"compression": "zlib", "tile": (64, 64)},
        # Its description goes before what the tags say, as in deep files.
        {"resolution": (72, 72), "resolutionunit": "INCH"},
        {"resolution": (1e4 / 0.07, 1e4 / 0.07), "resolutionunit": "CENTIMETER"},
    ],
)
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("samples", [CELL, DEEP])
def test_the_scale_of_an_ome_tiff_is_read(how, big, samples):
    data = written((samples, RGB | how | {"metadata": OME}), ome=True, bigtiff=big)
    picture = reader.open_picture(data)
    assert np.array_equal(picture.pixels, CELL)
    assert picture.pixel_size == open_field(data).pixel_size == pytest.approx(0.11)
    cell = validate.open_cell(data, pixel_size=0.11)
    assert cell.pixels.shape == CELL.shape and "0.11 µm" in cell.note


@pytest.mark.parametrize("samples", [CELL, DEEP])
def test_what_another_page_or_an_impossible_scale_says_does_not_count(samples):
    whole = written((samples, RGB | {"metadata": OME}), ome=True)
    with tifffile.TiffFile(io.BytesIO(whole)) as file:
        said = file.pages[0].description.encode()
    small = (samples[::9, ::9], RGB | {"subfiletype": 1, "description": said, "metadata": None})
    how = RGB | {"metadata": None}
    for pages in (((samples, how), small), (small, (samples, how))):
        assert reader.open_picture(written(*pages)).pixel_size is None
    for size in (b"0.11", b"264.583"):
        data = written((samples, how | {"description": said.replace(b"0.11", size)}))
        assert reader.open_picture(data).pixel_size == (0.11 if size == b"0.11" else None)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_channels_that_are_pages_are_one_picture(depth):
    stack = planes(CELL if depth is np.uint8 else DEEP)
    ome = {"axes": "CYX", "PhysicalSizeX": 0.06, "PhysicalSizeY": 0.06, "PhysicalSizeXUnit": "µm"}
    for data in (
        written((stack, {"photometric": "minisblack", "metadata": {"axes": "CYX"}}), imagej=True),
        written((stack, {"photometric": "minisblack", "metadata": ome}), ome=True),
    ):
        assert np.array_equal(reader.decode(data), CELL)
    assert reader.open_picture(data).pixel_size == pytest.approx(0.06)


def test_channels_in_other_colours_go_where_they_are_shown_or_are_refused():
    def composite(*colours):
        tables = [np.outer(colour, np.arange(256)).astype(np.uint8) for colour in colours]
        how = {"photometric": "minisblack", "metadata": {"axes": "CYX", "LUTs": tables}}
        return written((planes(CELL)[[2, 1, 0]], how), imagej=True)

    red, green, blue, yellow = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0)
    assert np.array_equal(reader.decode(composite(blue, green, red)), CELL)
    with pytest.raises(ImageError, match="not red, green and blue"):
        reader.decode(composite(blue, green, yellow))


def test_a_thumbnail_is_no_second_picture():
    small = (CELL[::9, ::9], RGB | {"subfiletype": 1})
    for pages in (((CELL, RGB), small), (small, (CELL, RGB)), (small, (DEEP, RGB))):
        assert np.array_equal(reader.decode(written(*pages)), CELL)


@pytest.mark.parametrize("first", [CELL, planes(CELL)[0]])
def test_two_cells_are_two_pictures(first):
    how = {"photometric": "rgb" if first.ndim == 3 else "minisblack", "metadata": None}
    with pytest.raises(ImageError, match="contains 2 images"):
        reader.decode(written((first, how), (first.copy(), how)))


def test_pages_without_number_are_not_counted():
    page = struct.pack("<HHHIIHHIII", 2, 256, 3, 1, 1, 257, 3, 1, 1, 0)
    pages = b"".join(page[:-4] + struct.pack("<I", 8 + (number + 1) * len(page)) for number in range(600_000))
    started = time.monotonic()
    with pytest.raises(ImageError, match="more than 8 images"):
        reader.decode(b"II*\0" + struct.pack("<I", 8) + pages)
    endless = b"II*\0" + struct.pack("<I", 8) + page[:-4] + struct.pack("<I", 8)
    with pytest.raises(ImageError, match="more than 8 images"):
        reader.decode(endless)
    assert time.monotonic() - started < 5


def test_grey_and_other_kinds_are_refused_for_what_they_are():
    with pytest.raises(ImageError, match="greyscale"):
        reader.decode(written((DEEP[..., 0], GREY)))
    cmyk = np.dstack([DEEP, DEEP[..., :1]])
    with pytest.raises(ImageError, match=r"SEPARATED.*RGB TIFF or PNG"):
        reader.decode(written((cmyk, {"photometric": "separated"})))


def test_a_huge_frame_is_refused_before_it_is_decoded():
    huge = bytearray(written((DEEP, RGB)))
    height = [struct.pack("<HHIHH", 257, 3, 1, 450, 0), struct.pack("<HHII", 257, 4, 1, 450)]
    (at,) = (huge.index(tag) for tag in height if tag in huge)
    huge[at : at + 12] = struct.pack("<HHII", 257, 4, 1, 60_000)
    with pytest.raises(ImageError, match="too large"):
        reader.decode(bytes(huge))


def test_a_picture_without_a_row_is_damaged():
    empty = bytearray(written((DEEP, RGB | {"compression": "zlib"})))
    at = empty.index(struct.pack("<HHI", 257, 4, 1))
    empty[at + 8 : at + 12] = bytes(4)
    with pytest.raises(ImageError, match="damaged or incomplete"):
        reader.decode(bytes(empty))


@pytest.mark.parametrize("bits", [8, 16])
def test_a_picture_in_a_hundred_thousand_parts_is_refused_at_once(bits):
    parts = 100_000
    tags = [(256, 4, 1, 5_000), (257, 4, 1, 5_000), (258, 3, 1, bits), (262, 3, 1, 2), (277, 3, 1, 3)]
    tags += [(322, 4, 1, 16), (323, 4, 1, 16), (324, 4, parts, 8), (325, 4, parts, 8)]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    data = b"II*\0" + struct.pack("<I", 8 + 4 * parts) + struct.pack("<I", 8) * parts + directory
    with pytest.raises(ImageError, match="too many parts"):
        reader.decode(data)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planar", [False, True])
def test_what_is_cut_off_is_not_filled_with_black(compression, planar):
    noise = np.random.default_rng(1).integers(0, 65_535, (200, 200, 3), np.uint16)
    how = RGB | {"compression": compression, "rowsperstrip": 50}
    if planar:
        noise, how = planes(noise), how | {"planarconfig": "separate"}
    data = written((noise, how))
    for share in (0.99, 0.6, 0.2):
        with pytest.raises(ImageError, match="damaged or incomplete"):
            reader.decode(data[: int(len(data) * share)])


def test_what_is_inside_a_tiff_is_read_and_its_loss_told():
    lossless = written((CELL, RGB | {"compression": "webp", "compressionargs": {"lossless": True}}))
    assert np.array_equal(reader.decode(lossless), CELL)
    assert reader.open_picture(lossless).loss is None
    lossy = written(
        (CELL, RGB | {"compression": "webp", "compressionargs": {"level": 60, "lossless": False}})
    )
    assert str(reader.open_picture(lossy).loss) == "lossy WebP in TIFF"
    wavelets = written((CELL, RGB | {"compression": "jpeg2000"}))
    assert "JPEG 2000" in reader.open_picture(wavelets).loss.note


def test_plain_tiffs_are_read_as_before():
    for options in ({}, {"compression": "tiff_lzw"}, {"compression": "packbits"}):
        out = io.BytesIO()
        Image.fromarray(CELL).save(out, "TIFF", **options)
        assert np.array_equal(reader.decode(out.getvalue()), CELL)
    palette = Image.fromarray(CELL).quantize(16)
    out = io.BytesIO()
    palette.save(out, "TIFF")
    assert np.array_equal(reader.decode(out.getvalue()), np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize(
    ("folder", "names", "same"),
    [
        ("09-planar-16bit", ("planar16.tif", "planar16-deflate.tif"), "same.png"),
        ("10-several-pictures", ("composite.tif", "planes.ome.tif", "thumbnail.tif"), ""),
        (
            "11-bit-depth-and-odd-tiff",
            ("alpha0.bmp", "float.tif", "jp2k-in.tif", "twelve.tif", "webp-in.tif"),
            "",
        ),
    ],
)
def test_real_cells_in_odd_files_are_the_same_cells(folder, names, same):
    folder = case(folder)
    whole = folder / same if same else case("14-apple-double") / "cell.png"
    expected = measure_cell(reader.decode(whole.read_bytes())).image_id
    for name in names:
        assert measure_cell(reader.decode((folder / name).read_bytes())).image_id == expected, name
