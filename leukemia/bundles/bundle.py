"""A model on disk: network, preprocessing, threshold, estimates, card.

A bundle is a directory:

``model.keras``
    The network as it was trained (Keras 3).
``engine.xml``, ``engine.bin``
    The same network for OpenVINO, which answers faster than Keras and starts without it. Both are
    compared when the bundle is written.
``bundle.json``
    What the model is: recipe, preprocessing, class indices, threshold, estimates, checksums; see
    :mod:`leukemia.bundles.schema`.
``predictions.csv``
    Held-out predictions: image_id, patient_group, label, probability. Every curve can be redrawn
    from it without an image.
``MODEL_CARD.md``
    The same for a reader.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia.bundles import predictions as held_out
from leukemia.bundles import schema
from leukemia.errors import BundleError
from leukemia.operating_point import OperatingPoint

if TYPE_CHECKING:
    from leukemia.imaging.stain import Stain

NETWORK = "model.keras"
ENGINE = "engine.xml"
WEIGHTS = "engine.bin"
RECORD = "bundle.json"
PREDICTIONS = "predictions.csv"
CARD = "MODEL_CARD.md"
CHECKED = (NETWORK, ENGINE, WEIGHTS, PREDICTIONS, CARD)
FILES = (*CHECKED, RECORD)
MAX_RECORD, MAX_CARD = 16 * 1024**2, 4 * 1024**2


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and checked; made by :func:`read`.

    Attributes
    ----------
    folder : Path
        Where it lies.
    record : schema.Record
        The content of ``bundle.json``.
    """

    folder: Path
    record: schema.Record

    @property
    def name(self) -> str:
        """Recipe and hash, short enough for a line on screen."""
        return f"{self.recipe} {self.digest[:8]}"

    @property
    def recipe(self) -> str:
        """Name of the recipe that made it."""
        return self.record.recipe.name

    @property
    def digest(self) -> str:
        """SHA-256 of the network: tells two networks apart."""
        return self.record.files[NETWORK]

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the record: tells versions apart, also those that share a network."""
        return hashlib.sha256(json.dumps(self.record.to_dict(), sort_keys=True).encode()).hexdigest()

    @property
    def threshold(self) -> float:
        """Probability of ALL at which sensitivity and specificity split the cells in two."""
        return float(self.record.threshold.value)

    @property
    def operating_point(self) -> OperatingPoint:
        """From which probabilities cells are called ALL-like, Normal-like and Indeterminate."""
        return self.record.operating_point

    @property
    def band(self) -> tuple[float, float] | None:
        """Ends of the indeterminate band that was found with the model, or None."""
        return self.record.band

    @property
    def novelty_limit(self) -> float | None:
        """Distance from the cells learned beyond which a picture is not answered, or None."""
        novelty = self.record.novelty
        return float(novelty.limit) if novelty else None

    @property
    def stain(self) -> "Stain | None":
        """The colours of the cells that it learned from; None where they are not on record."""
        from leukemia.imaging.stain import Stain

        found = self.record.stain
        return Stain(found.middle, found.spread, found.cells) if found else None

    @property
    def input_size(self) -> int:
        """Side of the square crop that the network reads, in frame pixels."""
        return self.record.preprocessing.crop

    @property
    def pixel_size(self) -> float:
        """Micrometres per pixel of the frames that it learned from; C-NMC's where it is not on record."""
        from leukemia.imaging.scale import PIXEL_SIZE

        return float(self.record.preprocessing.pixel_size or PIXEL_SIZE)

    @property
    def synthetic(self) -> bool:
        """Whether it learned from drawn cells only."""
        return self.record.data.synthetic

    @property
    def leaky(self) -> bool:
        """Whether patients stood on both sides of its split."""
        return self.record.split.by != "patient"

    @property
    def folds(self) -> int:
        """In how many folds its recipe was evaluated on every patient; 0 for a single split."""
        return self.record.split.folds

    @cached_property
    def card(self) -> str:
        """The model card, Markdown."""
        return (self.folder / CARD).read_text(encoding="utf-8")

    @cached_property
    def predictions(self) -> "pandas.DataFrame":  # noqa: F821
        """Held-out predictions; columns :data:`leukemia.bundles.predictions.COLUMNS`."""
        import pandas as pd

        return pd.read_csv(
            self.folder / PREDICTIONS,
            dtype=dict.fromkeys(held_out.TEXTS, str),
            # A patient or a source may be called NA.
            keep_default_na=False,
            na_values=[""],
        )


def read(folder: Path) -> Bundle:
    """Read a bundle and check that it is whole and unaltered.

    Parameters
    ----------
    folder : Path
        The bundle's directory.

    Raises
    ------
    BundleError
        Where it is missing, incomplete, of a format that is not known here, a file was altered, or a field
        or a prediction is none that there can be.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BundleError(f"No model bundle at {folder}.")
    path = folder / RECORD
    try:
        text = _text(path, MAX_RECORD)
    except FileNotFoundError as error:
        raise BundleError(f"{folder} is not a model bundle: it has no {RECORD}.") from error
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} is damaged and cannot be read.") from error
    record = schema.parse(text, str(path))
    for name in CHECKED:
        if not (folder / name).is_file():
            raise BundleError(f"{folder} is incomplete: {name} is missing.")
        if checksum(folder / name) != record.files.get(name):
            raise BundleError(f"{folder / name} is not the file that was written with this bundle.")
    for name in (PREDICTIONS, CARD):
        if problem := _problem(folder / name, record.files[name]):
            raise BundleError(f"{folder / name} {problem}.")
    return Bundle(folder, record)


@lru_cache(maxsize=64)
def _problem(path: Path, sha256: str) -> str:
    """What is wrong with a file of these contents, in a clause; kept, since what serves is read often."""
    if path.name == PREDICTIONS:
        return held_out.problem(path)
    try:
        _text(path, MAX_CARD)
    except (OSError, ValueError):
        return "is no text that can be shown"
    return ""


def _text(path: Path, most: int) -> str:
    if path.stat().st_size > most:
        raise ValueError(f"{path} is too large")
    return path.read_text(encoding="utf-8")


def checksum(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
