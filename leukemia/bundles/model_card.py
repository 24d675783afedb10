"""The model card: what a reader must know of a model, in the nine usual sections.

Mitchell M, et al. Model cards for model reporting. FAT* 2019, doi:10.1145/3287560.3287596.
"""

from collections.abc import Iterable, Sequence

from leukemia.bundles import card_history, schema
from leukemia.classes import ALL, NORMAL
from leukemia.counting import counted
from leukemia.dataset.splits import LEAKY
from leukemia.evaluation import three_way
from leukemia.evaluation.breakdown import source_words, stress
from leukemia.evaluation.breakdown.subgroups import MEANING as SUBGROUP_MEANING
from leukemia.evaluation.formatting import interval
from leukemia.evaluation.metrics import MEANING
from leukemia.markdown import plain
from leukemia.operating_point import WORDS
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
        "Ethical considerations": _ethics(record.data),
        "Caveats and recommendations": _caveats(record),
    }
    if record.changes:
        sections["Changes of threshold and limits"] = card_history.changes(record)
    if record.site:
        sections["Accepted for a laboratory"] = card_history.site(record.site)
    title = f"# Model card: {record.recipe.name}\n\n**{RESEARCH_USE}**\n"
    return title + "".join(f"\n## {name}\n\n{text}\n" for name, text in sections.items())


def _details(record: schema.Record) -> str:
    recipe, versions = record.recipe, record.versions
    settings = ", ".join(f"{key} {value}" for key, value in recipe.training.items())
    return (
        f"{recipe.summary} {record.preprocessing.parameters:,} parameters; "
        f"{record.preprocessing.crop}-pixel RGB crops at native scale.\n\n"
        f"- Made {record.created} with Keras {versions.get('keras', '?')}, TensorFlow "
        f"{versions.get('tensorflow', '?')}.\n"
        f"- Training: {settings}; seed {record.split.seed}; best of {record.epochs.run} epochs: "
        f"number {record.epochs.best}.\n"
        f"{'- ' + engine(record.engine) + chr(10) if record.engine else ''}"
        f"- Licence: Apache-2.0 for code and weights."
    )


def engine(engine: schema.Engine) -> str:
    """In which precision the model computes, and what that changes: plain text."""
    if engine.precision == "f32":
        return f"Engine: OpenVINO in full precision (f32). {engine.reason}".rstrip()
    return (
        f"Engine: OpenVINO in 8-bit integers (int8), calibrated on {engine.calibrated_on:,} training cells. "
        f"Against full precision, on {engine.judged_on:,} labelled cells: AUROC "
        f"{engine.auroc_difference:+.4f}, no probability changed by more than {engine.largest_change:.3f}, "
        "no ALL-like cell became Normal-like."
    )


def _use() -> str:
    return (
        "Research and teaching with images of single stained white blood cells, cut out on black, at the "
        "magnification of C-NMC 2019. Not for smears, other stains or other cells, and not for any "
        "decision about a patient."
    )


def _factors(record: schema.Record) -> str:
    return (
        "Patient and slide (colour, brightness), cell size and frame size change what the network sees. "
        f"Source of the cells: {'drawn by a program' if record.data.synthetic else 'C-NMC 2019'}."
        + _reviewed(record.data)
    )


def _reviewed(data: schema.Data) -> str:
    if not data.reviewed:
        return ""
    cases = "1 signed case" if data.reviewed_cases == 1 else f"{data.reviewed_cases:,} signed cases"
    return (
        f" Beside them, {data.reviewed:,} cells of {cases} of the laboratory that trained it (source "
        "review): their labels are the readers' verdicts on single cells, not confirmed by another test."
    )


def _metrics(record: schema.Record) -> str:
    lines = "\n".join(f"- **{name}**: {MEANING.get(name, 'not known here')}" for name in record.estimates)
    threshold = record.threshold
    chosen_on = threshold.chosen_on.replace(
        schema.ON_ITS_OWN_TEST, "the same held-out patients as these metrics"
    )
    return (
        f"{lines}\n\nDecisions: {record.operating_point} Sensitivity, specificity and the metrics made of "
        "them are at a threshold, as if every cell had to be called ALL-like (at a probability of "
        f"{threshold.value:.4f} or above) or Normal-like. This threshold was chosen on {chosen_on} for a "
        f"sensitivity (recall) of {threshold.target_recall:.1%}{_in_each_source(threshold)}. 95% intervals "
        "come from 1,000 bootstrap resamples of patients, stratified by class."
    )


def _in_each_source(threshold: schema.Threshold) -> str:
    """For whom the sensitivity was asked for; nothing where that was all cells alone."""
    if threshold.worst_source is None:
        return ""
    asked = f"; the lowest was needed in {plain(threshold.worst_source)}" if threshold.worst_source else ""
    return f" {source_words.EACH_SOURCE}, with each patient weighing the same{asked}"


def _evaluated(record: schema.Record) -> str:
    folds = record.split.folds
    if not folds:
        return _data(record, "test")
    if record.split.left_out == "source":
        return (
            f"{_data(record, 'test')} Each of the {folds} sources was left out in turn: its cells were "
            "classified by a network that saw none of them, nor other cells of their patients; the "
            "calibration and the threshold used for a source come from the other sources too."
        )
    return (
        f"{_data(record, 'test')} The patients were assigned to {folds} folds, balanced by class, cell "
        "size and source. The patients of each fold were classified by a network trained on the other "
        f"{folds - 1}; the calibration and the threshold used for a fold come from the other folds too."
    )


def _learned(record: schema.Record) -> str:
    if record.split.folds:
        return (
            f"{_data(record, 'training')} The network in this bundle was trained on all of them, with the "
            "same recipe as the networks of the folds. The metrics are those of the fold networks."
        )
    return _data(record, "training") + "\n\n" + _data(record, "validation")


def _data(record: schema.Record, name: str) -> str:
    part: schema.Subset = getattr(record.split, name)
    counts = ", ".join(
        f"{part.cells.get(label, 0):,} {label} cells of {part.patient_groups.get(label, 0)} patient groups"
        for label in (ALL, NORMAL)
    )
    # A group with cells of both classes is counted in each.
    if (both := sum(part.patient_groups.values()) - len(part.groups)) > 0 and part.groups:
        counts += f" ({both} of them with {ALL} cells, too)"
    leak = "" if record.split.by == "patient" else f" **{LEAKY}.**"
    return (
        f"{name.capitalize()}: {counts}.{leak} Data fingerprint {record.data.fingerprint[:16]}."
        + f" **{record.data.warning}**" * bool(record.data.warning)
    )


def _analyses(record: schema.Record) -> str:
    unit = "unseen patients" if record.split.by == "patient" else LEAKY
    rows = "\n".join(
        f"| {name} | {interval(estimate)} | {_of_patients(record, name)} |"
        for name, estimate in record.estimates.items()
    )
    counts = record.confusion
    part = "Out of fold" if record.split.folds else "On the test part"
    return (
        f"{part} ({unit}):\n\n| metric | by cell (95% over patients) | by patient: mean probability (95%) "
        f"|\n|---|---|---|\n{rows}\n\nCounts of cells at the threshold: {counts['tp']} ALL found, "
        f"{counts['fn']} ALL missed, {counts['tn']} normal called Normal-like, {counts['fp']} normal called "
        "ALL-like."
        + _three_way(record)
        + _by_source(record)
        + _stress(record)
        + _subgroups(record)
        + _abstention(record)
        + _far(record.novelty)
    )


def _of_patients(record: schema.Record, name: str) -> str:
    estimate = record.patient_estimates.get(name)
    return interval(estimate) if estimate else "–"


def _three_way(record: schema.Record) -> str:
    shares = record.three_way
    if not shares:
        return ""
    header = ("cells", *WORDS.values())
    rows = [
        (f"{label}, {unit}s weighted equally", *(interval(value, True) for value in own.values()))
        for unit, estimates in (("cell", shares.each_cell), ("patient", shares.each_patient))
        for label, own in three_way.rows(estimates).items()
    ]
    return (
        f"\n\nDecisions: {record.operating_point} Shares of the cells of each class (95% over patients):\n\n"
        f"{_table(header, rows)}"
    )


def _by_source(record: schema.Record) -> str:
    figures, band = record.by_source, record.indeterminate
    if figures is None:
        return ""
    said = source_words.lines(figures, record.threshold.target_recall, band)
    notes = source_words.notes(figures) + (source_words.guarantees(figures, band) if band else [])
    texts = [*map(plain, said), _table(source_words.HEADER, source_words.table(figures)), *map(plain, notes)]
    if unseen := record.unseen_sources:
        texts += [plain(source_words.unseen(unseen)), plain(source_words.UNSEEN_ABOUT)]
        texts.append(_table(source_words.HEADER, source_words.table(unseen)))
    return "".join(f"\n\n{text}" for text in texts)


def _stress(record: schema.Record) -> str:
    if not record.stress:
        return ""
    return f"\n\n{stress.TITLE}: {stress.ABOUT}\n\n{_table(stress.HEADER, stress.table(record.stress))}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = f"| {' | '.join(header)} |\n{'|---' * len(header)}|"
    return "\n".join([head, *(f"| {' | '.join(map(plain, row))} |" for row in rows)])


def _subgroups(record: schema.Record) -> str:
    if not record.subgroups:
        return ""
    rows = "\n".join(
        f"| {name} | {interval(estimate)} | {SUBGROUP_MEANING.get(name, '')} |"
        for name, estimate in record.subgroups.items()
    )
    return f"\n\n| metric | by cell (95% over patients) | meaning |\n|---|---|---|\n{rows}"


def _abstention(record: schema.Record) -> str:
    calibration, band = record.calibration, record.indeterminate
    said = []
    if calibration:
        by = (
            "out-of-fold log loss"
            if record.split.folds
            else "log loss on validation patients left out in turn"
        )
        said.append(
            f"Calibrated by {calibration.method} (stretch {calibration.stretch:.3f}, shift "
            f"{calibration.shift:.3f}), chosen by {by}."
        )
    if band:
        said.append(
            f"For a new patient, on average at most {band.missed:.0%} of ALL cells are expected below "
            f"{band.low:.3f} and at most {band.alarmed:.0%} of normal cells at {band.high:.3f} or above "
            "(split-conformal prediction, by patient)."
        )
    if band and (shares := band.out_of_fold):
        said.append(
            "To check this, limits were found without each fold and used on its patients: the shares were "
            f"{shares.missed:.1%} and {shares.alarmed:.1%}, and {shares.indeterminate:.1%} of cells lay "
            "between, with patients weighted equally."
        )
    return f"\n\n{' '.join(said)}" if said else ""


def _far(novelty: schema.Novelty | None) -> str:
    if not novelty:
        return ""
    return (
        f"\n\nThe model gives no answer for an image with features more than {novelty.limit:.3f} from "
        "those of the training cells (Mahalanobis distance; 1 is typical). Of the cells of unseen "
        f"patients, {novelty.passed_out_of_fold:.1%} are within the limit set by other patients."
    )


def _ethics(data: schema.Data) -> str:
    origin = "The cells come from one hospital laboratory,"
    if data.reviewed:
        origin = (
            "The cells of C-NMC 2019 come from one hospital laboratory, those of the signed cases from the "
            "laboratory that read them. Both come"
        )
    return (
        f"{origin} without the age, sex or origin of the patients, so performance in these groups is "
        "unknown. A missed blast is the worst error, so the threshold favours sensitivity (recall).\n\n"
        f"Data: {CITATION}" + " The signed cases are not part of it." * bool(data.reviewed)
    )


def _caveats(record: schema.Record) -> str:
    drawn = (
        " The model was trained on synthetic cells: its results have no clinical meaning."
        * record.data.synthetic
    )
    # A corrected label may be of the other class than the patient's other cells.
    has = "came with" if record.data.corrected else "has"
    if record.data.reviewed:
        people = counted(record.split.test.patient_groups.get(NORMAL, 0), "patient group")
        return (
            "Two classes, cut-out cells. The cells of C-NMC 2019 come from one centre, with one stain; those "
            f"of the signed cases come from the laboratory that read them. Each patient of C-NMC 2019 {has} "
            "cells of one class only, so metrics on training patients are worthless; a signed case may have "
            f"cells of both classes. The metrics of normal cells rest on {people}: read the intervals, not "
            "only the estimates. Patients of C-NMC 2019 who share an identical or near-identical cell count "
            "as one. A signed case is one patient, and the same one as a patient or another case with whom "
            "it shares an identical cell." + drawn
        )
    return (
        f"One centre, one stain, two classes, cut-out cells. Each patient in the set {has} cells of one "
        "class only, so metrics on training patients are worthless. There are few healthy test patients: "
        "read the intervals, not only the estimates. Patients who share an identical or near-identical "
        "cell count as one." + drawn
    )
