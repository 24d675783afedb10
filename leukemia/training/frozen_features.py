"""What a network that stays as it is makes of every labelled cell: computed once, kept on disk.

All folds of a cross-validation and all later trainings of the same recipe share them, since no fold
changes the network below its last layer.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from leukemia.networks import batchnorm_fusion, serving_network
from leukemia.networks.forward import middles, run
from leukemia.networks.recipe import Recipe
from leukemia.recipes import throughput
from leukemia.storage.atomic import whole_file
from leukemia.storage.workspace import Workspace
from leukemia.training.augmentation import augment
from leukemia.training.training_data import TrainingData

Pictures = Callable[[np.ndarray], np.ndarray]

AUGMENTATION = ("rotation", "flips", "brightness", "colour", "gamma", "blur", "zoom", "jpeg")


class FrozenFeatures:
    """Features of all rows of a training's data, made as they are asked for.

    Parameters
    ----------
    recipe : Recipe
        One whose network stays as it is.
    data : Path
        The prepared folder; features go to ``cache/`` in it.
    dataset : TrainingData
    seed : int
        Decides how the cells of a draw are augmented.
    """

    def __init__(self, recipe: Recipe, data: Path, dataset: TrainingData, seed: int) -> None:
        self._recipe, self._dataset, self._seed = recipe, dataset, seed
        self._cache = Workspace(data).cache
        self._networks: dict[int, keras.Model] = {}
        settings = {name: value for name, value in asdict(recipe.training).items() if name in AUGMENTATION}
        self._augmentation = json.dumps([settings, seed], sort_keys=True)

    @cached_property
    def network(self) -> keras.Model:
        """The recipe's network as it will serve, with an empty last layer."""
        keras.utils.set_random_seed(self._seed)
        model = batchnorm_fusion.fuse(self._recipe.start(self._cache))
        serving_network.round_weights(model)
        return model

    def plain(self, views: int, perturbation: str = "") -> np.ndarray:
        """Features of the cells as they are, or under a harmless change.

        Parameters
        ----------
        views : int
            Sides of a cell that are averaged; one of :data:`serving_network.VIEWS`.
        perturbation : str, optional
            One of :data:`leukemia.imaging.perturbation.PERTURBATIONS`.

        Returns
        -------
        numpy.ndarray
            float32, shape (n, d), in the rows' order.
        """

        def pictures(rows: np.ndarray) -> np.ndarray:
            return middles(self._dataset.crops, rows, self._recipe.crop, perturbation)

        return self._cached(f"{views}-{perturbation}", perturbation or "as they are", pictures, views)

    def draw(self, number: int) -> np.ndarray:
        """Features of all cells, each augmented anew; see :meth:`plain`."""

        def picture(row: int) -> np.ndarray:
            rng = np.random.default_rng((self._seed, number, row))
            return augment(self._dataset.crops[row], self._recipe.crop, self._recipe.training, rng)

        def pictures(rows: np.ndarray) -> np.ndarray:
            return np.stack([picture(int(row)) for row in rows])

        return self._cached(f"{self._augmentation}-{number}", f"augmentation {number + 1}", pictures, 1)

    def _cached(self, what: str, title: str, pictures: Pictures, views: int) -> np.ndarray:
        cells = "".join(self._dataset.cells["image_id"])
        # Of the network only what a change to its recipe would change: names of layers differ between runs.
        network = f"{self._recipe.name} {self._recipe.crop} {self.network.count_params()}"
        key = hashlib.sha256(f"{network} {what} {cells}".encode()).hexdigest()
        file = self._cache / f"features-{self._recipe.name}-{key[:16]}.npy"
        if not file.is_file():
            features = self._extract(title, pictures, views)
            with whole_file(file) as partial, partial.open("wb") as out:
                np.save(out, features)
        return np.load(file, allow_pickle=False)

    def _with_views(self, views: int) -> keras.Model:
        if views not in self._networks:
            self._networks[views] = serving_network.feature_model(self.network, views)
        return self._networks[views]

    def _extract(self, title: str, pictures: Pictures, views: int) -> np.ndarray:
        count, began = len(self._dataset.cells), time.monotonic()
        network = self._with_views(views)
        _, features = run(network, np.arange(count), pictures, what=f"Computing features: {title}")
        throughput.record(self._cache, self._recipe.name, (time.monotonic() - began) / count / views)
        return features.astype(np.float32)
