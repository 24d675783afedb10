"""What a record holds of parts of the held-out cells: figures by source, and of changed pictures."""

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from leukemia.bundles.fields import ByClass, Count, Estimates, Fields, Name, Share, Text, refuse
from leukemia.evaluation.estimate import rounded
from leukemia.operating_point import OperatingPoint

if TYPE_CHECKING:
    import pandas as pd

    from leukemia.evaluation.breakdown import sources


# What each part is described by: those of :data:`leukemia.evaluation.breakdown.sources.NAMES`.
FIGURES = {
    "sensitivity",
    "specificity",
    "auroc",
    "weighted_f1",
    "ece",
    "indeterminate",
    "missed",
    "alarmed",
}
# Those of :data:`leukemia.evaluation.three_way.NAMES`.
SHARES = {"all_like", "all_indeterminate", "missed", "alarmed", "normal_indeterminate", "normal_like"}


class SourceFigures(Fields):
    """Figures of a source, as :class:`leukemia.evaluation.breakdown.sources.SourceFigures` has them."""

    cells: ByClass
    patient_groups: ByClass
    estimates: Estimates = Field(alias="figures")
    patients_right: Count

    @model_validator(mode="after")
    def _together(self) -> Self:
        refuse(bool(FIGURES - self.estimates.keys()), f"should have the figures {', '.join(sorted(FIGURES))}")
        refuse(
            self.patients_right > sum(self.patient_groups.values()),
            "should not have more patients right than there are",
        )
        return self


class BySource(Fields):
    """Figures by source, and of all cells: each patient weighing the same, each cell the same."""

    sources: dict[Name, SourceFigures]
    each_patient: SourceFigures
    each_cell: SourceFigures


class ThreeWay(Fields):
    """What becomes of the cells of each class, by the names of :mod:`leukemia.evaluation.three_way`."""

    each_cell: Estimates
    each_patient: Estimates

    @model_validator(mode="after")
    def _together(self) -> Self:
        known = self.each_cell.keys() == self.each_patient.keys() == SHARES
        refuse(not known, f"should have the shares {', '.join(sorted(SHARES))}")
        return self


class Stress(Fields):
    """What a harmless change does, as :class:`leukemia.evaluation.breakdown.stress.Stress` has it."""

    estimates: Estimates = Field(alias="figures")
    worst_source: Text
    change: Share
    lost: Count
    found: Count

    @model_validator(mode="after")
    def _together(self) -> Self:
        refuse("auroc" not in self.estimates, "should have the figure auroc")
        refuse(self.lost > self.found, "should not have more cells lost than were found")
        return self


def three_way(predictions: "pd.DataFrame", point: OperatingPoint) -> dict[str, ThreeWay]:
    """The record's field of that name; arguments as of :func:`leukemia.evaluation.three_way.evaluate`."""
    from leukemia.evaluation import three_way as shares

    each_cell, each_patient = (
        rounded(shares.evaluate(predictions, point, equal=equal)) for equal in (False, True)
    )
    return {"three_way": ThreeWay(each_cell=each_cell, each_patient=each_patient)}


def by_source(figures: "sources.BySource | None") -> dict[str, BySource]:
    """The record's field of that name with figures by source; empty where no source is known."""
    return {"by_source": _record(figures)} if figures else {}


def unseen_sources(figures: "sources.BySource | None") -> dict[str, BySource]:
    """The record's field of that name with figures of networks that had not seen a source; or empty."""
    return {"unseen_sources": _record(figures)} if figures else {}


def _record(figures: "sources.BySource") -> BySource:
    return BySource(
        sources={name: SourceFigures(**vars(one)) for name, one in figures.sources.items()},
        each_patient=SourceFigures(**vars(figures.each_patient)),
        each_cell=SourceFigures(**vars(figures.each_cell)),
    )
