"""The settings of a training, with their bounds, titles and help texts: light to import."""

import contextlib
from dataclasses import dataclass
from typing import Any

from leukemia.errors import RecipeError


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Attributes
    ----------
    epochs, patience : int
        The most epochs; and after how many without improvement training stops.
    cells_per_epoch, batch : int
        Cells drawn per epoch, and per step.
    all_share : float
        Share of an epoch's cells that are of class ALL; with one half, the classes are balanced.
    learning_rate : float
        The peak; it falls to zero along a half cosine, step by step (Loshchilov & Hutter, ICLR 2017).
    warmup : float
        Share of all steps in which the learning rate first rises from zero: an untrained head must not
        pull a pretrained body along.
    body_rate : float
        Learning rate of all layers but the last, as a share of ``learning_rate``.
    frozen : int
        Blocks nearest the input that keep their weights, where a recipe has blocks.
    weight_decay : float
        Decoupled weight decay (Loshchilov & Hutter, ICLR 2019).
    l2, dropout : float
        Weight penalty of the layers, and share of units dropped, where a recipe uses them.
    rotation, flips : bool
        Rotate by any angle; mirror.
    brightness, colour, gamma, zoom : float
        Largest relative change, up or down; ``colour`` of each of red, green and blue separately,
        ``gamma`` of the exponent of levels.
    blur : float
        Largest standard deviation of a Gaussian in pixels, which blurs half of the time and otherwise
        sharpens (unsharp mask).
    jpeg : int
        Lowest quality at which each crop is saved as JPEG and read again, with any chroma subsampling; the
        quality is drawn from here to 100. 0 leaves the crops as they are.
    smoothing : float
        Label smoothing: targets are moved from 0 and 1 by half of this (Szegedy et al., CVPR 2016).
    penalty : float
        Of the last layer, where a recipe solves it; see :mod:`leukemia.training.solved_head`.
    """

    epochs: int = 16
    patience: int = 5
    cells_per_epoch: int = 2_000
    batch: int = 32
    all_share: float = 0.5
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
    jpeg: int = 0
    smoothing: float = 0.0
    penalty: float = 0.1

    def __post_init__(self) -> None:
        for setting in FIELDS:
            setting.check(getattr(self, setting.name))

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return -(-self.cells_per_epoch // self.batch)


@dataclass(frozen=True)
class Field:
    """One setting of a training, for a form and for an argument.

    Attributes
    ----------
    name, title, help : str
        The attribute of :class:`Training`; its title; what it does.
    low, high : float
        Bounds, both included.
    kind : str
        ``"int"``, ``"float"``, ``"log"`` (a float on a logarithmic scale) or ``"bool"``.
    group : str
        :data:`SCHEDULE`, :data:`AUGMENTATION` or :data:`REGULARISATION`.
    """

    name: str
    title: str
    help: str
    low: float
    high: float
    kind: str
    group: str

    def check(self, value: Any) -> None:
        """Raise a RecipeError where a value is of the wrong kind or out of bounds."""
        if self.kind == "bool":
            if not isinstance(value, bool):
                raise RecipeError(f"{self.title} must be on or off, not {value!r}.")
            return
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (whole or (self.kind != "int" and isinstance(value, float))):
            raise RecipeError(
                f"{self.title} must be a {'whole ' if self.kind == 'int' else ''}number, not {value!r}."
            )
        if not self.low <= value <= self.high:
            given = str(value)[:40] if whole else f"{value:g}"
            raise RecipeError(f"{self.title} must be between {self.low:g} and {self.high:g}, not {given}.")

    def parse(self, text: str) -> Any:
        """Read a value from text; raises a RecipeError where it is not one or out of bounds."""
        value: Any = text.strip()
        if self.kind == "bool":
            value = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}.get(
                value.lower(), value
            )
        else:
            with contextlib.suppress(ValueError):
                value = int(value) if self.kind == "int" else float(value)
        self.check(value)
        return value


SCHEDULE, AUGMENTATION, REGULARISATION = "Schedule", "Augmentation", "Regularisation"
GROUPS = (SCHEDULE, AUGMENTATION, REGULARISATION)


def _fields(group: str, *rows: tuple[str, str, str, float, float, str]) -> tuple[Field, ...]:
    return tuple(Field(*row, group) for row in rows)


FIELDS = (
    *_fields(
        SCHEDULE,
        ("epochs", "Epochs", "The most epochs to train for.", 1, 200, "int"),
        ("patience", "Patience", "Stop after this many epochs without improvement.", 1, 200, "int"),
        (
            "cells_per_epoch",
            "Cells per epoch",
            "Drawn again for each epoch, from all patients in turn.",
            2,
            100_000,
            "int",
        ),
        ("batch", "Batch size", "Cells per training step.", 1, 512, "int"),
        (
            "all_share",
            "Share of ALL cells",
            "Among the cells drawn; 0.5 balances the classes.",
            0.1,
            0.9,
            "float",
        ),
        (
            "learning_rate",
            "Learning rate",
            "The peak value; it falls to zero along a half cosine.",
            1e-6,
            0.1,
            "log",
        ),
        ("warmup", "Warm-up", "Share of the steps in which the learning rate first rises.", 0, 0.9, "float"),
        (
            "body_rate",
            "Body learning rate",
            "For all layers but the last, as a share of the learning rate.",
            1e-4,
            1,
            "log",
        ),
        ("frozen", "Frozen blocks", "Blocks nearest the input that keep their weights.", 0, 15, "int"),
    ),
    *_fields(
        AUGMENTATION,
        ("rotation", "Rotation", "Rotate by a random angle.", 0, 1, "bool"),
        ("flips", "Flips", "Mirror half of the images.", 0, 1, "bool"),
        ("brightness", "Brightness", "Largest relative change, up or down.", 0, 0.9, "float"),
        (
            "colour",
            "Colour",
            "Largest relative change of red, green and blue, each separately.",
            0,
            0.9,
            "float",
        ),
        ("gamma", "Gamma", "Largest relative change of the gamma exponent.", 0, 0.9, "float"),
        ("blur", "Blur", "Strongest blur or sharpening: standard deviation in pixels.", 0, 10, "float"),
        (
            "zoom",
            "Zoom",
            "Largest relative change of size, so that size alone does not decide.",
            0,
            0.5,
            "float",
        ),
        (
            "jpeg",
            "JPEG quality",
            "Lowest quality at which crops are saved as JPEG and read again; 0 leaves them as they are.",
            0,
            100,
            "int",
        ),
    ),
    *_fields(
        REGULARISATION,
        ("l2", "L2", "Penalty on the weights of the layers.", 0, 1, "float"),
        ("dropout", "Dropout", "Share of units dropped during training.", 0, 0.9, "float"),
        (
            "weight_decay",
            "Weight decay",
            "Decay of the weights towards zero, apart from the loss.",
            0,
            1,
            "float",
        ),
        (
            "smoothing",
            "Label smoothing",
            "Moves the targets away from 0 and 1 by half of this value.",
            0,
            0.9,
            "float",
        ),
        (
            "penalty",
            "Penalty of the last layer",
            "The larger it is, the smaller are the weights of the last layer, which is solved at once.",
            1e-4,
            100,
            "log",
        ),
    ),
)


def field(name: str) -> Field:
    """Return the setting called ``name``.

    Raises
    ------
    RecipeError
        Where there is none; the message lists those that there are.
    """
    for setting in FIELDS:
        if setting.name == name:
            return setting
    names = ", ".join(setting.name for setting in FIELDS)
    raise RecipeError(f"There is no setting {name!r}. Settings: {names}.")


def parse(name: str, text: str) -> Any:
    """Read a setting's value from text; raises a RecipeError in a sentence."""
    return field(name).parse(text)
