"""The model card: what a reader must know of a model, in the nine usual sections.

Mitchell M, et al. Model cards for model reporting. FAT* 2019, doi:10.1145/3287560.3287596.
"""

from leukemia.bundles import schema
from leukemia.classes import ALL, NORMAL
from leukemia.dataset.splits import LEAKY
from leukemia.evaluation.formatting import interval
from leukemia.evaluation.metrics import MEANING
from leukemia.evaluation.subgroups import MEANING as SUBGROUP_MEANING
from leukemia.markdown import plain
from leukemia.settings import RESEARCH_USE

CITATION = (
    "Gupta A, Gupta R. ALL Challenge dataset of ISBI 2019 (C-NMC 2019). The Cancer Imaging Archive, "
    "2019. doi:10.7937/tcia.2019.dc64i46r. CC BY 3.0."
)


def render(record: schema.Record) -> str:
    """Render the card of a bundle's record as Markdown."""
    sections = {
        "Model details": _details(record),
        "Intended use": _use(),
        "Factors": _factors(record),
        "Metrics": _metrics(record),
        "Evaluation data": _evaluated(record),
        "Training data": _learned(record),
        "Quantitative analyses": _analyses(record),
        "Ethical considerations": _ethics(),
        "Caveats and recommendations": _caveats(record),
    }
    if record.changes:
        sections["Changes of the threshold"] = _changes(record.changes)
    title = f"# Model card: {record.recipe.name}\n\n**{RESEARCH_USE}**\n"
    return title + "".join(f"\n## {name}\n\n{text}\n" for name, text in sections.items())


def _details(record: schema.Record) -> str:
    recipe, versions = record.recipe, record.versions
    settings = ", ".join(f"{key} {value}" for key, value in recipe.training.items())
    trees = " Boosted trees on size, outline, optical density and colour add their logit." * recipe.morphology
    return (
        f"{recipe.summary}{trees} {record.preprocessing.parameters:,} parameters; "
        f"{record.preprocessing.crop}-pixel RGB crops at native scale.\n\n"
        f"- Made {record.created} with Keras {versions['keras']}, TensorFlow {versions['tensorflow']}.\n"
        f"- Training: {settings}; seed {record.split.seed}; best of {record.epochs.run} epochs: "
        f"number {record.epochs.best}.\n"
        f"- Licence: Apache-2.0 for code and weights."
    )


def _use() -> str:
    return (
        "Research and teaching on single white blood cells, stained, cut out on black, at the "
        "magnification of C-NMC 2019. Not for smears, other stains, other cells, or any decision about a "
        "patient."
    )


def _factors(record: schema.Record) -> str:
    return (
        "Patient and slide (colour, brightness), cell size and frame size change what the network sees. "
        f"Source of the cells: {'drawn by a program' if record.data.synthetic else 'C-NMC 2019'}."
    )


def _metrics(record: schema.Record) -> str:
    lines = "\n".join(f"- **{name}**: {MEANING[name]}" for name in record.estimates)
    threshold = record.threshold
    return (
        f"{lines}\n\nA cell is called ALL-like at a probability of {threshold.value:.4f} or more. This "
        f"threshold was chosen on {threshold.chosen_on} for a recall of {threshold.target_recall:.2f}. "
        "Intervals are 95 %, from 1,000 bootstrap resamples of patients, stratified by class."
    )


def _evaluated(record: schema.Record) -> str:
    folds = record.split.folds
    if not folds:
        return _data(record, "test")
    return (
        f"{_data(record, 'test')} The patients were assigned to {folds} folds, alike in class, cell size and "
        f"source. The patients of each fold were classified by a network trained on the other {folds - 1}; "
        "the calibration and the threshold used for a fold come from the other folds too."
    )


def _learned(record: schema.Record) -> str:
    if record.split.folds:
        return (
            f"{_data(record, 'training')} The network of this bundle learned from all of them, by the same "
            "recipe as the networks of the folds; its metrics are theirs."
        )
    return _data(record, "training") + "\n\n" + _data(record, "validation")


def _data(record: schema.Record, name: str) -> str:
    part: schema.Subset = getattr(record.split, name)
    counts = ", ".join(
        f"{part.cells.get(label, 0):,} {label} cells of {part.patient_groups.get(label, 0)} patients"
        for label in (ALL, NORMAL)
    )
    leak = "" if record.split.by == "patient" else f" **{LEAKY}.**"
    return (
        f"{name.capitalize()}: {counts}.{leak} Data fingerprint {record.data.fingerprint[:16]}."
        + f" **{record.data.warning}**" * bool(record.data.warning)
    )


def _analyses(record: schema.Record) -> str:
    unit = "unseen patients" if record.split.by == "patient" else LEAKY
    rows = "\n".join(
        f"| {name} | {interval(estimate)} | {interval(record.patient_estimates[name])} |"
        for name, estimate in record.estimates.items()
    )
    counts = record.confusion
    part = "Out of fold" if record.split.folds else "On the test part"
    return (
        f"{part} ({unit}):\n\n"
        "| metric | by cell (95 % over patients) | by patient: mean probability (95 %) |\n|---|---|---|\n"
        f"{rows}\n\nCounts of cells: {counts['tp']} ALL found, {counts['fn']} ALL missed, "
        f"{counts['tn']} normal called so, {counts['fp']} normal called ALL-like."
        + _subgroups(record)
        + _abstention(record)
        + _parts(record)
        + _far(record.novelty)
    )


def _subgroups(record: schema.Record) -> str:
    if not record.subgroups:
        return ""
    rows = "\n".join(
        f"| {name} | {interval(estimate)} | {SUBGROUP_MEANING[name]} |"
        for name, estimate in record.subgroups.items()
    )
    return f"\n\n| metric | by cell (95 % over patients) | meaning |\n|---|---|---|\n{rows}"


def _abstention(record: schema.Record) -> str:
    calibration, band = record.calibration, record.indeterminate
    if not (calibration and band and band.out_of_fold):
        return ""
    shares = band.out_of_fold
    return (
        f"\n\nCalibrated by {calibration.method} (stretch {calibration.stretch:.3f}, shift "
        f"{calibration.shift:.3f}), chosen by out-of-fold log loss. Between {band.low:.3f} and "
        f"{band.high:.3f} a cell is indeterminate: of a new patient's cells, in expectation, at most "
        f"{band.missed:.0%} of the ALL ones lie below and at most {band.alarmed:.0%} of normal ones "
        f"above (split-conformal, by patient). Out of fold {shares.missed:.1%} and {shares.alarmed:.1%} "
        f"did, and {shares.indeterminate:.1%} were indeterminate, each patient weighing the same."
    )


def _parts(record: schema.Record) -> str:
    if not record.parts:
        return ""
    rows = "\n".join(f"| {name} | {interval(estimate)} |" for name, estimate in record.parts.items())
    return (
        "\n\nWhat answers, each by its logits as they are:\n\n"
        f"| | AUROC by cell (95 % over patients) |\n|---|---|\n{rows}"
    )


def _far(novelty: schema.Novelty | None) -> str:
    if not novelty:
        return ""
    return (
        f"\n\nA picture whose features lie farther than {novelty.limit:.3f} from those of the training "
        "cells (Mahalanobis distance; 1 is usual) is not answered. Of cells of unseen patients "
        f"{novelty.passed_out_of_fold:.1%} lie within the limit set by the other folds."
    )


def _ethics() -> str:
    return (
        "The cells come from one hospital laboratory, without age, sex or origin of the patients: how the "
        "model does by group is not known. A missed blast is the worst error, so the threshold favours "
        f"recall.\n\nData: {CITATION}"
    )


def _caveats(record: schema.Record) -> str:
    drawn = (
        " The model learned from drawn cells: its answers mean nothing in a clinic." * record.data.synthetic
    )
    return (
        "One centre, one stain, two classes, cut-out cells. Every patient of the set has one class only, so "
        "a metric on patients that were learned from is worthless. Few healthy patients stand in the test "
        "part: read the intervals, not the points. Patients who share an identical or near-identical cell "
        "count as one." + drawn
    )


def _changes(changes: tuple[schema.Change, ...]) -> str:
    lines = "\n".join(
        f"- {change.at}, {plain(change.who)}: {change.old:.4f} → {change.new:.4f}, "
        f"{plain(change.chosen)}. {plain(change.reason)} (Made from "
        f"{plain(change.source)}.)"
        for change in changes
    )
    return (
        f"{lines}\n\nThe metrics of this card are at the last threshold. It was chosen on the same patients "
        "that they are computed on: on new patients expect a little less."
    )
