"""What a record holds of parts of the held-out cells: figures by source, and of changed pictures."""

from typing import TYPE_CHECKING

from pydantic import Field

from leukemia.bundles.fields import Estimates, Fields, Number

if TYPE_CHECKING:
    from leukemia.evaluation.breakdown import sources


class SourceFigures(Fields):
    """Figures of a source, as :class:`leukemia.evaluation.breakdown.sources.SourceFigures` has them."""

    cells: dict[str, int]
    patient_groups: dict[str, int]
    estimates: Estimates = Field(alias="figures")
    patients_right: int


class BySource(Fields):
    """Figures by source, and of all cells: each patient weighing the same, each cell the same."""

    sources: dict[str, SourceFigures]
    each_patient: SourceFigures
    each_cell: SourceFigures


class Stress(Fields):
    """What a harmless change does, as :class:`leukemia.evaluation.breakdown.stress.Stress` has it."""

    estimates: Estimates = Field(alias="figures")
    worst_source: str
    change: Number
    lost: int
    found: int


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
