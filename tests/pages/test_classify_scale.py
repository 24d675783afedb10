"""Classify asks for the scale of images that do not tell it, and says what is known of each picture."""

import io

import numpy as np
import pytest
from PIL import Image

from leukemia.imaging.scale import PIXEL_SIZE
from tests.support.app import press, said, widget
from tests.support.pictures import encoded

SIZE = round(PIXEL_SIZE * 450 / 256, 4)
QUESTION = "not classified: {} scale is unknown"


@pytest.fixture(scope="module")
def small(drawn):
    """Two drawn cells, the frame reduced to 256 pixels, as PNG files."""
    frames = [
        Image.fromarray(pixels).resize((256, 256), Image.Resampling.LANCZOS) for _, _, pixels in drawn[:2]
    ]
    return [(f"small {n}.png", encoded(np.asarray(frame), "PNG")) for n, frame in enumerate(frames)]


@pytest.fixture(scope="module")
def whole(drawn):
    return [("whole.png", encoded(drawn[0][2], "PNG"))]


def drop(app, files):
    return app.file_uploader[0].set_value([(name, data, "image/png") for name, data in files]).run()


def answers(app):
    return {result.answer.name: result.answer for result in app.session_state.batch.results}


def state(app, size):
    widget(app.number_input, "Micrometres per pixel").set_value(size)
    return press(app, "Use this scale")


def test_the_scale_is_asked_once_and_the_images_answered_without_a_second_upload(app, small, whole):
    page = drop(app(), [*small, *whole])
    assert QUESTION.format("their") in said(page)
    assert "2 images are not classified" in said(page)
    assert "2 not classified" in page.subheader[0].value
    assert said(page).count("the frame is 256 × 256 pixels") == 2
    page = state(page, SIZE)
    assert not page.exception
    text = said(page)
    assert QUESTION.format("their") not in text
    assert "0 not classified" in page.subheader[0].value
    assert text.count(f"scale: {SIZE:.3g} µm per pixel, as stated, resampled by 1.76</p>") == 2
    found = answers(page)
    assert found["whole.png"].note == ""
    assert found["small 0.png"].probability == pytest.approx(found["whole.png"].probability, abs=0.05)


def test_what_was_stated_is_remembered_also_after_clear_until_it_is_taken_back(app, small):
    page = state(drop(app(), small[:1]), SIZE)
    page = drop(press(page, "Clear"), small[1:])
    assert "0 not classified" in page.subheader[0].value
    assert answers(page)["small 1.png"].note.startswith("scale: ")
    page = press(page, "Back to automatic")
    page = drop(press(page, "Clear"), small[1:])
    assert "1 image is not classified: its scale is unknown" in said(page)


def test_what_is_stated_on_classify_is_not_said_to_apply_in_a_case(app, small):
    text = said(drop(app(), small[:1]))
    assert "every image that you add here in this session" in text
    assert "Classify and each case ask for their own." in text


def test_frames_may_be_stated_to_be_native(app, small):
    page = press(drop(app(), small), "They are native C-NMC frames")
    assert said(page).count("scale: native, as stated; the cell is unusually small (check the scale)") == 2


def test_a_press_without_a_number_asks_for_it(app, small):
    page = press(drop(app(), small), "Use this scale")
    assert "Enter the micrometres of one pixel first." in said(page)
    assert QUESTION.format("their") in said(page)


def test_sample_cells_are_not_asked_about(app):
    page = press(app(), "Try sample cells")
    assert "scale is unknown" not in said(page)
    assert all(not answer.note for answer in answers(page).values())


def test_a_lossy_file_says_so_on_its_card(app, drawn):
    out = io.BytesIO()
    Image.fromarray(drawn[0][2]).save(out, "JPEG", quality=60)
    page = drop(app(), [("cell <b>.jpg", out.getvalue())])
    assert '<p class="note near">JPEG, quality 60, 4:2:0; low quality: the answer may be off</p>' in said(
        page
    )
