"""Which model versions there are to look at: the model in service and the bundles beside and below it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leukemia import bundle as bundles
from leukemia.bundle import Bundle
from leukemia.errors import BundleError

LABELS = ("Normal", "ALL")


@dataclass(frozen=True)
class Version:
    """One version: its bundle, or the sentence that says why it cannot be read."""

    folder: Path
    bundle: Bundle | None
    problem: str = ""

    @property
    def name(self) -> str:
        """What tells it from others on screen."""
        return self.folder.name


def folders(model: Path) -> list[Path]:
    """Folders that hold a version: the model in service first, then others by name.

    Parameters
    ----------
    model : Path
        The folder of the model in service (:attr:`leukemia.settings.Settings.model`); it is named even
        where nothing lies there.
    """
    model = Path(model).resolve()
    found = {folder for place in (model.parent, model) for folder in _below(place)} - {model}
    return [model, *sorted(found)]


def read(folder: Path) -> Version:
    """Read one version; where it is broken, say so instead."""
    try:
        found = bundles.read(folder)
        _check(found)
    except BundleError as error:
        return Version(Path(folder), None, str(error))
    return Version(Path(folder), found)


def stamp(folder: Path) -> tuple[object, ...]:
    """Tell one state of a version's files from another, at no cost."""
    out: list[object] = []
    for name in (bundles.RECORD, *bundles.CHECKED):
        try:
            found = (folder / name).stat()
        except OSError:
            out.append(None)
        else:
            out.append((found.st_mtime_ns, found.st_size))
    return tuple(out)


def _below(place: Path) -> list[Path]:
    try:
        inside = [path for path in place.iterdir() if not path.name.startswith(".") and path.is_dir()]
    except OSError:
        return []
    # One of the two tells a bundle that lost a file from a folder that never was one.
    marks = (bundles.RECORD, bundles.NETWORK)
    return [path for path in inside if any((path / mark).is_file() for mark in marks)]


def _check(found: Bundle) -> None:
    place = found.folder / bundles.PREDICTIONS
    try:
        predictions = found.predictions
    except (OSError, ValueError) as error:
        raise BundleError(f"{place} cannot be read.") from error
    missing = [name for name in bundles.PREDICTION_COLUMNS if name not in predictions]
    if missing:
        raise BundleError(f"{place} lacks the column(s) {', '.join(missing)}.")
    probability = predictions["probability"]
    numbers = np.issubdtype(probability.dtype, np.number) and probability.between(0, 1).all()
    if (
        not numbers
        or not predictions["label"].isin(LABELS).all()
        or predictions["patient_group"].isna().any()
    ):
        raise BundleError(f"{place} holds rows without a label, a patient or a probability from 0 to 1.")
