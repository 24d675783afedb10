"""Images answered on Ray: the answers of one process, one for each image, and a run that goes on."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.imaging.scale import STATED_NATIVE
from leukemia.inference import on_ray
from leukemia.inference.answer import Source
from leukemia.inference.classifier import Classifier
from leukemia.inference.inputs.image import FileImage
from leukemia.scale import cluster
from tests.support.ray_workers import EndingImage

SIZE = 16


@pytest.fixture
def bundle(tiny_bundle):
    return bundles.read(tiny_bundle)


@pytest.fixture
def images(drawn_files):
    return [FileImage.at(path) for path in sorted(drawn_files.iterdir())]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(on_ray, "BATCH", SIZE)


def locally(bundle, images):
    return list(Classifier(bundle).classify(Source(one.name, one.load) for one in images))


def on_two_cores(bundle, images, output, progress=lambda *_: None):
    with on_ray.kept(bundle, images, None, output, address="", cores=2, progress=progress) as run:
        return list(run.answers())


@pytest.mark.process
@pytest.mark.slow
def test_a_killed_worker_costs_its_batch_and_each_image_has_one_answer(bundle, images, tmp_path):
    expected = locally(bundle, images)
    killing, killer = images[20], images[45]
    images[20] = EndingImage(killing.place, killing.name, mark=str(tmp_path / "mark"))
    images[45] = EndingImage(killer.place, killer.name)
    out = tmp_path / "out" / "cells.csv"
    out.parent.mkdir()
    answers = on_two_cores(bundle, images, out)
    assert (tmp_path / "mark").exists()
    assert answers[45] == replace(answers[45], name=killer.name, probability=None, error=on_ray.LOST)
    del answers[45], expected[45]
    assert answers == expected
    assert list(out.parent.iterdir()) == []


@pytest.mark.process
@pytest.mark.slow
def test_a_run_that_was_ended_goes_on(bundle, images, tmp_path, monkeypatch):
    out, seen = tmp_path / "cells.csv", []

    def stop(done, total, what):
        seen.append(done)
        if done >= 2 * SIZE:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        on_two_cores(bundle, images, out, stop)
    assert seen == [0, SIZE, 2 * SIZE]
    seen.clear()
    with pytest.raises(KeyboardInterrupt):
        on_two_cores(bundle, images, out, stop)
    assert seen == [2 * SIZE]  # what was finished is not done again
    seen.clear()
    answers = on_two_cores(bundle, images, out, lambda done, *_: seen.append(done))
    assert seen[0] == 2 * SIZE and seen[-1] == len(images)
    assert answers == locally(bundle, images)
    assert not out.with_name("cells.csv.parts").exists()


def test_a_finished_run_whose_table_was_not_written_needs_no_cluster(bundle, images, tmp_path, monkeypatch):
    def answered_here(kind, arguments, batches, workers, instead):
        worker = kind(*arguments)
        worker.prepare()
        for number, batch in batches:
            yield number, worker.answer(batch)

    out = tmp_path / "cells.csv"
    monkeypatch.setattr(on_ray.team, "work", answered_here)
    monkeypatch.setattr(cluster, "opened", lambda *_: nullcontext(1))
    first = on_ray.kept(bundle, images, None, out, address="", cores=1, progress=lambda *_: None)
    with pytest.raises(OSError, match="disk is full"), first as run:
        before = next(run.answers())
        raise OSError("The disk is full.")  # while the table is written
    monkeypatch.setattr(cluster, "opened", None)
    after = on_two_cores(bundle, images, out)
    assert after[0] == before and after == locally(bundle, images)


def test_other_images_another_order_scale_or_model_is_another_run(bundle, images, tmp_path):
    first = on_ray.decided_by(bundle, images, None)
    assert on_ray.decided_by(bundle, list(images), None) == first
    copy = tmp_path / "copy.bmp"
    copy.write_bytes(b"x" + Path(images[0].place).read_bytes())
    changed = replace(images[0], stamp=FileImage.at(copy).stamp)
    others = [
        on_ray.decided_by(bundle, images[:-1], None),
        on_ray.decided_by(bundle, images[::-1], None),
        on_ray.decided_by(bundle, [changed, *images[1:]], None),
        on_ray.decided_by(bundle, images, STATED_NATIVE),
    ]
    assert len({first, *others}) == 5


def test_one_core_answers_as_all_do(bundle, images):
    alone = Classifier(bundle, one_core=True)
    assert list(alone.classify(Source(one.name, one.load) for one in images)) == locally(bundle, images)
