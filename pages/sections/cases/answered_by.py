"""The model that answered the cells of a case, also where another one is in service by now."""

from collections.abc import Sequence
from pathlib import Path

from leukemia.bundles.bundle import Bundle
from leukemia.cases import summary
from leukemia.cases.cells import Cell
from leukemia.inference import learned
from leukemia.registry import answered_by
from leukemia.reports import case_wording
from pages.components import model_in_service

GONE = "The model that answered these cells is no longer available: its record cannot be shown."


def bundle(data: Path, cell: Cell) -> Bundle | None:
    """The bundle of the model that answered a cell; None where it is gone."""
    return answered_by.find(
        data, cell.record_sha256, cell.version, model_in_service.bundle, model_in_service.built_in
    )


def of(data: Path, cells: Sequence[Cell]) -> Bundle | None:
    """The bundle of the model that answered the latest classified cell; None where there is none."""
    return answered_by.find_latest(data, cells, model_in_service.bundle, model_in_service.built_in)


def untold(answered: Bundle | None, cells: Sequence[Cell]) -> str:
    """Of how many cells it is not known whether the model learned from them; empty for none."""
    return learned.untold(cells, model_in_service.learned_from(answered)) if answered else ""


def learned_from(answered: Bundle | None, cells: Sequence[Cell]) -> str:
    """That the model learned from some of the cells, in a sentence; empty where it learned from none."""
    known = model_in_service.learned_from(answered) if answered else None
    return case_wording.learned(summary.learned_from(cells, known), len(cells)) if known else ""
