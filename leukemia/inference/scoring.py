"""A bundle's predictions on labelled cells: those that it carries, or those that it makes on another set."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from leukemia.bundles.bundle import Bundle
from leukemia.dataset import manifest, splits
from leukemia.errors import DatasetError
from leukemia.imaging.scale import NATIVE
from leukemia.inference.answer import Source
from leukemia.inference.classifier import Classifier


@dataclass(frozen=True)
class Scored:
    """Predictions of a bundle beside the labels.

    Attributes
    ----------
    bundle : Bundle
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, and source where it is known; a row a cell.
    on : str
        What the predictions were made on, for a reader.
    notes : tuple of str
        What a reader must know beside the estimates.
    """

    bundle: Bundle
    predictions: pd.DataFrame
    on: str
    notes: tuple[str, ...] = ()


def on_held_out(bundle: Bundle) -> Scored:
    """Take the held-out predictions that a bundle carries."""
    on = "its held-out test patients" if not bundle.leaky else f"its test images ({splits.LEAKY})"
    if bundle.folds:
        on = f"all its patients, each evaluated by a network that did not see them ({bundle.folds} folds)"
    notes = ("Trained on synthetic cells.",) if bundle.synthetic else ()
    return Scored(bundle, bundle.predictions, on, notes)


def on_dataset(
    bundle: Bundle, data: Path, *, progress: Callable[[int, int, str], None] | None = None
) -> Scored:
    """Classify a prepared labelled set, leaving out patients that the bundle learned from.

    Parameters
    ----------
    bundle : Bundle
    data : Path
        A prepared folder.
    progress : callable, optional
        Called with (done, total, "Classifying").

    Raises
    ------
    DatasetError
        Where the folder is not prepared, or no patient is left.
    """
    cells = manifest.read(data)
    cells = cells[cells["label"] != ""]
    split = bundle.record.split
    learned = {*split.training.groups, *split.validation.groups}
    # Patients' names tell people apart within the real set or within drawn ones, not across.
    drawn = bool((cells["source"] == "synthetic").all())
    known = cells["patient_group"].isin(learned) & (bundle.synthetic == drawn)
    left_out = cells.loc[known, "patient_group"].nunique()
    cells = cells[~known]
    if cells.empty:
        raise DatasetError(
            f"{bundle.name} was trained on every patient in {data}: there is nothing to evaluate it on."
        )
    classifier = Classifier(bundle)
    # A prepared set is read at the scale at which it is trained on.
    sources = [Source.file(data / path, path, NATIVE) for path in cells["path"]]
    probability = []
    for done, answer in enumerate(classifier.classify(sources), 1):
        probability.append(answer.probability)
        if progress:
            progress(done, len(sources), "Classifying")
    predictions = cells[["image_id", "patient_group", "label", "source"]].assign(probability=probability)
    refused = int(predictions["probability"].isna().sum())
    notes = []
    if left_out:
        notes.append(f"{left_out} patient groups that it was trained on are left out.")
    if refused:
        notes.append(f"{refused} images could not be read and are left out.")
    return Scored(bundle, predictions.dropna(subset="probability"), f"{data}", tuple(notes))
