from types import SimpleNamespace

import pytest

from leukemia.imaging import scale
from leukemia.inference import batch as batches
from leukemia.inference.answer import Answer, Source
from leukemia.inference.batch import CHUNK, Batch, Item, Result


class Recorder:
    """Stands for a classifier: answers with the number in a source's bytes and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def classify(self, sources, *, thumbnail, picture):
        assert (thumbnail, picture) == (batches.THUMBNAIL, 0)
        for source in sources:
            self.asked.append(source.name)
            yield Answer(source.name, float(source.load()))


def items(*numbers):
    return [Item(str(n), Source(f"{n}.bmp", lambda n=n: f"{n / 1000}".encode())) for n in numbers]


def test_each_image_is_answered_once_in_chunks():
    batch, classifier = Batch(), Recorder()
    batch.add(items(*range(CHUNK + 3)))
    assert batch.work(classifier) == [str(n) for n in range(CHUNK)]
    assert (batch.waiting, len(batch.results), len(batch)) == (3, CHUNK, CHUNK + 3)
    batch.add(items(*range(CHUNK + 3)))
    batch.work(classifier)
    assert batch.waiting == 0
    assert batch.work(classifier) == []
    assert classifier.asked == [f"{n}.bmp" for n in range(CHUNK + 3)]


def test_only_the_answer_is_kept():
    batch = Batch()
    batch.add(items(7))
    batch.work(Recorder())
    assert batch.results == [Result("7", Answer("7.bmp", 0.007))]
    assert not batch._waiting


def test_stop_leaves_the_rest_waiting_and_more_images_start_it_again():
    batch = Batch()
    batch.add(items(*range(CHUNK + 1)))
    batch.work(Recorder())
    batch.stop()
    assert batch.stopped
    assert (batch.waiting, len(batch.results)) == (1, CHUNK)
    batch.add(items(0))
    assert batch.stopped, "an image that is here already asks for nothing"
    batch.add(items(999))
    assert not batch.stopped


def test_what_is_taken_away_is_forgotten_answered_or_not():
    batch = Batch()
    batch.add(items(*range(CHUNK + 2)))
    batch.work(Recorder())
    batch.remove({"0", str(CHUNK), "unknown"})
    assert len(batch) == CHUNK
    assert "0" not in {result.key for result in batch.results}


def test_images_over_the_limit_are_counted_and_taken_when_there_is_room():
    batch = Batch(limit=3)
    batch.add(items(1, 2, 3, 4, 5))
    assert (len(batch), batch.refused) == (3, 2)
    batch.remove({"1", "2"})
    batch.add(items(3, 4, 5))
    assert (len(batch), batch.refused) == (3, 0)


def test_the_remaining_time_follows_the_pace():
    now = SimpleNamespace(seconds=100.0)
    batch = Batch(clock=lambda: now.seconds)
    batch.add(items(*range(4 * CHUNK)))
    assert batch.remaining is None
    batch.work(Recorder())
    now.seconds += 2
    assert batch.remaining == pytest.approx(6)
    batch.stop()
    now.seconds += 1_000
    assert batch.remaining is None, "a pause is no work"
    batch.resume()
    batch.work(Recorder())
    now.seconds += 1
    assert batch.remaining == pytest.approx(2)


class Asker(Recorder):
    """Answers only what comes with a scale; an image's bytes are its name."""

    def classify(self, sources, *, thumbnail, picture):
        for source in sources:
            self.asked.append((source.name, source.scale))
            unknown = source.scale is None
            yield Answer(
                source.name, None if unknown else 0.5, "Scale unknown." * unknown, scale_unknown=unknown
            )


def named(*names, given=None):
    return [Item(name, Source(name, lambda name=name: name.encode(), scale=given)) for name in names]


def test_what_lacks_a_scale_is_kept_and_answered_once_it_is_stated():
    batch, asker = Batch(), Asker()
    batch.add(named("a", "b"))
    batch.add(named("c", given=scale.NATIVE))
    assert batch.work(asker) == ["c"], "the bytes of the others are still needed"
    assert (batch.unscaled, batch.waiting, len(batch)) == (2, 0, 3)
    batch.stop()
    batch.state_scale(scale.stated(0.1))
    assert (batch.unscaled, batch.waiting, len(batch), batch.stopped) == (0, 2, 3, False)
    assert batch.work(asker) == ["a", "b"]
    assert asker.asked[-2:] == [("a", scale.stated(0.1)), ("b", scale.stated(0.1))]
    assert [result.answer.probability for result in batch.results] == [0.5] * 3
    batch.add(named("d"))
    batch.work(asker)
    assert asker.asked[-1] == ("d", scale.stated(0.1)), "it holds for what comes later"
    batch.state_scale(None)
    batch.add(named("e"))
    batch.work(asker)
    assert batch.unscaled == 1


def test_an_image_that_vouches_for_its_scale_keeps_it():
    batch, asker = Batch(scale=scale.stated(0.1)), Asker()
    batch.add(named("a", given=scale.NATIVE))
    batch.work(asker)
    assert asker.asked == [("a", scale.NATIVE)]


def test_no_more_bytes_are_kept_than_the_limit(monkeypatch):
    monkeypatch.setattr(batches, "KEPT", 5)
    batch = Batch()
    batch.add(named("abc", "de", "f"))
    assert batch.work(Asker()) == ["f"]
    assert batch.unscaled == 2
    errors = {result.key: result.answer.error for result in batch.results}
    assert errors == {
        "abc": "Scale unknown.",
        "de": "Scale unknown.",
        "f": "Scale unknown." + batches.DROP_AGAIN,
    }
    batch.remove({"abc"})
    batch.add(named("gh"))
    batch.work(Asker())
    assert batch.unscaled == 2, "what was taken away makes room"
