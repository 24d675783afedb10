"""What the cells of a case come to, and where it lies among the patients of the model's record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.cases.cells import Cell
from leukemia.cases.verdicts import REJECTED
from leukemia.classes import ALL, is_all
from leukemia.evaluation.estimate import Estimate
from leukemia.evaluation.wilson import wilson
from leukemia.inference.decisions import NOT_COMPARABLE
from leukemia.inference.learned import Learned
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE, UNCLASSIFIED, OperatingPoint

DECISIONS = (ALL_LIKE, INDETERMINATE, NORMAL_LIKE)


@dataclass(frozen=True)
class Summary:
    """Counts of a case's cells.

    Attributes
    ----------
    decisions : dict of str to int
        The model's: cells ALL-like, Indeterminate, Normal-like, Not comparable where there are such, and Not
        classified.
    final : dict of str to int
        With the readers' verdicts in place of the model's decisions: the same, and Rejected and Disputed.
    all_like : int
        Cells that the model called ALL-like.
    classified : int
        Cells that it called ALL-like, Indeterminate or Normal-like: what the share is of.
    share : Estimate
        ALL-like among the classified cells, with the 95 % Wilson interval over cells (of one patient). NaN
        where none was classified.
    reviewed, reviewed_share : int and Estimate
        Cells that are ALL-like, Indeterminate or Normal-like in ``final``, and the share of ALL-like among
        them.
    """

    decisions: dict[str, int]
    final: dict[str, int]
    all_like: int
    classified: int
    share: Estimate
    reviewed: int
    reviewed_share: Estimate


@dataclass(frozen=True)
class Placement:
    """Where a share of ALL-like cells lies among the patients on whom the model was evaluated.

    They were answered by networks that had not seen them, and called by the same limits.

    Attributes
    ----------
    shares : pandas.DataFrame
        Columns patient_group, label (Normal or ALL), cells, share (of ALL-like cells, 0 to 1); a row a
        patient group, the lowest share first.
    share : float
        The case's.
    all_below : int
        Patients with ALL whose share is lower.
    all_total : int
    healthy_as_high : int
        Healthy patients whose share is as high or higher: so many of the record would be taken for ALL by
        whoever took this case for it.
    healthy_total : int
    """

    shares: pd.DataFrame
    share: float
    all_below: int
    all_total: int
    healthy_as_high: int
    healthy_total: int


def summarise(cells: Sequence[Cell]) -> Summary:
    """Count the cells of a case, in full or as a reader sees them: what is hidden counts nowhere."""
    unlike = (NOT_COMPARABLE,) if any(cell.called == NOT_COMPARABLE for cell in cells) else ()
    decisions = dict.fromkeys((*DECISIONS, *unlike, UNCLASSIFIED), 0)
    final = dict.fromkeys((*decisions, REJECTED, "Disputed"), 0)
    for cell in cells:
        if cell.called:
            decisions[cell.called] += 1
        if counts_as := cell.final or ("Disputed" if cell.status == "disputed" else ""):
            final[counts_as] += 1
    classified, reviewed = (sum(counts[name] for name in DECISIONS) for counts in (decisions, final))
    return Summary(
        decisions,
        final,
        decisions[ALL_LIKE],
        classified,
        wilson(decisions[ALL_LIKE], classified),
        reviewed,
        wilson(final[ALL_LIKE], reviewed),
    )


def learned_from(cells: Iterable[Cell], known: Learned) -> int:
    """How many cells are among those that a model is known to have learned from."""
    return sum(cell.image_id in known.images for cell in cells)


def models(cells: Sequence[Cell]) -> list[tuple[str, str, OperatingPoint]]:
    """Models that answered the cells of a case: name, SHA-256 of the record, limits; the latest first."""
    seen = {(cell.model, cell.record_sha256, cell.point): cell.number for cell in cells}
    return sorted(seen, key=lambda one: -seen[one])


def placement(cells: Sequence[Cell], bundle: Bundle | None) -> Placement | None:
    """Where the share of ALL-like cells lies among the patients of the model's record.

    Parameters
    ----------
    cells : sequence of Cell
        All cells of a case.
    bundle : Bundle or None
        The model that answered them, None where it is gone.

    Returns
    -------
    Placement or None
        None where several models or limits answered the cells, the bundle is another model's, or none was
        classified.
    """
    answered_by = models([cell for cell in cells if cell.probability is not None])
    if bundle is None or len(answered_by) != 1:
        return None
    _, record_sha256, point = answered_by[0]
    if bundles.checksum(bundle.folder / bundles.RECORD) != record_sha256:
        return None
    shares = _shares(bundle, point).copy()
    share = summarise(cells).share.value
    truth, own = is_all(shares["label"]), shares["share"].to_numpy(float)
    return Placement(
        shares,
        share,
        int((own[truth] < share).sum()),
        int(truth.sum()),
        int((own[~truth] >= share).sum()),
        int((~truth).sum()),
    )


def _shares(bundle: Bundle, point: OperatingPoint) -> pd.DataFrame:
    """Share of ALL-like cells of each patient group of a bundle's held-out predictions."""
    predictions = bundle.predictions
    called = np.asarray(point.call(predictions["probability"])) == ALL
    return (
        predictions.assign(called=called)
        .groupby(["patient_group", "label"], sort=True)["called"]
        .agg(cells="size", share="mean")
        .reset_index()
        .sort_values("share", kind="stable")
        .reset_index(drop=True)
    )
