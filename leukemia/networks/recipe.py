"""Named networks.

To add one: a definition in :mod:`leukemia.recipes.definitions`, a function and an entry in ``RECIPES``.

A network takes uint8 RGB crops at native scale and answers with the probability of ALL. It holds
its own scaling of the pixels, so nothing has to be remembered beside it. Keras layers only, no
``tf.`` call: a recipe trains on any Keras backend.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import keras
from keras import layers

from leukemia.networks import applications, color_normalization, efficientnet_lite0, stage_statistics
from leukemia.networks import optimizer as optimizers
from leukemia.networks import pretrained as imagenet
from leukemia.networks.serving_network import PIXELS
from leukemia.recipes import definitions
from leukemia.recipes.definitions import Definition
from leukemia.recipes.settings import Training

__all__ = ["RECIPES", "Recipe", "application", "get", "optimizer"]


def _unit(crop: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Rescaling(1 / 255)(crop)


@dataclass(frozen=True, kw_only=True)
class Recipe(Definition):
    """A definition with its network.

    Attributes
    ----------
    body : callable
        From scaled pixels and the settings to features (n, units).
    pixels : callable
        From the uint8 crop to what the body reads; a cell that is mirrored or turned comes out so.
    pretrained : callable, optional
        Called with a fresh network and a folder for what it may keep: fills in weights learned
        elsewhere. Batch normalisation then stays as it was there: a few cells a step would upset it.
    """

    body: Callable[[keras.KerasTensor, Training], keras.KerasTensor] = field(repr=False)
    pixels: Callable[[keras.KerasTensor], keras.KerasTensor] = field(default=_unit, repr=False)
    pretrained: Callable[[keras.Model, Path | None], None] | None = field(default=None, repr=False)

    def build(self) -> keras.Model:
        """Make the network, with fresh weights.

        Returns
        -------
        keras.Model
            From uint8 (n, crop, crop, 3) to float32 (n, 1): the probability of ALL.
        """
        inputs = keras.Input((self.crop, self.crop, 3), dtype="uint8", name="crop")
        pixels = layers.Identity(name=PIXELS)(self.pixels(inputs))
        features = self.body(pixels, self.training)
        outputs = layers.Dense(1, activation="sigmoid", name=optimizers.HEAD)(features)
        model = keras.Model(inputs, outputs, name=self.name.replace("-", "_"))
        efficientnet_lite0.freeze(model, self.training.frozen)
        if self.solved:
            for layer in model.layers[:-1]:
                layer.trainable = False
        for layer in model.layers if self.pretrained else ():
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = False
        return model

    def start(self, cache: Path | None = None) -> keras.Model:
        """Make the network that a training starts from.

        Parameters
        ----------
        cache : Path, optional
            Folder in which converted weights may be kept.

        Raises
        ------
        RecipeError
            Where its pretrained weights are not available.
        """
        model = self.build()
        if self.pretrained:
            self.pretrained(model, cache)
        return model

    def with_training(self, **changes: object) -> "Recipe":
        """Return the same recipe with some training settings changed."""
        return replace(self, training=replace(self.training, **changes))


def get(name: str) -> Recipe:
    """Return the recipe called ``name``; raise a RecipeError that lists them where there is none."""
    definitions.get(name)
    return RECIPES[name]


def optimizer(training: Training) -> keras.optimizers.Optimizer:
    """Make the optimizer that these settings ask for."""
    steps = training.epochs * training.steps_per_epoch
    if training.body_rate == 1 and not training.weight_decay:
        return keras.optimizers.Adam(optimizers.warmup_cosine(training.learning_rate, steps, training.warmup))
    return optimizers.body_and_head(
        training.learning_rate,
        steps,
        warmup=training.warmup,
        body_rate=training.body_rate,
        decay=training.weight_decay,
    )


def _dense(x: keras.KerasTensor, training: Training) -> keras.KerasTensor:
    # Averaged to 32 x 32: dense layers on every pixel would be 25 million weights for no gain.
    x = layers.AveragePooling2D(8)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation="relu")(x)
    return layers.Dropout(training.dropout)(x) if training.dropout else x


def _convolutions(x: keras.KerasTensor, training: Training) -> keras.KerasTensor:
    penalty = keras.regularizers.L2(training.l2) if training.l2 else None

    def drop(x: keras.KerasTensor, share: float) -> keras.KerasTensor:
        return layers.Dropout(share)(x) if share else x

    for filters in (32, 64, 128):
        x = layers.Conv2D(filters, 3, activation="relu", kernel_regularizer=penalty)(x)
        x = layers.MaxPooling2D()(x)
    x = drop(layers.Flatten()(x), training.dropout)
    for units in (64, 128):
        x = layers.Dense(units, activation="relu", kernel_regularizer=penalty)(x)
        x = drop(x, training.dropout / 2)
    return x


def _lite0(x: keras.KerasTensor, training: Training) -> keras.KerasTensor:
    return _pooled(efficientnet_lite0.features(x), training)


def _lite0_halved(crop: keras.KerasTensor) -> keras.KerasTensor:
    # At half the native scale: finer detail is the camera's and the file's as much as the cell's.
    halved = layers.AveragePooling2D(2)(color_normalization.mean_to_grey(crop))
    return _lite0_levels(halved)


def _lite0_stages(x: keras.KerasTensor, training: Training) -> keras.KerasTensor:
    # The finest detail is the camera's and the file's as much as the cell's: half the scale steadies it.
    halved = efficientnet_lite0.stages(layers.AveragePooling2D(2)(x), efficientnet_lite0.HALVED)
    return stage_statistics.of_stages({**efficientnet_lite0.stages(x), **halved})


def _lite0_pixels(crop: keras.KerasTensor) -> keras.KerasTensor:
    return _lite0_levels(color_normalization.mean_to_grey(crop))


def _lite0_levels(levels: keras.KerasTensor) -> keras.KerasTensor:
    return (levels - efficientnet_lite0.PIXEL_MIDDLE) / efficientnet_lite0.PIXEL_SPREAD


def _pooled(x: keras.KerasTensor, training: Training) -> keras.KerasTensor:
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dropout(training.dropout)(x) if training.dropout else x


def _recipe(name: str, body: Callable, **network: object) -> Recipe:
    return Recipe(**vars(definitions.get(name)), body=body, **network)


def application(name: str, title: str) -> Recipe:
    """Make the recipe ``name`` of the ``keras.applications`` network called ``title``."""
    return _recipe(
        name,
        lambda x, training: _pooled(applications.features(title, x), training),
        pixels=lambda crop: applications.scaled(title, color_normalization.mean_to_grey(crop)),
        pretrained=lambda model, cache: applications.load(title, model),
    )


RECIPES = {
    recipe.name: recipe
    for recipe in (
        _recipe("dense-baseline", _dense),
        _recipe("reference-cnn", _convolutions),
        _recipe("reference-cnn-regularized", _convolutions),
        _recipe("efficientnet-lite0", _lite0, pixels=_lite0_halved, pretrained=imagenet.load),
        _recipe("efficientnet-lite0-linear", _lite0_stages, pixels=_lite0_pixels, pretrained=imagenet.load),
        application("mobilenet-v2", "MobileNetV2"),
    )
}
