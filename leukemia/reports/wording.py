"""Sentences and small tables of a model's performance, the same on the page and in the report."""

from collections.abc import Mapping

import pandas as pd

from leukemia.bundles import schema
from leukemia.bundles.bundle import Bundle
from leukemia.classes import is_all
from leukemia.evaluation import formatting, metrics
from leukemia.evaluation.breakdown import patients, source_words, subgroups
from leukemia.evaluation.breakdown.sources import BySource
from leukemia.evaluation.comparison import NOT_SHARES, WORDS
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.held_out import ALARM, MISSED
from leukemia.operating_point import OperatingPoint

SYNTHETIC = (
    "This model was trained on synthetic cells only. Its results on real cells have no clinical meaning. "
    "Use it only to try the program."
)
LEAKY = (
    "This model was tested on patients it was also trained on, so its results are too optimistic. Expect "
    "worse results on new patients."
)
PURPOSE = (
    "The model tells whether images of single white blood cells look like acute lymphoblastic leukemia (ALL) "
    "or normal."
)
SHARES = "Cells, and their shares with 95% intervals over patients (cells weighted equally)."
ERRORS = {MISSED: "missed ALL cells", ALARM: "false alarms"}
NO_IMAGES = (
    "The images of these cells do not come with the program, so they are listed without pictures. To see "
    "them, import the set that the version was tested on (C-NMC 2019 for the built-in model) under "
    "Dataset › Import."
)

OTHER_FOLDS = "the patients of the other folds"  # as a cross-validated bundle has it on record


def chosen_on(bundle: Bundle) -> str:
    """On which patients the model's own threshold was chosen; untrusted text."""
    patients = bundle.record.threshold.chosen_on.rstrip(",")
    if patients == OTHER_FOLDS:
        return "patients not used for these results"
    return patients.replace(schema.ON_ITS_OWN_TEST, "the same held-out patients as these results")


def warnings(bundle: Bundle) -> list[str]:
    """What makes a model's answers or results worth less than they seem; plain text."""
    return [SYNTHETIC] * bundle.synthetic + [LEAKY] * bundle.leaky


def cohort(predictions: pd.DataFrame) -> str:
    """How many cells were held out, of whom; columns patient_group and label."""
    return (
        f"{len(predictions):,} held-out cells of {patients.count(predictions)}. 95% intervals come from "
        "1,000 bootstrap resamples of patients."
    )


def by_source(bundle: Bundle, figures: BySource, point: OperatingPoint) -> list[str]:
    """The worst source in a sentence, and in another where figures are not what was intended, if any."""
    return source_words.lines(figures, _target(bundle, point), bundle.record.promised(point))


def shortfalls(bundle: Bundle, figures: BySource, point: OperatingPoint) -> str:
    """In which sources the figures are not what was intended; empty where they are in all."""
    return source_words.shortfalls(figures, _target(bundle, point), bundle.record.promised(point))


def promise(bundle: Bundle, point: OperatingPoint) -> str:
    """What the limits promise for a new patient; that they promise nothing where that is so."""
    if not point.abstains:
        return ""
    band = bundle.record.promised(point)
    if band is None:
        return "These limits were not chosen for a promised share of errors: read the shares in the table."
    return (
        f"For a new patient, at most {band.missed:.0%} of ALL cells are expected below this range and "
        f"at most {band.alarmed:.0%} of normal cells above it (split-conformal prediction, by patient)."
    )


def forced(point: OperatingPoint) -> str:
    """How cells are counted for sensitivity and specificity."""
    return f"If every cell had to be called, at the threshold {point.threshold:.4f}:"


def errors(wrong: Mapping[str, pd.DataFrame], cells: int, threshold: float) -> str:
    """How many cells are called wrong, and in which order they are listed.

    Parameters
    ----------
    wrong : mapping of str to pandas.DataFrame
        Of :func:`leukemia.evaluation.held_out.misclassified`, by kind.
    cells : int
        All held-out cells.
    threshold : float
        Probability from which a cell is called ALL-like.
    """
    counted = " and ".join(f"{len(wrong[kind]):,} {words}" for kind, words in ERRORS.items())
    return (
        f"{counted} among {cells:,} held-out cells, if each had to be called at the threshold "
        f"{threshold:.4f}. The most confident errors come first (furthest from it, by logit). Their labels "
        "may be wrong, or they may be unlike any cell the model was trained on."
    )


def _target(bundle: Bundle, point: OperatingPoint) -> float | None:
    """The sensitivity that the threshold was chosen for; None where it is another one."""
    return bundle.record.threshold.target_recall if point.threshold == bundle.threshold else None


def estimate(name: str, value: Estimate) -> str:
    """A metric with its interval: shares in per cent, others as they are."""
    return formatting.interval(value, name not in NOT_SHARES)


def estimates(by_name: dict[str, Estimate]) -> pd.DataFrame:
    """A table of metrics: what it is, value with interval, meaning."""
    return pd.DataFrame(
        {
            "metric": [WORDS[name] for name in by_name],
            "value (95%)": [estimate(name, value) for name, value in by_name.items()],
            "meaning": [metrics.MEANING[name] for name in by_name],
        }
    )


def predictive_values(at: dict[str, Estimate], prevalence: float) -> str:
    """What a call is worth at a prevalence (0 to 1), given its ppv and npv."""
    ill, _ = formatting.of_100(at["ppv"].value)
    clear, missed = formatting.of_100(at["npv"].value)
    return (
        f"If {100 * prevalence:g}% of cells are ALL: of 100 cells called ALL-like, {ill} are ALL; of 100 "
        f"called Normal-like, {clear} are normal and {missed} are missed ALL cells."
    )


def patient_rates(table: pd.DataFrame) -> list[tuple[str, str, str, str]]:
    """Patients as the unit, of :func:`leukemia.evaluation.breakdown.patients.table`.

    Returns
    -------
    list of tuple
        Name, value, patients counted with the Wilson interval, and meaning of each rate.
    """
    return [
        (
            f"Patient-level {name}",
            formatting.number(share.value, True),
            f"{right} of {total} patient groups; 95% (Wilson): {formatting.ends(share, True)}",
            patients.MEANING[name],
        )
        for name, (right, total, share) in patients.rates(table).items()
    ]


def patients_at_own_threshold(predictions: pd.DataFrame) -> str:
    """Say what :func:`patients.right_at_own_threshold` gives; empty without folds."""
    if "fold" not in predictions or predictions["fold"].nunique() < 2:
        return ""
    people = patients.right_at_own_threshold(predictions)
    truth = is_all(people["label"])
    found, cleared = people.loc[truth, "right"], people.loc[~truth, "right"]
    return (
        "Patients as a whole are best separated at a higher threshold than cells. With a threshold for their "
        f"mean probability, chosen on the patients of the other folds, {people['right'].sum()} of "
        f"{len(people)} patient groups are called correctly: {found.sum()} of {len(found)} with ALL and "
        f"{cleared.sum()} of {len(cleared)} healthy."
    )


def subgroup_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table of :func:`leukemia.evaluation.breakdown.subgroups.table` for a reader."""
    out = {"group": table["part"], "ALL cells": table["all_cells"], "normal cells": table["normal_cells"]}
    out["patient groups"] = table["patients"]
    for name in subgroups.NAMES:
        out[f"{WORDS[name]} (95%)"] = [
            estimate(name, Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"]))
            for row in table.to_dict("records")
        ]
    return pd.DataFrame(out)


def subgroup_unknown(by: str) -> str:
    """Why cells cannot be grouped by their size, brightness or source."""
    more = (", or have not been measured yet (open the Dataset page to measure them)") * (
        by == subgroups.BRIGHTNESS
    )
    return f"{by} is not known: these cells are not in this data folder{more}."
