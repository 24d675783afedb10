"""What is told of a file's compression."""

import io

import pytest
from PIL import Image

from leukemia.imaging import loss, reader, validate
from leukemia.imaging.loss import Loss
from tests.support.cases import case
from tests.support.pictures import ellipse, encoded


def lost(kind, **options):
    return reader.open_picture(encoded(ellipse(), kind, **options)).loss


@pytest.mark.parametrize("quality", [1, 10, 24, 25, 49, 50, 51, 74, 75, 90, 95, 100])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_a_jpeg_tells_its_quality_and_subsampling(quality, subsampling):
    assert lost("JPEG", quality=quality, subsampling=subsampling) == Loss("JPEG", quality, subsampling)


def test_the_coarser_of_two_tables_counts():
    fine, coarse = (
        Image.open(io.BytesIO(encoded(ellipse(), "JPEG", quality=q))).quantization for q in (95, 40)
    )
    assert lost("JPEG", qtables=[fine[0], coarse[1]]).quality == 40


def test_tables_of_another_maker_get_the_nearest_quality():
    flat = [[16] * 64, [16] * 64]
    assert 80 <= lost("JPEG", qtables=flat).quality <= 95


def test_a_grey_jpeg_has_no_subsampling():
    out = io.BytesIO()
    Image.fromarray(ellipse()).convert("L").save(out, "JPEG", quality=80)
    assert reader.open_picture(out.getvalue()).loss == Loss("JPEG", 80)


def test_webp_tells_exact_from_lossy():
    assert lost("WEBP", lossless=True) is None
    assert lost("WEBP", quality=90) == Loss("lossy WebP")
    # With metadata, and so with further chunks before the picture's.
    exif = Image.Exif()
    exif[0x010E] = "odd"
    assert lost("WEBP", quality=90, exif=exif) == Loss("lossy WebP")
    assert lost("WEBP", lossless=True, exif=exif) is None


def test_a_tiff_tells_jpeg_within():
    assert lost("TIFF", compression="jpeg") == Loss("JPEG-compressed TIFF")
    assert lost("TIFF", compression="tiff_lzw") is None


@pytest.mark.parametrize("kind", ["BMP", "PNG", "TIFF"])
def test_exact_files_need_no_word(kind):
    assert lost(kind) is None
    assert validate.open_cell(encoded(ellipse(), kind)).note == ""


def test_the_note_says_where_the_quality_is_too_low():
    assert Loss("JPEG", 90, "4:2:0").note == "JPEG, quality 90, 4:2:0"
    assert Loss("JPEG", 75, "4:4:4").note == "JPEG, quality 75, 4:4:4"
    assert Loss("JPEG", 74, "4:2:0").note == "JPEG, quality 74, 4:2:0; low quality: the answer may be off"
    assert Loss("lossy WebP").note == "lossy WebP"
    cell = validate.open_cell(encoded(ellipse(), "JPEG", quality=50, subsampling="4:2:0"))
    assert cell.note == f"JPEG, quality 50, 4:2:0; {loss.LOW}"


@pytest.mark.parametrize(("suffix", "quality"), [("q90", 90), ("q95", 95)])
@pytest.mark.parametrize("name", ["UID_2_10_1_all", "UID_5_34_1_all"])
def test_real_cells_saved_as_jpeg_say_so(name, suffix, quality):
    folder = case("01-jpeg-moves-answer")
    cell = validate.open_cell((folder / f"{name}-{suffix}.jpg").read_bytes())
    assert cell.note == f"JPEG, quality {quality}, 4:2:0"
    assert validate.open_cell((folder / f"{name}.png").read_bytes()).note == ""
