import io
import threading
import time

import numpy as np
import pytest
from PIL import Image, ImageFilter

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.dataset.synthetic import sample_writer
from leukemia.errors import BundleError
from leukemia.imaging import appearance, memory, scale, validate
from leukemia.imaging.cell import crop_cell, measure_cell
from leukemia.imaging.scale import NATIVE
from leukemia.inference.answer import Source
from leukemia.inference.classifier import AHEAD, ANY_REASON, NO_NUMBER, Classifier
from leukemia.operating_point import NORMAL_LIKE
from tests.support import bundle_factory
from tests.support.cases import case
from tests.support.pictures import encoded


@pytest.fixture(scope="module")
def classifier(tiny_bundle):
    return Classifier.load(tiny_bundle)


def sources(drawn):
    return [
        Source(name, lambda pixels=pixels: sample_writer.encode(pixels, "BMP")) for name, _, pixels in drawn
    ]


def test_the_engine_agrees_with_keras(classifier, tiny_bundle, drawn):
    import keras

    network = keras.models.load_model(tiny_bundle / bundles.NETWORK, safe_mode=True)
    crops = np.stack([crop_cell(measure_cell(pixels), 256) for _, _, pixels in drawn])
    assert np.abs(network.predict(crops, verbose=0)[:, 0] - classifier.predict(crops)[0]).max() < 1e-3


def test_answers_come_in_order_and_tell_the_classes_apart(classifier, drawn):
    answers = list(classifier.classify(sources(drawn)))
    assert [answer.name for answer in answers] == [name for name, _, _ in drawn]
    called = [answer.probability >= 0.5 for answer in answers]
    assert np.mean([c == (label == "ALL") for c, (_, label, _) in zip(called, drawn, strict=True)]) > 0.7
    assert len(set(called)) == 2
    assert answers[0].image_id == measure_cell(drawn[0][2]).image_id
    assert answers[0].area > 1_000


def test_alone_or_in_a_batch_a_cell_gets_the_same_answer(classifier, drawn):
    together = [answer.probability for answer in classifier.classify(sources(drawn))]
    alone = [next(classifier.classify([source])).probability for source in sources(drawn)[:5]]
    assert alone == pytest.approx(together[:5], abs=2e-6)


def test_a_bad_image_is_one_answer_and_the_rest_are_answered(classifier, drawn):
    def broken():
        return b"BM not an image"

    mixed = sources(drawn)[:40]
    mixed[3] = Source("text.bmp", broken)
    mixed[33] = Source("empty.bmp", bytes)
    answers = list(classifier.classify(mixed))
    assert [i for i, answer in enumerate(answers) if answer.error] == [3, 33]
    assert answers[33].error == "The file is empty."
    assert all(answer.probability is not None for i, answer in enumerate(answers) if i not in (3, 33))


def test_only_bad_images_are_answered_too(classifier):
    answers = list(classifier.classify([Source("a", bytes)] * 5))
    assert len(answers) == 5
    assert all(answer.probability is None for answer in answers)
    assert list(classifier.classify([])) == []


def test_a_missing_file_is_an_answer(classifier, tmp_path):
    (answer,) = classifier.classify([Source.file(tmp_path / "gone.bmp")])
    assert "cannot be read" in answer.error


def test_few_files_are_read_ahead_of_a_reader_that_stops(classifier, drawn):
    read = []

    def load(pixels, number):
        read.append(number)
        return sample_writer.encode(pixels, "BMP")

    pixels = drawn[0][2]
    many = (Source(str(n), lambda n=n: load(pixels, n)) for n in range(10_000))
    answers = classifier.classify(many)
    for _ in range(3):
        next(answers)
    answers.close()
    assert len(read) <= AHEAD * settings.load().workers + 1


def test_thumbnails_are_small_jpegs(classifier, drawn):
    (answer,) = classifier.classify(sources(drawn)[:1], thumbnail=96)
    with Image.open(io.BytesIO(answer.thumbnail)) as image:
        assert (image.format, image.size) == ("JPEG", (96, 96))


def test_threads_share_one_model_and_get_the_same_answers(classifier, drawn):
    expected = [answer.probability for answer in classifier.classify(sources(drawn))]
    probabilities = {}

    def work(thread):
        probabilities[thread] = [answer.probability for answer in classifier.classify(sources(drawn))]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(probabilities[n] == pytest.approx(expected, abs=2e-6) for n in range(4))


def test_a_broken_engine_is_an_error_with_words(copied_bundle):
    bundle = bundles.read(copied_bundle)
    (copied_bundle / bundles.ENGINE).write_text("<nonsense/>")
    with pytest.raises(BundleError, match="cannot be loaded"):
        Classifier(bundle)


def resized(pixels, side):
    small = Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS)
    return sample_writer.encode(np.asarray(small), "PNG")


def test_a_frame_of_another_size_is_answered_at_the_scale_that_is_stated(classifier, drawn):
    _, _, pixels = drawn[0]
    data = resized(pixels, 256)
    size = classifier.bundle.pixel_size * 450 / 256
    whole, unknown, known = classifier.classify(
        [
            Source("whole", lambda: sample_writer.encode(pixels, "PNG")),
            Source("unknown", lambda: data),
            Source("known", lambda: data, scale=scale.stated(size)),
        ]
    )
    assert (unknown.probability, unknown.scale_unknown) == (None, True)
    assert "256 × 256 pixels" in unknown.error
    assert known.area == pytest.approx(whole.area, rel=0.03)
    assert known.probability == pytest.approx(whole.probability, abs=0.05)
    assert known.note.startswith(f"scale: {size:.3g} µm per pixel, as stated, resampled by 1.76")
    assert (whole.note, whole.scale_unknown, known.scale_unknown) == ("", False, False)


def test_the_scale_of_a_bundle_is_that_of_its_record(copied_bundle, drawn):
    bundle_factory.edit(copied_bundle, {"preprocessing.pixel_size": 0.1})
    pixels = drawn[0][2]
    (answer,) = Classifier.load(copied_bundle).classify(
        [Source("a", lambda: resized(pixels, 225), scale=scale.stated(0.2))]
    )
    assert answer.area == pytest.approx(measure_cell(pixels).area, rel=0.03)
    bundle_factory.edit(copied_bundle, {"preprocessing.pixel_size": 0})
    with pytest.raises(BundleError, match=r"preprocessing\.pixel_size should be above 0"):
        bundles.read(copied_bundle)


def test_a_bundle_without_a_scale_has_that_of_the_set(copied_bundle):
    record = bundles.read(copied_bundle).record
    assert record.preprocessing.pixel_size == scale.PIXEL_SIZE, "it is written"
    bundle_factory.edit(copied_bundle, {"preprocessing.pixel_size": None})
    assert bundles.read(copied_bundle).pixel_size == scale.PIXEL_SIZE


@pytest.fixture
def wary(copied_bundle, monkeypatch):
    """A classifier for which every picture is too far from the cells learned."""
    # Its network measures no distance, with which such a bundle is refused: both come after loading.
    loaded = Classifier.load(copied_bundle)
    bundle_factory.edit(copied_bundle, {"novelty": {"limit": 0, "pass": 0.99, "passed_out_of_fold": 0.99}})
    monkeypatch.setattr(loaded, "bundle", bundles.read(copied_bundle))
    monkeypatch.setattr(loaded, "predict", lambda crops: (np.full(len(crops), 0.5), np.ones(len(crops))))
    return loaded


def test_a_refusal_names_its_reason_or_all_that_it_may_be(wary, drawn):
    cells = [measure_cell(one) for _, _, one in drawn]
    pixels = next(
        cell.pixels for cell in cells if not appearance.reasons(crop_cell(cell, 256), cell.area, None)
    )
    jpeg = io.BytesIO()
    Image.fromarray(pixels).save(jpeg, "JPEG", quality=20)
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(4)))
    files = [
        Source("plain", lambda: sample_writer.encode(pixels, "PNG")),
        Source("lossy", jpeg.getvalue),
        Source("soft", lambda: sample_writer.encode(blurred, "PNG")),
    ]
    plain, lossy, soft = (next(wary.classify([file])) for file in files)
    assert (
        plain.error == f"Unlike the cells the model was trained on: {ANY_REASON}. The model gives no answer."
    )
    assert "trained on: the file is heavily compressed (JPEG, quality 20, 4:2:0)" in lossy.error
    assert lossy.note.endswith("low quality: the answer may be off")
    assert "trained on: the image is blurred" in soft.error
    assert [one.probability for one in (plain, lossy, soft)] == [None] * 3


@pytest.mark.slow
def test_real_frames_that_were_resized_are_not_called_normal_at_their_scale():
    from leukemia.inference import decisions
    from leukemia.settings import SHIPPED

    folder = case("02-resized-frames")
    champion = Classifier.load(SHIPPED)
    bundle = champion.bundle
    for side in (224, 256, 299):
        said = scale.stated(bundle.pixel_size * 450 / side)
        paths = sorted(folder.glob(f"*-{side}.png"))
        assert len(paths) == 2
        unknown = champion.classify(Source.file(path) for path in paths)
        assert all(answer.scale_unknown for answer in unknown)
        for answer in champion.classify(Source.file(path, scale=said) for path in paths):
            called = decisions.decision(answer.probability, bundle.operating_point)
            assert called != NORMAL_LIKE, answer.name


@pytest.mark.parametrize("wrong", [(np.nan, 0.0), (1.5, 0.0), (0.5, np.nan)])
def test_an_engine_that_gives_no_number_gives_no_answer(tiny_bundle, drawn_files, monkeypatch, wrong):
    probability, distance = wrong

    def rounded(out):
        return np.full(len(out[0]), probability), np.full(len(out[0]), distance)

    monkeypatch.setattr("leukemia.inference.classifier._rounded", rounded)
    paths = sorted(drawn_files.iterdir())[:3]
    for some in (paths[:1], paths):
        for answer in Classifier.load(tiny_bundle).classify(map(Source.file, some)):
            assert (answer.probability, answer.error) == (None, NO_NUMBER)


def test_sessions_share_the_threads_and_the_memory_and_take_turns(classifier, drawn, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_WORKERS", "3")
    (_, _, pixels), *_ = drawn
    frame = encoded(pixels)
    monkeypatch.setattr(memory, "_ROOM", memory.Room(2 * memory.needed(frame)))
    guard, threads, now, most = threading.Lock(), set(), 0, 0
    opened = validate.open_cell

    def watched(*given):
        nonlocal now, most
        with guard:
            threads.add(threading.get_ident())
            now += 1
            most = max(most, now)
        try:
            time.sleep(0.002)
            return opened(*given)
        finally:
            with guard:
                now -= 1

    monkeypatch.setattr(validate, "open_cell", watched)
    ends = {}

    def session(name, images):
        answers = classifier.classify(Source(f"{name}-{n}", lambda: frame, NATIVE) for n in range(images))
        for answer in answers:
            assert answer.probability is not None
            ends.setdefault(name, []).append(time.monotonic())

    sessions = [threading.Thread(target=session, args=(n, 60)) for n in range(4)]
    for one in sessions:
        one.start()
    until = time.monotonic() + 60
    while not ends and time.monotonic() < until:
        time.sleep(0.001)
    late = threading.Thread(target=session, args=("late", 3))
    late.start()
    for one in (*sessions, late):
        one.join(120)
    assert (most, len(threads)) == (2, 3)
    assert all(len(ends[n]) == 60 for n in range(4))
    # Who comes late is answered among the others, not after them.
    assert max(ends["late"]) < min(max(ends[n]) for n in range(4))
