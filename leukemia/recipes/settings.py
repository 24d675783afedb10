"""The settings of a training, their bounds, and what they are called: light to import."""

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
        At most so many epochs; stop after so many without a better one.
    cells_per_epoch, batch : int
        Cells drawn an epoch, and cells a step.
    all_share : float
        Share of an epoch's cells that are of class ALL; with one half, the classes are balanced.
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
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        for one in FIELDS:
            one.check(getattr(self, one.name))

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
        The attribute of :class:`Training`; what it is called; what it does.
    low, high : float
        Sane bounds, both allowed.
    kind : str
        ``"int"``, ``"float"``, ``"log"`` (a float whose steps are factors) or ``"bool"``.
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
        """Raise a RecipeError where a value is of another kind or out of bounds."""
        if self.kind == "bool":
            if not isinstance(value, bool):
                raise RecipeError(f"{self.title} is on or off, not {value!r}.")
            return
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (whole or (self.kind != "int" and isinstance(value, float))):
            raise RecipeError(
                f"{self.title} is a {'whole ' if self.kind == 'int' else ''}number, not {value!r}."
            )
        if not self.low <= value <= self.high:
            raise RecipeError(f"{self.title} lies from {self.low:g} to {self.high:g}, not at {value:g}.")

    def parse(self, text: str) -> Any:
        """Read a value from text; raises a RecipeError where it is none or out of bounds."""
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
        ("epochs", "Epochs", "Rounds through drawn cells, at most.", 1, 200, "int"),
        ("patience", "Patience", "Stop after so many epochs without a better one.", 1, 200, "int"),
        ("cells_per_epoch", "Cells an epoch", "Drawn anew each epoch, patients in turn.", 2, 100_000, "int"),
        ("batch", "Batch", "Cells a step.", 1, 512, "int"),
        (
            "all_share",
            "Share of ALL cells",
            "Of the cells drawn; a half is balanced.",
            0.1,
            0.9,
            "float",
        ),
        ("learning_rate", "Learning rate", "The highest; it falls along a half cosine.", 1e-6, 0.1, "log"),
        ("warmup", "Warm-up", "Share of the steps in which the rate climbs first.", 0, 0.9, "float"),
        ("body_rate", "Rate of the body", "Of all but the last layer, as a share.", 1e-4, 1, "log"),
        ("frozen", "Frozen blocks", "Blocks next to the picture that keep their weights.", 0, 15, "int"),
    ),
    *_fields(
        AUGMENTATION,
        ("rotation", "Rotation", "Turn by any angle.", 0, 1, "bool"),
        ("flips", "Flips", "Mirror half of the time.", 0, 1, "bool"),
        ("brightness", "Brightness", "Largest relative change, either way.", 0, 0.9, "float"),
        ("colour", "Colour", "Largest change of red, green, blue each by itself.", 0, 0.9, "float"),
        ("gamma", "Gamma", "Largest relative change of the exponent of levels.", 0, 0.9, "float"),
        ("blur", "Blur", "Largest blur or sharpening: deviation in pixels.", 0, 10, "float"),
        ("zoom", "Zoom", "Largest relative change of size, which itself tells.", 0, 0.5, "float"),
    ),
    *_fields(
        REGULARISATION,
        ("l2", "L2", "Penalty on the weights of the layers, where used.", 0, 1, "float"),
        ("dropout", "Dropout", "Share of units silenced in training, where used.", 0, 0.9, "float"),
        ("weight_decay", "Weight decay", "Pull of weights toward zero beside the loss.", 0, 1, "float"),
        ("smoothing", "Label smoothing", "Targets lie half of this inside 0 and 1.", 0, 0.9, "float"),
    ),
)


def field(name: str) -> Field:
    """Return the setting called ``name``; raise a RecipeError that lists them where there is none."""
    for one in FIELDS:
        if one.name == name:
            return one
    raise RecipeError(f"No setting is called {name!r}. There are: {', '.join(one.name for one in FIELDS)}.")


def parse(name: str, text: str) -> Any:
    """Read a setting's value from text; raises a RecipeError in a sentence."""
    return field(name).parse(text)
