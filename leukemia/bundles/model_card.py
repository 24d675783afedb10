"""The model card: what a reader must know of a model, in the nine usual sections.

Mitchell M, et al. Model cards for model reporting. FAT* 2019, doi:10.1145/3287560.3287596.
"""

from typing import Any

from leukemia.dataset.splits import LEAKY
from leukemia.evaluation.metrics import MEANING
from leukemia.evaluation.subgroups import MEANING as SUBGROUP_MEANING
from leukemia.settings import RESEARCH_USE

CITATION = (
    "Gupta A, Gupta R. ALL Challenge dataset of ISBI 2019 (C-NMC 2019). The Cancer Imaging Archive, "
    "2019. doi:10.7937/tcia.2019.dc64i46r. CC BY 3.0."
)


def render(record: dict[str, Any]) -> str:
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
    title = f"# Model card: {record['recipe']['name']}\n\n**{RESEARCH_USE}**\n"
    return title + "".join(f"\n## {name}\n\n{text}\n" for name, text in sections.items())


def _details(record: dict[str, Any]) -> str:
    recipe, versions = record["recipe"], record["versions"]
    settings = ", ".join(f"{key} {value}" for key, value in recipe["training"].items())
    beside = " Boosted trees on size, outline, optical density and colour add their logit." * bool(
        recipe.get("morphology")
    )
    return (
        f"{recipe['summary']}{beside} {record['preprocessing']['parameters']:,} parameters; "
        f"{record['preprocessing']['crop']}-pixel RGB crops at native scale.\n\n"
        f"- Made {record['created']} with Keras {versions['keras']}, TensorFlow {versions['tensorflow']}.\n"
        f"- Training: {settings}; seed {record['split']['seed']}; best of {record['epochs']['run']} epochs: "
        f"number {record['epochs']['best']}.\n"
        f"- Licence: Apache-2.0 for code and weights."
    )


def _use() -> str:
    return (
        "Research and teaching on single white blood cells, stained, cut out on black, at the "
        "magnification of C-NMC 2019. Not for smears, other stains, other cells, or any decision about a "
        "patient."
    )


def _factors(record: dict[str, Any]) -> str:
    return (
        "Patient and slide (colour, brightness), cell size and frame size change what the network sees. "
        f"Source of the cells: {'drawn by a program' if record['data']['synthetic'] else 'C-NMC 2019'}."
    )


def _metrics(record: dict[str, Any]) -> str:
    lines = "\n".join(f"- **{name}**: {MEANING[name]}" for name in record["figures"])
    threshold = record["threshold"]
    return (
        f"{lines}\n\nA cell is called ALL-like from a probability of {threshold['value']:.4f} on. This "
        f"threshold was chosen on {threshold['chosen_on']} for a recall of {threshold['target_recall']:.2f}. "
        "Intervals are 95 %, from 1,000 bootstrap resamples of patients, stratified by class."
    )


def _evaluated(record: dict[str, Any]) -> str:
    folds = record["split"].get("folds")
    if not folds:
        return _data(record, "test")
    return (
        f"{_data(record, 'test')} The patients were dealt to {folds} folds, alike in class, cell size and "
        f"source; each was judged by a network that had learned from the other {folds - 1}, and the "
        "calibration and the threshold of a fold come from the others."
    )


def _learned(record: dict[str, Any]) -> str:
    if record["split"].get("folds"):
        return (
            f"{_data(record, 'training')} The network of this bundle learned from all of them, by the same "
            "recipe as those of the folds; its own figures are theirs."
        )
    return _data(record, "training") + "\n\n" + _data(record, "validation")


def _data(record: dict[str, Any], part: str) -> str:
    split = record["split"]
    own = split[part]
    counts = ", ".join(
        f"{own['cells'].get(label, 0):,} {label} cells of {own['patient_groups'].get(label, 0)} patients"
        for label in ("ALL", "Normal")
    )
    leak = "" if split["by"] == "patient" else f" **{LEAKY}.**"
    warning = record["data"].get("warning", "")
    return (
        f"{part.capitalize()}: {counts}.{leak} Data fingerprint {record['data']['fingerprint'][:16]}."
        + f" **{warning}**" * bool(warning)
    )


def _analyses(record: dict[str, Any]) -> str:
    unit = "unseen patients" if record["split"]["by"] == "patient" else LEAKY
    rows = "\n".join(
        f"| {name} | {_interval(record['figures'][name])} | {_interval(record['patient_figures'][name])} |"
        for name in record["figures"]
    )
    counts = record["confusion"]
    part = "Out of fold" if record["split"].get("folds") else "On the test part"
    return (
        f"{part} ({unit}):\n\n"
        "| figure | by cell (95 % over patients) | by patient: mean probability (95 %) |\n|---|---|---|\n"
        f"{rows}\n\nCounts of cells: {counts['tp']} ALL found, {counts['fn']} ALL missed, "
        f"{counts['tn']} normal called so, {counts['fp']} normal called ALL-like." + _more(record)
    )


def _more(record: dict[str, Any]) -> str:
    """What a cross-validation says beside: weak spots, calibration, silence."""
    if "subgroups" not in record:
        return ""
    rows = "\n".join(
        f"| {name} | {_interval(figure)} | {SUBGROUP_MEANING[name]} |"
        for name, figure in record["subgroups"].items()
    )
    calibrated, band = record["calibration"], record["indeterminate"]
    quiet = band["out_of_fold"]
    return (
        f"\n\n| figure | by cell (95 % over patients) | meaning |\n|---|---|---|\n{rows}\n\n"
        f"Calibrated by {calibrated['method']} (stretch {calibrated['stretch']:.3f}, shift "
        f"{calibrated['shift']:.3f}), chosen by out-of-fold log loss. Between {band['low']:.3f} and "
        f"{band['high']:.3f} a cell is indeterminate: of a new patient's cells, in expectation, at most "
        f"{band['missed']:.0%} of the ALL ones lie below and at most {band['alarmed']:.0%} of normal ones "
        f"above (split-conformal, by patient). Out of fold {quiet['missed']:.1%} and {quiet['alarmed']:.1%} "
        f"did, and {quiet['indeterminate']:.1%} were indeterminate, each patient weighing the same."
        + _parts(record.get("parts"))
        + _far(record.get("novelty"))
    )


def _parts(parts: dict[str, dict[str, float | None]] | None) -> str:
    if not parts:
        return ""
    rows = "\n".join(f"| {name} | {_interval(figure)} |" for name, figure in parts.items())
    return (
        "\n\nWhat answers, each by its logits as they are:\n\n"
        f"| | AUROC by cell (95 % over patients) |\n|---|---|\n{rows}"
    )


def _far(novelty: dict[str, float] | None) -> str:
    if not novelty:
        return ""
    return (
        f"\n\nA picture whose features lie farther than {novelty['limit']:.3f} from those of the cells that "
        "were learned (Mahalanobis, 1 being usual) is not answered. Of cells of unseen patients "
        f"{novelty['passed_out_of_fold']:.1%} lie within the limit that the other folds set."
    )


def _ethics() -> str:
    return (
        "The cells come from one hospital laboratory, without age, sex or origin of the patients: how the "
        "model does by group is not known. A missed blast is the worst error, so the threshold favours "
        f"recall.\n\nData: {CITATION}"
    )


def _caveats(record: dict[str, Any]) -> str:
    drawn = " The model learned from drawn cells: its answers mean nothing in a clinic." * bool(
        record["data"]["synthetic"]
    )
    return (
        "One centre, one stain, two classes, cut-out cells. Every patient of the set has one class only, so "
        "a figure on patients that were learned from is worthless. Few healthy patients stand in the test "
        "part: read the intervals, not the points. Patients who share an identical or near-identical cell "
        "count as one." + drawn
    )


def _interval(figure: dict[str, float | None]) -> str:
    if figure["value"] is None:
        return "not defined"
    if figure["low"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
