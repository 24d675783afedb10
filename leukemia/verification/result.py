"""What a verification says: computed once from the answered cells, then kept as it is."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import ConfigDict

from leukemia.bundles.bundle import Bundle
from leukemia.classes import LABELS, is_all
from leukemia.evaluation import estimates, three_way
from leukemia.evaluation.bootstrap import PatientBootstrap
from leukemia.evaluation.breakdown import patients
from leukemia.evaluation.estimate import Estimate
from leukemia.imaging import appearance
from leukemia.operating_point import INDETERMINATE
from leukemia.verification import own_threshold, shifts, statistics
from leukemia.verification.own_threshold import OwnCalibration
from leukemia.verification.shifts import Shift
from leukemia.verification.statistics import Criterion, Rate, Verdict

NUMBERS = ("probability", "distance", "cell_area", *appearance.RANGES)


@dataclass(frozen=True)
class Judgement:
    """A threshold, and sensitivity and specificity at it against the criterion."""

    threshold: float
    sensitivity: Rate
    specificity: Rate

    @property
    def met(self) -> bool:
        """Whether both reach what the criterion accepts."""
        return self.sensitivity.verdict == self.specificity.verdict == Verdict.MET

    @property
    def rates(self) -> dict[str, Rate]:
        """Both by name."""
        return {"sensitivity": self.sensitivity, "specificity": self.specificity}


@dataclass(frozen=True)
class Abstention:
    """What the model's limits do; shares of cells, each patient weighing the same.

    Attributes
    ----------
    indeterminate : float
    missed, alarmed : float
        Of ALL cells called Normal-like outright, and of normal cells called ALL-like outright.
    missed_promised, alarmed_promised : float or None
        The model's bounds on these; None where its limits promise nothing.
    """

    indeterminate: float
    missed: float
    alarmed: float
    missed_promised: float | None
    alarmed_promised: float | None


@dataclass(frozen=True)
class Result:
    """The figures of one verification.

    Attributes
    ----------
    brought, answered, unanswered : dict of str to int
        Cells by class: those brought with a label and a patient, and not left out; of these with and
        without an answer.
    patients : dict of str to int
        Patient groups by class with an answer.
    reasons : dict of str to int
        Why cells have no answer, and how many.
    left_out : dict of str to int
        Why cells were left out before they counted, and how many.
    scale : str
        As it was stated for all images; empty where it follows from the files.
    notes : dict of str to int
        What must be known of pictures (how their scale is known, their compression), and of how many.
    problems : list of str
        Rows and files that could not be used.
    same_names : int
        Patients who are called as ones the model learned from; chance, or the same people.
    earlier : list of str
        Verifications in which some of these cells had been answered before.
    shipped : Judgement
        At the version's own threshold.
    counting_unanswered : dict of str to float
        Sensitivity and specificity at it where each cell without an answer counts as called wrong.
    own : Judgement
        At a threshold chosen from these patients; its rates are of patients left out in turn.
    own_thresholds : tuple of float
        Lowest and highest threshold that the patients left out in turn were judged at.
    calibration : OwnCalibration
    auroc : Estimate
        Each patient weighing the same.
    record : dict of str to Estimate
        Sensitivity, specificity and AUROC of the model's held-out cells, each patient weighing the same.
    abstention : Abstention or None
        None where the model has no band.
    shifts : dict of str to Shift
        By the names of :data:`shifts.MEASURES`; the distance only where the model measures one.
    decisions : dict of str to Estimate
        What becomes of the cells of each class, by the names of :mod:`leukemia.evaluation.three_way`, each
        patient weighing the same; empty in verifications of before that was computed.
    """

    __pydantic_config__ = ConfigDict(ser_json_inf_nan="constants")

    brought: dict[str, int]
    answered: dict[str, int]
    unanswered: dict[str, int]
    patients: dict[str, int]
    reasons: dict[str, int]
    left_out: dict[str, int]
    scale: str
    notes: dict[str, int]
    problems: list[str]
    same_names: int
    earlier: list[str]
    shipped: Judgement
    counting_unanswered: dict[str, float]
    own: Judgement
    own_thresholds: tuple[float, float]
    calibration: OwnCalibration
    auroc: Estimate
    record: dict[str, Estimate]
    abstention: Abstention | None
    shifts: dict[str, Shift]
    decisions: dict[str, Estimate] = field(default_factory=dict)

    @property
    def acceptable(self) -> dict[str, Judgement]:
        """The judgements by which the criterion is met: "shipped", "own"."""
        both = {"shipped": self.shipped, "own": self.own}
        return {name: one for name, one in both.items() if one.met}


def compute(
    cells: pd.DataFrame,
    bundle: Bundle,
    criterion: Criterion,
    data: Path,
    *,
    scale: str,
    problems: list[str],
    same_names: int,
    earlier: list[str],
) -> Result:
    """Compute a verification's figures.

    Parameters
    ----------
    cells : pandas.DataFrame
        Of :func:`leukemia.verification.answering.answer_cells`.
    bundle : Bundle
    criterion : Criterion
    data : Path
        The data folder, for what is known of the model's own cells.
    scale, problems, same_names, earlier : str, list of str, int, list of str
        As :class:`Result` has them.

    Raises
    ------
    DatasetError
        Where too few patients of a class have an answer.
    """
    counted = cells[cells["left_out"] == ""]
    answered = counted[counted["probability"].notna()]
    statistics.check_patients(answered)
    left_out = own_threshold.left_out(answered, criterion)
    silent = counted["probability"].isna()
    # A cell without an answer is called neither: it lies on the wrong side whatever the threshold.
    worst = counted["probability"].mask(silent, np.where(is_all(counted["label"]), -1.0, 2.0))
    with_silent = patients.table(counted.assign(probability=worst), bundle.threshold)
    return Result(
        brought=_by_class(counted),
        answered=_by_class(answered),
        unanswered=_by_class(counted[silent]),
        patients={label: _people(answered, label) for label in LABELS},
        reasons=counted.loc[silent, "error"].value_counts().to_dict(),
        left_out=cells.loc[cells["left_out"] != "", "left_out"].value_counts().to_dict(),
        scale=scale,
        notes=counted.loc[counted["note"] != "", "note"].value_counts().to_dict(),
        problems=problems,
        same_names=same_names,
        earlier=earlier,
        shipped=Judgement(bundle.threshold, **statistics.at_threshold(answered, bundle.threshold, criterion)),
        counting_unanswered={
            name: float(with_silent.loc[with_silent["label"] == label, "accuracy"].mean())
            for name, label in statistics.CLASS_OF.items()
        },
        own=Judgement(own_threshold.choose(answered, criterion), **statistics.rates(left_out, criterion)),
        own_thresholds=(float(left_out["threshold"].min()), float(left_out["threshold"].max())),
        calibration=own_threshold.calibrate(answered),
        auroc=estimates.estimate(estimates.auroc(PatientBootstrap(answered, equal=True))),
        record=_record(bundle),
        abstention=_abstention(answered, bundle),
        shifts=shifts.shifts(counted, bundle, data),
        decisions=three_way.evaluate(answered, bundle.operating_point, equal=True),
    )


def _by_class(cells: pd.DataFrame) -> dict[str, int]:
    return {label: int((cells["label"] == label).sum()) for label in LABELS}


def _people(cells: pd.DataFrame, label: str) -> int:
    return int(cells.loc[cells["label"] == label, "patient_group"].nunique())


def _record(bundle: Bundle) -> dict[str, Estimate]:
    """As the sections about the held-out cells have them, each patient weighing the same."""
    cells = PatientBootstrap(bundle.predictions, equal=True)
    at = estimates.at(cells, bundle.threshold)
    columns = {name: at[name] for name in statistics.CLASS_OF} | {"auroc": estimates.auroc(cells)}
    return estimates.estimates(columns)


def _abstention(answered: pd.DataFrame, bundle: Bundle) -> Abstention | None:
    if not bundle.operating_point.abstains:
        return None
    cells = PatientBootstrap(answered, resamples=0, equal=True)
    called = bundle.operating_point.call(cells.probability)
    everyone = estimates.share(cells, called == INDETERMINATE, np.full(len(called), True))
    shares = {name: float(column[0]) for name, column in three_way.columns(cells, called).items()}
    kept = bundle.record.promised(bundle.operating_point)
    return Abstention(
        float(everyone[0]),
        shares["missed"],
        shares["alarmed"],
        kept.missed if kept else None,
        kept.alarmed if kept else None,
    )
