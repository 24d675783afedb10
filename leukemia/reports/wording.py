"""Sentences and small tables of a model's performance, the same on the page and in the report."""

import pandas as pd

from leukemia.bundles import schema
from leukemia.bundles.bundle import Bundle
from leukemia.classes import is_all
from leukemia.evaluation import formatting, metrics
from leukemia.evaluation.breakdown import patients, subgroups
from leukemia.evaluation.comparison import NOT_SHARES, WORDS
from leukemia.evaluation.estimate import Estimate

SYNTHETIC = (
    "This model was trained on synthetic cells only. Its results on real cells have no clinical meaning. "
    "Use it only to try the program."
)
LEAKY = (
    "This model was tested on patients it was also trained on, so its results are too optimistic. Expect "
    "worse results on new patients."
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
        "Patients as a whole are best told apart at a higher threshold than cells. With one for the mean "
        f"probability that the patients of the other folds chose, {people['right'].sum()} of {len(people)} "
        f"patient groups are called correctly: {found.sum()} of {len(found)} with ALL and "
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
