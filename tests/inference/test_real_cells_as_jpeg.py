"""The shipped model on real ALL cells saved as JPEG, where they lie beside the project."""

import pytest

from benchmarks import lossy
from leukemia.inference.answer import Source
from leukemia.inference.classifier import Classifier
from leukemia.settings import PROJECT, SHIPPED

SET = PROJECT.parent / "shared" / "data" / "cnmc2019"
CASES = PROJECT.parent / "shared" / "cases" / "01-jpeg-moves-answer"
pytestmark = [
    pytest.mark.skipif(not SET.is_dir(), reason="the real images are not on this machine"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def classifier():
    return Classifier.load(SHIPPED)


@pytest.fixture(scope="module")
def paths():
    return sorted(SET.rglob("*_all.*"))[::20]


@pytest.fixture(scope="module")
def plain(classifier, paths):
    return list(classifier.classify(Source.file(path) for path in paths))


@pytest.mark.parametrize("subsampling", lossy.SUBSAMPLINGS)
@pytest.mark.parametrize(("quality", "bound"), [(90, 0.03), (75, 0.05)])
def test_no_cell_that_is_all_like_becomes_normal_like(classifier, paths, plain, quality, bound, subsampling):
    saved = list(classifier.classify(lossy.as_jpeg(paths, quality, lossy.SUBSAMPLINGS[subsampling])))
    found, lost, silent, change = lossy.compare(classifier, plain, saved)
    assert found > len(paths) / 3
    assert lost == 0
    assert silent <= len(paths) / 20, "a JPEG is no novel cell"
    assert change <= bound


def test_the_case_of_a_cell_saved_three_times(classifier):
    answers = {path.name: path for path in CASES.iterdir() if path.suffix in (".png", ".jpg")}
    assert len(answers) == 6
    found = dict(zip(answers, classifier.classify(map(Source.file, answers.values())), strict=True))
    for name, answer in found.items():
        exact = found[name.split("_all")[0] + "_all.png"]
        assert abs(answer.probability - exact.probability) < 0.1
