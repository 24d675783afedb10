"""Why a picture is unlike the cells that were learned: the reason is what was done to it."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from leukemia.dataset.synthetic import sample_writer
from leukemia.imaging import appearance
from leukemia.imaging.cell import crop_cell, measure_cell
from leukemia.imaging.loss import Loss
from tests.support.cases import case


@pytest.fixture(scope="module", params=["ALL", "Normal"])
def cell(request):
    """A drawn cell within the ranges of the real ones; many drawings are too smooth."""
    rng = np.random.default_rng(3)
    drawings = (measure_cell(sample_writer.draw_cell(rng, request.param)) for _ in range(100))
    return next(one for one in drawings if 20_000 < one.area < 40_000 and not reasons(one.pixels))


def reasons(pixels, loss=None):
    changed = measure_cell(np.asarray(pixels))
    return appearance.reasons(crop_cell(changed, 256), changed.area, loss)


@pytest.mark.parametrize(
    "path", ["01-jpeg-moves-answer/UID_2_10_1_all", "02-resized-frames/UID_4_5_3_all-450"]
)
@pytest.mark.parametrize("quality", [None, 95, 85])
def test_a_real_cell_has_no_reason_as_it_is_or_as_a_good_jpeg(path, quality):
    folder, name = path.split("/")
    picture = Image.open(case(folder) / f"{name}.png").convert("RGB")
    if quality:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality)
        picture = Image.open(out).convert("RGB")
    assert reasons(picture) == []


@pytest.mark.parametrize("radius", [2, 4])
def test_blurred(cell, radius):
    assert (
        reasons(Image.fromarray(cell.pixels).filter(ImageFilter.GaussianBlur(radius)))[0]
        == appearance.BLURRED
    )


def test_blurred_or_compressed_cannot_be_told_apart_in_a_lossy_file(cell):
    soft = Image.fromarray(cell.pixels).filter(ImageFilter.GaussianBlur(4))
    said = "the image is blurred, or its detail was lost in compression (JPEG, quality 80, 4:2:0)"
    assert said in reasons(soft, Loss("JPEG", 80, "4:2:0"))
    assert appearance.BLURRED in reasons(soft, Loss("JPEG", 20, "4:2:0"))


def test_grainy(cell):
    noise = np.random.default_rng(0).normal(0, 12, cell.pixels.shape[:2])[..., None]
    grainy = np.where(cell.pixels > 0, (cell.pixels + noise).clip(1, 255), 0).astype(np.uint8)
    assert reasons(grainy)[0] == appearance.GRAINY


@pytest.mark.parametrize("gains", [(1.6, 0.9, 0.6), (0.5, 1.2, 1.0), (2.0, 2.0, 2.0)])
def test_tinted(cell, gains):
    assert reasons((cell.pixels * np.array(gains)).clip(0, 255).astype(np.uint8))[0] == appearance.STAIN


@pytest.mark.parametrize(("times", "said"), [(0.5, appearance.SMALL), (1.8, appearance.LARGE)])
def test_another_size(cell, times, said):
    side = round(450 * times)
    resized = np.asarray(Image.fromarray(cell.pixels).resize((side, side), Image.Resampling.BICUBIC))
    assert said in reasons(resized)


def test_half_the_size_is_the_first_reason(cell):
    half = Image.fromarray(cell.pixels).resize((225, 225), Image.Resampling.BICUBIC)
    assert reasons(half)[0] == appearance.SMALL


def test_lossy(cell):
    out = io.BytesIO()
    Image.fromarray(cell.pixels).save(out, "JPEG", quality=20)
    found = reasons(Image.open(out).convert("RGB"), Loss("JPEG", 20, "4:2:0"))
    assert found[0] == "the file is heavily compressed (JPEG, quality 20, 4:2:0)"


def test_where_nothing_else_is_found_the_loss_may_be_the_reason(cell):
    perhaps = "perhaps because the file is compressed with loss ({})"
    assert reasons(cell.pixels, Loss("JPEG", 75, "4:2:0")) == [perhaps.format("JPEG, quality 75, 4:2:0")]
    assert reasons(cell.pixels, Loss("lossy WebP")) == [perhaps.format("lossy WebP")]


def test_the_farthest_out_comes_first(cell):
    blurred = np.asarray(Image.fromarray(cell.pixels).filter(ImageFilter.GaussianBlur(4)))
    both = (blurred * np.array((2.6, 2.6, 0.4))).clip(0, 255).astype(np.uint8)
    assert set(reasons(both)) >= {appearance.STAIN}
    assert reasons(both)[0] == appearance.STAIN


def test_a_crop_without_a_cell_is_measured_all_the_same():
    assert appearance.reasons(np.zeros((64, 64, 3), np.uint8), 0, None)[0] in (
        appearance.BLURRED,
        appearance.SMALL,
        appearance.STAIN,
    )
