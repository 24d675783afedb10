import io
import threading

import numpy as np
import pytest
from PIL import Image

from leukemia.bundles import bundle as bundles
from leukemia.dataset.synthetic import sample_writer
from leukemia.errors import BundleError
from leukemia.imaging.cell import crop_cell, measure_cell
from leukemia.inference.classifier import BATCH, Classifier, Source


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
    answers = list(classifier.classify([Source("a", bytes)] * (BATCH + 1)))
    assert len(answers) == BATCH + 1
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
    assert len(read) <= 4 * BATCH


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
