"""The network that finds cells, from labelled fields to an engine that reads a field."""

import pytest

from leukemia.errors import BundleError
from leukemia.segmentation.network import ENGINE, Network
from tests.support.fields import draw
from tests.training.finder.test_patches import folder  # noqa: F401


@pytest.mark.slow
def test_a_training_gives_an_engine_that_reads_fields_of_any_size(folder, tmp_path, monkeypatch):  # noqa: F811
    from leukemia.training.finder import fit, write

    for name, value in {"BATCH": 2, "STEPS": 2, "CHECKS": 1, "HELD_OUT": 2}.items():
        monkeypatch.setattr(fit, name, value)
    read = fit.labelled_fields.read
    monkeypatch.setattr(fit.labelled_fields, "read", lambda *of: [*read(*of)] * 2)
    model = fit.fit(folder, [], [], tmp_path / "work", 1)
    write.write(model, tmp_path / "engine")
    network = Network(tmp_path / "engine")
    for height, width in ((100, 130), (97, 33)):
        maps = network.maps(draw(width=640)[:height, :width])
        assert maps.centres.shape == (-(-height // 4), -(-width // 4), 3)
        assert maps.white.shape == (-(-height // 2), -(-width // 2))
        assert maps.centres.min() >= 0 and maps.centres.max() <= 1 and maps.sides.min() > 0


def test_a_folder_without_an_engine_is_a_sentence(tmp_path):
    with pytest.raises(BundleError, match="cannot be loaded"):
        Network(tmp_path)
    (tmp_path / ENGINE).write_text("no network")
    with pytest.raises(BundleError, match="cannot be loaded"):
        Network(tmp_path)
