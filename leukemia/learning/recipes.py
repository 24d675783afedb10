"""Named networks with their settings. To add one: a function and an entry in ``RECIPES``.

A network takes uint8 RGB crops at native scale and answers with the probability of ALL. It holds
its own scaling of the pixels, so nothing has to be remembered beside it. Keras layers only, no
``tf.`` call: a recipe trains on any Keras backend.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import keras
from keras import layers

from leukemia.errors import RecipeError
from leukemia.learning import applications, colour, imagenet, lite0, rates


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes
    ----------
    epochs, patience : int
        At most so many epochs; stop after so many without a better one.
    cells_per_epoch, batch : int
        Cells drawn an epoch, half of each class, and cells a step.
    learning_rate : float
        The highest; it falls to zero along a half cosine, step by step (Loshchilov & Hutter, ICLR 2017).
    warmup : float
        Share of all steps in which the learning rate first climbs from zero: the body must not follow
        a head that knows nothing yet.
    body_rate : float
        Learning rate of all but the last layer, as a share of ``learning_rate``.
    frozen : int
        Blocks next to the picture that keep their weights, where a recipe has blocks.
    weight_decay : float
        Decoupled weight decay (Loshchilov & Hutter, ICLR 2019).
    l2, dropout : float
        Weight penalty of the layers, and share of units silenced, where a recipe uses them.
    rotation, flips : bool
        Turn by any angle; mirror.
    brightness, colour, gamma, zoom : float
        Largest relative change, either way; ``colour`` for each of red, green and blue by itself,
        ``gamma`` of the exponent of levels.
    blur : float
        Largest standard deviation of a Gaussian in pixels, which half of the time blurs and else
        sharpens (by the difference that it makes).
    smoothing : float
        Label smoothing: targets lie half of this inside 0 and 1 (Szegedy et al., CVPR 2016).
    """

    epochs: int = 16
    patience: int = 5
    cells_per_epoch: int = 2_000
    batch: int = 32
    learning_rate: float = 5e-4
    warmup: float = 0.0
    body_rate: float = 1.0
    frozen: int = 0
    weight_decay: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    rotation: bool = True
    flips: bool = True
    brightness: float = 0.15
    colour: float = 0.0
    gamma: float = 0.0
    blur: float = 0.0
    zoom: float = 0.0
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        positive = ("epochs", "patience", "cells_per_epoch", "batch", "learning_rate")
        for name in positive:
            if getattr(self, name) <= 0:
                raise RecipeError(f"{name.replace('_', ' ')} must be above 0.")
        if not (0 <= self.dropout < 1 and 0 <= self.brightness < 1 and self.l2 >= 0):
            raise RecipeError("Dropout and brightness lie from 0 to below 1, L2 at 0 or above.")
        if self.frozen < 0 or self.blur < 0:
            raise RecipeError("Blur and the number of frozen blocks lie at 0 or above.")
        for name in ("zoom", "colour", "gamma", "warmup", "smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise RecipeError(f"{name.capitalize()} lies from 0 to below 1.")
        if not (0 < self.body_rate <= 1 and self.weight_decay >= 0):
            raise RecipeError("The body's rate lies above 0 and at most at 1, weight decay at 0 or above.")

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return -(-self.cells_per_epoch // self.batch)

    def optimizer(self) -> keras.optimizers.Optimizer:
        """Make the optimizer that these settings ask for."""
        rate = rates.climb_and_fall(self.learning_rate, self.epochs * self.steps_per_epoch, self.warmup)
        if self.body_rate == 1 and not self.weight_decay:
            return keras.optimizers.Adam(rate)
        return rates.BodyAndHead(rate, self.body_rate, self.weight_decay)


def _unit(crop: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Rescaling(1 / 255)(crop)


@dataclass(frozen=True)
class Recipe:
    """A network with a name, an input size and training settings.

    Attributes
    ----------
    name, summary : str
    body : callable
        From scaled pixels and the settings to features (n, units).
    crop : int
        Side of the input in frame pixels.
    training : Training
    pixels : callable
        From the uint8 crop to what the body reads.
    pretrained : callable, optional
        Called with a fresh network and a folder for what it may keep: fills in weights learned
        elsewhere. Batch normalisation then stays as it was there: a few cells a step would upset it.
    refit : float
        Strength (the inverse of the penalty) with which the last layer is learned anew at the end; 0
        leaves it as it is. See :mod:`leukemia.learning.heads`.
    reads : tuple of str
        Layers that the new last layer reads; none for those that the old one read.
    """

    name: str
    summary: str
    body: Callable[[keras.KerasTensor, Training], keras.KerasTensor] = field(repr=False)
    crop: int = 256
    training: Training = Training()
    pixels: Callable[[keras.KerasTensor], keras.KerasTensor] = field(default=_unit, repr=False)
    pretrained: Callable[[keras.Model, Path | None], None] | None = field(default=None, repr=False)
    refit: float = 0.0
    reads: tuple[str, ...] = ()

    def build(self) -> keras.Model:
        """Make the network, with fresh weights.

        Returns
        -------
        keras.Model
            From uint8 (n, crop, crop, 3) to float32 (n, 1): the probability of ALL.
        """
        inputs = keras.Input((self.crop, self.crop, 3), dtype="uint8", name="crop")
        features = self.body(self.pixels(inputs), self.training)
        outputs = layers.Dense(1, activation="sigmoid", name=rates.HEAD)(features)
        model = keras.Model(inputs, outputs, name=self.name.replace("-", "_"))
        lite0.freeze(model, self.training.frozen)
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
            Where its pretrained weights cannot be had.
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
    if name not in RECIPES:
        raise RecipeError(f"No recipe is called {name!r}. There are: {', '.join(RECIPES)}.")
    return RECIPES[name]


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
    return _pooled(lite0.features(x), training)


def _lite0_pixels(crop: keras.KerasTensor) -> keras.KerasTensor:
    return (colour.mean_to_grey(crop) - lite0.PIXEL_MIDDLE) / lite0.PIXEL_SPREAD


def _pooled(x: keras.KerasTensor, training: Training) -> keras.KerasTensor:
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dropout(training.dropout)(x) if training.dropout else x


FINE_TUNING = Training(
    epochs=8,
    patience=8,
    cells_per_epoch=3_000,
    learning_rate=2e-3,
    warmup=0.1,
    body_rate=0.1,
    weight_decay=0.01,
    dropout=0.2,
    # The cell's mean is taken out in the network, so that this changes contrast alone.
    brightness=0.2,
    colour=0.1,
    gamma=0.25,
    blur=1.5,
    zoom=0.15,
    smoothing=0.05,
)


def application(name: str, title: str) -> Recipe:
    """Make the recipe ``name`` of the ``keras.applications`` network called ``title``."""
    return Recipe(
        name,
        f"{title} of keras.applications, ImageNet weights (a download), each cell's colour taken out.",
        lambda x, training: _pooled(applications.features(title, x), training),
        training=FINE_TUNING,
        pixels=lambda crop: applications.scaled(title, colour.mean_to_grey(crop)),
        pretrained=lambda model, cache: applications.load(title, model),
        refit=3e-3,
    )


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "dense-baseline",
            "One dense layer of 128 on the averaged picture: what colour and outline alone can do.",
            _dense,
            training=Training(epochs=30, patience=8),
        ),
        Recipe(
            "reference-cnn",
            "The reference network: convolutions of 32, 64, 128, dense 64 and 128.",
            _convolutions,
        ),
        Recipe(
            "reference-cnn-regularized",
            "The reference network with L2 weight decay and dropout.",
            _convolutions,
            training=Training(l2=1e-4, dropout=0.5),
        ),
        Recipe(
            "efficientnet-lite0",
            "EfficientNet-Lite0, ImageNet weights, each cell's colour taken out, fine-tuned from block 6 on.",
            _lite0,
            # With the first six blocks frozen an epoch takes two thirds of the time.
            training=replace(FINE_TUNING, epochs=5, frozen=6),
            pixels=_lite0_pixels,
            pretrained=imagenet.load,
            # The ends of the stages at a 16th and at a 32nd of the picture's side.
            refit=0.02,
            reads=("block10_add", "block14_add"),
        ),
        application("mobilenet-v2", "MobileNetV2"),
    )
}
