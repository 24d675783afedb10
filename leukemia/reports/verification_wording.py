"""A verification as sentences and tables, the same on the page, in the terminal and in the report."""

import math
from datetime import datetime

import pandas as pd

from leukemia.classes import ALL, NORMAL
from leukemia.counting import counted
from leukemia.evaluation import formatting, three_way
from leukemia.verification import statistics
from leukemia.verification.result import Result
from leukemia.verification.statistics import MOST_PATIENTS, Criterion, Rate, Verdict
from leukemia.verification.store import Stated, Verification

VERDICTS = {
    Verdict.MET: "met",
    Verdict.NOT_SHOWN: "not shown: too few patients to tell",
    Verdict.NOT_MET: "not met",
}
HEADLINES = {
    "shipped": "The criterion is met at the version's own threshold.",
    "own": "The criterion is met at a threshold of your own, not at the version's.",
    "": "The criterion is not met.",
}
UNTOLD = "The criterion is not shown to be met: there are too few patients to tell."
SHIPPED, OWN = "version's threshold", "your own threshold"
HOW = (
    "Each patient weighs the same. The lower bound is one-sided and assumes nothing about how alike a "
    "patient's cells are: it counts one further patient whose cells are all called wrong. Where every "
    "patient is all right or all wrong, it is the Clopper-Pearson bound. AUROC and the model's record have "
    "bootstrap intervals."
)
LEFT_OUT = (
    "Your own threshold was chosen to leave the widest margin above the criterion. Each patient was left out "
    "in turn and judged at the threshold chosen on the others."
)


def headline(result: Result) -> str:
    """Whether the criterion is met, in a sentence."""
    first = next(iter(result.acceptable), "")
    if not first and all(
        Verdict.NOT_MET not in (one.sensitivity.verdict, one.specificity.verdict)
        for one in (result.shipped, result.own)
    ):
        return UNTOLD
    return HEADLINES[first]


def outcome(result: Result) -> str:
    """The same in a word or two, for a list."""
    text = headline(result)
    return {
        HEADLINES["shipped"]: "criterion met",
        HEADLINES["own"]: "met at your own threshold",
        UNTOLD: "too few patients to tell",
    }.get(text, "criterion not met")


def fewest(criterion: Criterion) -> str:
    """How many patients it takes at least, in a sentence."""
    ill, healthy = (
        max(statistics.LEAST_PATIENTS, statistics.fewest_patients(share, criterion.confidence))
        for share in (criterion.sensitivity, criterion.specificity)
    )
    return (
        f"Even without a single error, this takes {ill} patients with ALL cells and {healthy} patients with "
        "normal cells. With errors it takes more."
    )


def criterion(stated: Stated) -> str:
    """What was stated, in a sentence."""
    asked = stated.criterion
    return (
        f"Sensitivity at least {asked.sensitivity:.1%} and specificity at least {asked.specificity:.1%}, "
        "each "
        f"with a confidence of {asked.confidence:.0%}. Stated by {stated.who} for {stated.site} on "
        f"{when(stated.at)}, before the cells were classified."
    )


def rates_table(result: Result, confidence: float) -> pd.DataFrame:
    """Sensitivity, specificity and AUROC beside the model's record and the criterion."""
    rows = []
    for where, judgement in ((SHIPPED, result.shipped), (OWN, result.own)):
        for name, rate in judgement.rates.items():
            rows.append(
                (
                    f"{name}, {where} ({judgement.threshold:.4f})",
                    formatting.interval(rate.estimate, True),
                    formatting.interval(result.record[name], True) if where == SHIPPED else "",
                    formatting.number(rate.bound, True),
                    formatting.number(rate.claim, True),
                    VERDICTS[rate.verdict],
                )
            )
    record = formatting.interval(result.record["auroc"])
    rows.append(("AUROC", formatting.interval(result.auroc), record, "", "", ""))
    header = ["metric", "your patients (95%)", "model's record (95%)"]
    return pd.DataFrame(rows, columns=[*header, f"lower bound ({confidence:.0%})", "criterion", "verdict"])


def counts_table(result: Result) -> pd.DataFrame:
    """Patients and cells by class."""
    rows = [
        (
            label,
            f"{result.patients[label]:,}",
            f"{result.brought[label]:,}",
            f"{result.answered[label]:,}",
            f"{result.unanswered[label]:,}",
        )
        for label in (ALL, NORMAL)
    ]
    return pd.DataFrame(rows, columns=["label", "patients", "cells", "answered", "not answered"])


def more_patients(result: Result) -> list[str]:
    """How many more patients it takes, in sentences; none where the criterion is met."""
    out = []
    for name, rate in result.shipped.rates.items():
        kind = "ALL" if name == "sensitivity" else "normal"
        if rate.verdict == Verdict.MET:
            continue
        if rate.needed is None:
            reason = (
                f"{name.capitalize()} is {formatting.number(rate.value, True)}, which does not exceed the "
                f"criterion: more patients like these would not change that."
                if rate.value <= rate.claim
                else f"{name.capitalize()} is so close to the criterion that more than {MOST_PATIENTS:,} "
                "patients with "
                f"{kind} cells would be needed."
            )
            out.append(reason)
        else:
            more = counted(rate.needed, "more patient", "more patients")
            out.append(
                f"About {more} with {kind} cells, if they are like these {rate.patients}, would show a "
                f"{name} of at least {formatting.number(rate.claim, True)}."
            )
    return out


def remarks(result: Result) -> list[str]:
    """What a reader must know beside the figures, in sentences."""
    out = []
    silent = sum(result.unanswered.values())
    if silent:
        counted = result.counting_unanswered
        out.append(
            f"{counted(silent, 'cell was', 'cells were')} not answered ({result.unanswered[ALL]:,} ALL, "
            f"{result.unanswered[NORMAL]:,} "
            "normal), so not in these results. If each were counted as an error, sensitivity would be "
            f"{formatting.number(counted['sensitivity'], True)} and specificity "
            f"{formatting.number(counted['specificity'], True)} at the version's threshold."
        )
        out += [f"Not answered, {count:,}: {reason}" for reason, count in result.reasons.items()]
    out += [
        f"Left out, {counted(count, 'cell', 'cells')}: {reason}." for reason, count in result.left_out.items()
    ]
    if result.scale:
        out.append(f"Scale of all images: {result.scale}.")
    out += [f"Of {counted(count, 'image', 'images')}: {note}." for note, count in result.notes.items()]
    if result.problems:
        out.append(
            f"{counted(len(result.problems), 'file or row', 'files or rows')} could not be used, see below."
        )
    return out


def warnings(result: Result) -> list[str]:
    """What makes the result worth less than it seems, in sentences."""
    out = []
    if result.same_names:
        out.append(
            f"{counted(result.same_names, 'patient has', 'patients have')} the name of a patient the model "
            "learned from. If they are the same people, leave them out and verify again."
        )
    if result.earlier:
        out.append(
            "Some of these cells were classified before, in "
            f"{', '.join(result.earlier)}: their results may have been known when the criterion was stated."
        )
    return out


def abstention(result: Result) -> str:
    """What the version decides on these cells, and what it promises; empty where neither is known."""
    own, parts = result.abstention, []
    if result.decisions:
        shares = " ".join(three_way.sentences(result.decisions))
        parts.append(f"Decisions at this version's limits, with patients weighted equally: {shares}")
    if own:
        missed, alarmed = (
            "" if most is None else f" (the model promises at most {most:.0%})"
            for most in (own.missed_promised, own.alarmed_promised)
        )
        parts.append(
            f"{own.indeterminate:.1%} of these cells would be Indeterminate on the Classify page; "
            f"{own.missed:.1%} of ALL cells would be called Normal-like{missed} and {own.alarmed:.1%} of "
            f"normal cells ALL-like{alarmed}."
        )
    return " ".join(parts)


def calibration(result: Result) -> str:
    """The calibration here, and one of the laboratory's own."""
    own = result.calibration
    return (
        f"Expected calibration error: {own.ece:.3f}; calibrated by your own patients, each left out in turn, "
        f"{own.ece_left_out:.3f} (logit stretched by {own.stretch:.3f} and moved by {own.shift:+.3f}). It "
        "is for "
        "your information: accepting changes the threshold alone."
    )


def design_effects(result: Result) -> str:
    """How much the cells of a patient resemble each other."""
    parts = [
        f"{_independent(rate)} for the {rate.cells:,} {'ALL' if name == 'sensitivity' else 'normal'} cells"
        for name, rate in result.shipped.rates.items()
    ]
    meaning = "how many cells carry as much information as one independent cell"
    return f"Design effect ({meaning}): {' and '.join(parts)}."


def accepted(verification: Verification) -> str:
    """As what it was accepted, by whom and why."""
    given = verification.accepted
    return f"Accepted as version {given.version} by {given.who} on {when(given.at)}: {given.why}"


def _independent(rate: Rate) -> str:
    return "not defined" if math.isnan(rate.design_effect) else f"{rate.design_effect:.1f}"


def when(at: str) -> str:
    """A time on record, to the minute."""
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M} UTC"
