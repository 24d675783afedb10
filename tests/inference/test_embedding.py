import shutil

import numpy as np
import pandas as pd
import pytest

from leukemia.bundles import bundle as bundles
from leukemia.dataset import manifest
from leukemia.errors import DatasetError
from leukemia.imaging import reader
from leukemia.imaging.cell import crop_cell, measure_cell
from leukemia.inference import embedding, features
from leukemia.inference.answer import Source
from leukemia.inference.classifier import Classifier
from tests.support import bundle_factory

pytestmark = pytest.mark.slow  # UMAP is compiled first


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    return bundles.read(tiny_bundle)


@pytest.fixture
def data(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "data")


@pytest.fixture(scope="module")
def placed(bundle, prepared):
    return embedding.place(bundle, prepared, manifest.read(prepared), workers=2)


def test_the_features_are_what_the_last_layer_weighs(bundle, prepared):
    """The tiny network weighs the mean colour of the crop: so that its features must be that."""
    cells = manifest.read(prepared).iloc[:8]
    crops = np.stack(
        [
            crop_cell(measure_cell(reader.decode((prepared / path).read_bytes())), bundle.input_size)
            for path in cells["path"]
        ]
    )
    weighed, _ = features.network(bundle)(crops)
    assert weighed.reshape(8, -1) == pytest.approx(crops.mean(axis=(1, 2)) / 255, abs=1e-3)


def test_of_a_network_that_looks_from_several_sides_the_features_are_their_mean(bundle, prepared, tmp_path):
    import keras

    from leukemia.bundles import writer
    from leukemia.evaluation.calibration import Calibration
    from leukemia.networks import serving_network
    from leukemia.networks.optimizer import HEAD

    inputs = keras.Input((64, 64, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 255)(inputs)
    # Quarters of the picture, so that a picture turned by half has other features.
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(32)(x))
    network = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid", name=HEAD)(x))
    answering = serving_network.inference_model(network, 4, Calibration("none", 1.0, 0.0))
    cells = manifest.read(prepared).iloc[:6]
    crops = np.stack(
        [crop_cell(measure_cell(reader.decode((prepared / path).read_bytes())), 64) for path in cells["path"]]
    )
    packed = writer.write(tmp_path / "sides", answering, bundle.record, bundle.predictions, crops)
    raw, _ = features.network(packed)(crops)
    weighed = features.features_of(raw, len(crops))
    quarters = crops.reshape(6, 2, 32, 2, 32, 3).mean(axis=(2, 4)) / 255
    turned = [quarters, quarters[:, ::-1, ::-1], quarters[:, ::-1], quarters[:, :, ::-1]]
    assert weighed == pytest.approx(np.mean(turned, axis=0).reshape(6, -1), abs=1e-3)


def test_the_probabilities_are_those_of_the_classifier(bundle, prepared, placed):
    cells = manifest.read(prepared)
    answers = Classifier(bundle).classify(Source.file(prepared / path, path) for path in cells["path"])
    expected = {answer.name: answer.probability for answer in answers}
    assert dict(zip(placed["path"], placed["probability"], strict=True)) == pytest.approx(expected, abs=1e-5)


def test_every_cell_has_its_place_and_the_classes_lie_apart(prepared, placed):
    cells = manifest.read(prepared)
    assert placed["path"].tolist() == cells["path"].tolist()
    assert placed["image_id"].tolist() == cells["image_id"].tolist()
    assert np.isfinite(placed[list(embedding.COLUMNS[2:])].to_numpy()).all()
    # Along the largest spread of the mean colours, the two classes lie on two sides.
    middle = placed.groupby(placed["path"].str.split("-").str[0])["pca_x"].mean()
    assert abs(middle["ALL"] - middle["Normal"]) > 0.5 * placed["pca_x"].std()


def test_the_same_features_land_on_the_same_places():
    values = np.random.default_rng(0).normal(size=(60, 5))
    for first, second in zip(embedding.layouts(values), embedding.layouts(values), strict=True):
        assert first.shape == (60, 2)
        assert first == pytest.approx(second)


def test_umap_keeps_groups_together_that_are_apart():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0, 1, (40, 20)), rng.normal(12, 1, (40, 20))])
    _, near = embedding.layouts(values)
    centre = near[:40].mean(axis=0), near[40:].mean(axis=0)
    spread = max(near[:40].std(), near[40:].std())
    assert np.linalg.norm(centre[0] - centre[1]) > 2 * spread


@pytest.mark.parametrize("shape", [(3, 4), (5, 1), (20, 300)])
def test_few_cells_or_features_have_a_place_too(shape):
    flat, near = embedding.layouts(np.random.default_rng(2).normal(size=shape))
    assert flat.shape == near.shape == (shape[0], 2)


def test_a_map_is_computed_once_for_a_model_and_a_set(bundle, data):
    cells = manifest.read(data)
    assert embedding.cached(bundle, data, cells) is None
    steps = []
    places = embedding.place_cached(bundle, data, cells, workers=2, progress=lambda *s: steps.append(s))
    assert steps[-1][2] == "Computing the map"
    assert (len(cells), len(cells), "Reading features") in steps
    pd.testing.assert_frame_equal(embedding.cached(bundle, data, cells), places)

    def again(*_):
        raise AssertionError("computed twice")

    embedding.place_cached(bundle, data, cells, workers=2, progress=again)
    assert embedding.cached(bundle, data, cells.iloc[1:]) is None


def test_the_map_of_another_model_is_not_taken(bundle, data, copied_bundle):
    cells = manifest.read(data)
    embedding.place_cached(bundle, data, cells, workers=2)
    (copied_bundle / bundles.NETWORK).write_text("another network")
    other = bundles.read(bundle_factory.sign(copied_bundle, bundles.NETWORK))
    assert embedding.cached(other, data, cells) is None


def test_unreadable_images_are_left_out_and_too_few_are_an_error(bundle, data):
    cells = manifest.read(data)
    (data / cells["path"].iloc[0]).write_bytes(b"no picture")
    (data / cells["path"].iloc[40]).unlink()
    places = embedding.place(bundle, data, cells, workers=2)
    assert set(cells["path"]) - set(places["path"]) == {cells["path"].iloc[0], cells["path"].iloc[40]}
    with pytest.raises(DatasetError, match="Only 2 images"):
        embedding.place(bundle, data, cells.iloc[[0, 1, 2]], workers=1)
    assert embedding.cached(bundle, data, cells.iloc[[0, 1, 2]]) is None


def test_a_damaged_cache_is_as_good_as_none(bundle, data):
    cells = manifest.read(data)
    embedding.place_cached(bundle, data, cells, workers=2)
    for path in (data / "cache").glob("map-*"):
        path.write_bytes(b"PAR1 no table")
    assert embedding.cached(bundle, data, cells) is None
