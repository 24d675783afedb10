"""The speed of training: whether the input path keeps up, and an epoch beside the plain way.

    python -m benchmarks.training [--data FOLDER] [--cells 512] [--rounds 3]

1. Cells a second that the input path makes (crops from the cached array, turned, mirrored, brightened) by
   itself, beside those that `reference-cnn` learns from. Limit: 5 times.
2. An epoch of `reference-cnn` as this program does it, beside the same network, cells and augmentation
   by Keras's own means: `image_dataset_from_directory`, which decodes each image again each epoch, and
   its layers RandomFlip, RandomRotation and RandomBrightness. Limit: .8 of its time. Both read whole
   native-scale cells in 256 pixels; the rounds take turns, the first of each warms up.

Without a prepared folder the sample set is drawn.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd
from PIL import Image

from leukemia import settings
from leukemia.classes import LABELS
from leukemia.dataset import manifest
from leukemia.dataset.synthetic import sample_set
from leukemia.imaging import reader
from leukemia.networks import recipe as recipes
from leukemia.networks.recipe import Recipe
from leukemia.storage.workspace import Workspace
from leukemia.training.epoch import EpochBatches
from leukemia.training.training_data import MARGIN, load_crops

RECIPE = "reference-cnn"
SUPPLY, SHARE = 5.0, 0.8


def main() -> None:
    """Measure and print."""
    options = _options()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n")
    with tempfile.TemporaryDirectory() as scratch:
        data = options.data
        if not Workspace(data).manifest.is_file():
            print(f"No prepared set in {data}: the sample set is drawn.\n")
            data = Path(scratch) / "data"
            sample_set.prepare(data, workers=settings.load().workers)
        cells = _some(manifest.read(data), options.cells)
        recipe = recipes.get(RECIPE).with_training(cells_per_epoch=len(cells), epochs=options.rounds)
        _measure(recipe, data, cells, Path(scratch), options.rounds)


def _measure(recipe: Recipe, data: Path, cells: pd.DataFrame, scratch: Path, rounds: int) -> None:
    size = recipe.crop + MARGIN
    # A cache of its own: the crops of all cells are of no use to a few.
    crops = load_crops(_copy(data, cells, scratch / "few"), cells, size, workers=os.cpu_count() or 1)
    ours, plain = _ours(recipe, crops, cells), _plain(recipe, data, cells, scratch / "plain")
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    supplied = []
    for number in range(rounds + 1):
        for name, epoch in (("ours", ours), ("plain", plain)):
            began = time.monotonic()
            epoch(number)
            if number:
                seconds[name].append(time.monotonic() - began)
        if number:
            supplied.append(_supply(recipe, crops, cells, number))
    one, other = (statistics.median(seconds[name]) for name in ("ours", "plain"))
    rate = len(cells) / one
    supply = statistics.median(supplied)
    print(f"{len(cells)} cells, {recipe.name}, median of {rounds} rounds")
    print(f"input path alone      {supply:8.0f} cells/s")
    print(f"learned from          {rate:8.1f} cells/s")
    times = supply / rate
    print(f"supply                {times:8.1f} times the demand (limit {SUPPLY:g}){_mark(times >= SUPPLY)}")
    print(f"an epoch              {one:8.1f} s")
    print(f"the plain way         {other:8.1f} s")
    print(f"share                 {one / other:8.2f} (limit {SHARE:g}){_mark(one / other <= SHARE)}")


def _some(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    """As many cells of each class, patients in turn."""
    labelled = frame[frame["label"] != ""].drop_duplicates("image_id").reset_index(drop=True)
    turn = labelled.groupby("patient_group").cumcount()
    drawn = labelled.assign(turn=turn).sort_values(["turn", "image_id"])
    return pd.concat([own.head(count // 2) for _, own in drawn.groupby("label")]).reset_index(drop=True)


def _copy(data: Path, cells: pd.DataFrame, folder: Path) -> Path:
    for path in cells["path"]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).symlink_to((data / path).resolve())
    return folder


def _network(recipe: Recipe, body: Callable[[], keras.Model]) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = body()
    model.compile(
        recipes.optimizer(recipe.training), loss="binary_crossentropy", metrics=[keras.metrics.Recall()]
    )
    return model


def _ours(recipe: Recipe, crops: np.ndarray, cells: pd.DataFrame) -> Callable[[int], None]:
    model = _network(recipe, recipe.build)

    def epoch(number: int) -> None:
        model.fit(_drawn(recipe, crops, cells, number), verbose=0, shuffle=False)

    return epoch


def _supply(recipe: Recipe, crops: np.ndarray, cells: pd.DataFrame, number: int) -> float:
    """Cells a second, by as many threads as Keras gives the input path."""
    from concurrent.futures import ThreadPoolExecutor

    drawn = _drawn(recipe, crops, cells, number)
    began = time.monotonic()
    with ThreadPoolExecutor(drawn.workers) as pool:
        made = sum(len(pictures) for pictures, _ in pool.map(drawn.__getitem__, range(len(drawn))))
    return made / (time.monotonic() - began)


def _drawn(recipe: Recipe, crops: np.ndarray, cells: pd.DataFrame, number: int) -> EpochBatches:
    return EpochBatches(crops, cells, np.arange(len(cells)), recipe.crop, recipe.training, 0, number)


def _plain(recipe: Recipe, data: Path, cells: pd.DataFrame, folder: Path) -> Callable[[int], None]:
    """Keras's own pipeline, on the images as they lie in labelled directories."""
    for number, (path, label) in enumerate(zip(cells["path"], cells["label"], strict=True)):
        target = folder / label / f"{number:05d}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        if Path(path).suffix == ".png":
            target.symlink_to((data / path).resolve())
        else:
            Image.fromarray(reader.decode(reader.read(data / path))).save(target)
    dataset = keras.utils.image_dataset_from_directory(
        folder,
        labels="inferred",
        label_mode="binary",
        class_names=list(LABELS),
        batch_size=recipe.training.batch,
        image_size=(recipe.crop, recipe.crop),
        crop_to_aspect_ratio=True,
        verbose=False,
    ).prefetch(2)

    def build() -> keras.Model:
        inner = recipe.build()
        inputs = keras.Input(inner.input_shape[1:], name="pictures")
        x = keras.layers.RandomFlip()(inputs)
        x = keras.layers.RandomRotation(0.5, fill_mode="constant")(x)
        x = keras.layers.RandomBrightness(recipe.training.brightness)(x)
        return keras.Model(inputs, inner(x))

    model = _network(recipe, build)

    def epoch(number: int) -> None:
        model.fit(dataset, verbose=0)

    return epoch


def _mark(holds: bool) -> str:
    return "" if holds else "  NOT REACHED"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=settings.load().data)
    parser.add_argument("--cells", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
