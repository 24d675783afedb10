"""How a bundle does: on its own held-out predictions, or on another labelled set."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

from leukemia.bundles.bundle import Bundle
from leukemia.dataset import manifest, splits
from leukemia.errors import DatasetError
from leukemia.evaluation import estimates, metrics, subgroups
from leukemia.evaluation.calibration import to_logit
from leukemia.evaluation.out_of_fold import evaluate_mean
from leukemia.inference.classifier import Classifier, Source
from leukemia.settings import RESEARCH_USE

FOLD_FIGURES = (
    "auroc",
    "auroc_hard_sources",
    "auroc_small",
    "auroc_middle",
    "auroc_large",
    "best_weighted_f1",
    "sensitivity_at_specificity",
    "ece",
    "best_accuracy_at_coverage",
    "sensitivity",
    "specificity",
)
FOLD_HEAD = (
    "recipe",
    "AUROC",
    "AUROC, fold_2 and preliminary",
    "AUROC, small cells",
    "AUROC, middle",
    "AUROC, large",
    "best weighted F1",
    "sensitivity at specificity .80",
    "ECE",
    "accuracy at 80 % coverage",
    "sensitivity at the threshold",
    "specificity",
    "patients right",
)


@dataclass(frozen=True)
class Scored:
    """Predictions judged at a bundle's threshold.

    Attributes
    ----------
    bundle : Bundle
    predictions : pandas.DataFrame
        Columns patient_group, label, probability; a row a cell.
    on : str
        What the predictions were made on, for a reader.
    notes : tuple of str
        What a reader must know beside the figures.
    """

    bundle: Bundle
    predictions: pd.DataFrame
    on: str
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The figures as text, with 95 % intervals over patients."""
        threshold = self.bundle.threshold
        counts = metrics.confusion(self.predictions, threshold)
        cells = estimates.of(self.predictions, threshold)
        patients = estimates.of_patients(self.predictions, threshold)
        groups = self.predictions.drop_duplicates("patient_group")["label"].value_counts()
        return [
            f"{self.bundle.name} on {self.on}",
            f"{len(self.predictions):,} cells of {groups.get('ALL', 0)} ALL and {groups.get('Normal', 0)} "
            f"normal patient groups; ALL-like from a probability of {threshold:.4f} on",
            *self.notes,
            "",
            f"{'figure':<18} {'by cell (95 % over patients)':<30} by patient: mean probability",
            *(f"{name:<18} {cells[name]!s:<30} {patients[name]}" for name in cells),
            "",
            f"{'':<12} {'called ALL-like':>16} {'called Normal-like':>19}",
            f"{'ALL':<12} {counts['tp']:>16,} {counts['fn']:>19,}",
            f"{'Normal':<12} {counts['fp']:>16,} {counts['tn']:>19,}",
            *self._more(),
            "",
            RESEARCH_USE,
        ]

    def _more(self) -> list[str]:
        """What predictions of folds say beside: where the model is weak, and what it leaves open."""
        if not self.bundle.folds or "cell_area" not in self.predictions:
            return []
        found = subgroups.estimate(self.predictions, self.bundle.threshold)
        record = self.bundle.record
        quiet, far = record.indeterminate.out_of_fold, record.novelty
        right, people = patients_right(self.predictions)
        lines = [
            "",
            *(f"{name:<28} {figure!s:<26} {subgroups.MEANING[name]}" for name, figure in found.items()),
            "",
            f"Patients called right by the mean of their cells: {right} of {people}, each at the "
            "threshold that parts the patients of the other folds best.",
            f"Indeterminate, each patient weighing the same: {quiet.indeterminate:.1%}; of ALL cells "
            f"{quiet.missed:.1%} are called Normal-like outright, of normal ones {quiet.alarmed:.1%} "
            "ALL-like.",
        ]
        for name, estimate in (record.parts or {}).items():
            lines.append(f"AUROC by logits as they are, {name}: {estimate}")
        if far:
            lines.append(
                f"{far.passed_out_of_fold:.1%} of cells pass the limit of novelty that other folds set."
            )
        return lines


def from_predictions(bundle: Bundle) -> Scored:
    """Judge a bundle again, from the held-out predictions that it carries."""
    on = "its held-out test patients" if not bundle.leaky else f"its test images ({splits.LEAKY})"
    if bundle.folds:
        on = f"all its patients, each judged by a network that did not see them ({bundle.folds} folds)"
    notes = ("Trained on synthetic cells.",) if bundle.synthetic else ()
    return Scored(bundle, bundle.predictions, on, notes)


def patients_right(predictions: pd.DataFrame) -> tuple[int, int]:
    """How many patient groups the mean logit of their cells calls right, and of how many.

    The threshold of a fold's patients is the one of the highest balanced accuracy on the other folds'.

    Parameters
    ----------
    predictions : pandas.DataFrame
        Columns patient_group, label, probability, fold; a row a cell.
    """
    cells = predictions.assign(logit=to_logit(predictions["probability"].to_numpy(float)))
    people = cells.groupby(["patient_group", "label", "fold"])["logit"].mean().reset_index()
    truth, fold = (people["label"] == "ALL").to_numpy(), people["fold"].to_numpy()
    logit = people["logit"].to_numpy()
    right = 0
    for number in np.unique(fold):
        own, rest = fold == number, fold != number
        fp, tp, at = roc_curve(truth[rest], logit[rest])
        right += int(((logit[own] >= at[np.argmax(tp - fp)]) == truth[own]).sum())
    return right, len(people)


def fold_table(bundles: Sequence[Bundle], *, together: bool = False) -> list[str]:
    """Cross-validated bundles side by side, as lines of a Markdown table, in the order given.

    Parameters
    ----------
    bundles : sequence of Bundle
    together : bool, optional
        Whether a last row shows their mean; see :func:`leukemia.evaluation.out_of_fold.evaluate_mean`.
    """
    rows = [(f"{one.recipe}, {one.record.views} view(s)", one.predictions, one.threshold) for one in bundles]
    if together:
        mean = evaluate_mean([one.predictions for one in bundles], [one.folder.name for one in bundles])
        rows.append((f"mean of these {len(bundles)}", mean.predictions, mean.threshold))
    lines = [" | ".join(("", *FOLD_HEAD, "")).strip(), "|" + "---|" * len(FOLD_HEAD)]
    for name, predictions, threshold in rows:
        found = estimates.of(predictions, threshold) | subgroups.estimate(predictions, threshold)
        right, people = patients_right(predictions)
        cells = (str(found[key]) if key in found else "" for key in FOLD_FIGURES)
        lines.append(" | ".join(("", name, *cells, f"{right} of {people}", "")).strip())
    return lines


def table(bundles: Sequence[Bundle]) -> list[str]:
    """Several bundles of single splits side by side, as lines of a Markdown table, in the order given.

    The column on validation patients is what a choice between recipes may rest on; the others are
    on test patients, with 95 % intervals over patients.
    """
    names = ("sensitivity", "specificity", "weighted_f1", "auroc")
    head = ("recipe", "split", "validation: recall at specificity .80", *names, "patients right")
    lines = [" | ".join(("", *head, "")).strip(), "|" + "---|" * len(head)]
    for bundle in bundles:
        record = bundle.record
        best = record.history[record.epochs.best - 1]
        cells = estimates.of(bundle.predictions, bundle.threshold)
        people = metrics.by_patient(bundle.predictions)
        right = (people["probability"] >= bundle.threshold) == (people["label"] == "ALL")
        row = (
            bundle.recipe,
            f"{record.split.by}{' (leaky)' * bundle.leaky}",
            f"{best['val_recall_at_specificity']:.3f}",
            *(str(cells[name]) for name in names),
            f"{right.sum()} of {len(right)}",
        )
        lines.append(" | ".join(("", *row, "")).strip())
    return lines


def on_dataset(
    bundle: Bundle, data: Path, *, progress: Callable[[int, int, str], None] | None = None
) -> Scored:
    """Judge a bundle on a prepared labelled set, leaving out patients that it learned from.

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
        Where the folder is not prepared, or no patient is left, or one class only.
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
        raise DatasetError(f"Every patient in {data} was learned from: nothing to judge {bundle.name} on.")
    classifier = Classifier(bundle)
    sources = [Source.file(data / path, path) for path in cells["path"]]
    probability = []
    for done, answer in enumerate(classifier.classify(sources), 1):
        probability.append(answer.probability)
        if progress:
            progress(done, len(sources), "Classifying")
    predictions = cells[["image_id", "patient_group", "label"]].assign(probability=probability)
    refused = int(predictions["probability"].isna().sum())
    notes = []
    if left_out:
        notes.append(f"{left_out} patient groups that it learned from are left out.")
    if refused:
        notes.append(f"{refused} images could not be read and are left out.")
    return Scored(bundle, predictions.dropna(subset="probability"), f"{data}", tuple(notes))
