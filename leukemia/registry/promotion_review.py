"""What a person must have read before a version is put in service in place of another.

Which of its figures are worse on the same patients, what it does without, and where it was not judged. Plain
text: names of sources may come from elsewhere.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from leukemia.bundles.bundle import Bundle
from leukemia.classes import ALL, NORMAL
from leukemia.errors import DatasetError
from leukemia.evaluation import comparison, held_out
from leukemia.evaluation.comparison import Difference
from leukemia.evaluation.metrics import FEWEST_PATIENTS
from leukemia.registry import publish

NO_CALIBRATION = "Its probabilities are not calibrated: 0.9 does not mean that 9 in 10 such cells are ALL."
NEVER_ABSTAINS = "It has no indeterminate range: it calls every cell ALL-like or Normal-like, however unsure."
NO_NOVELTY = (
    "It does not check whether an image is like the cells that it learned from: noise, a smear or another "
    "kind of cell is answered, too."
)
NO_SOURCES = (
    "From which sources its held-out cells come is not known, so its worst source is not known either."
)

PLACES = {comparison.WORST: "in the worst source of each", comparison.EACH_PATIENT: "over all sources"}


def review(data: Path, candidate: Bundle, present: Bundle, names: tuple[str, str]) -> tuple[str, ...]:
    """Say what speaks against a version, a sentence or a list in each.

    Parameters
    ----------
    data : Path
        The data folder, which may know the sources of the cells.
    candidate, present : Bundle
        The version to be put in service, and the one that is.
    names : tuple of str
        What the two are called.
    """
    return (*missing(candidate), *worse(data, candidate, present, names), *unjudged(data, candidate, present))


def fall_in_recall(candidate: Bundle, present: Bundle, names: tuple[str, str]) -> str:
    """That a version misses more ALL cells by its own record; empty where it does not, or it is not known."""
    before, after = (one.record.estimates.get("sensitivity") for one in (present, candidate))
    if not before or not after or not after.value < before.value:
        return ""
    new, old = names
    alike = publish.held_out(candidate) == publish.held_out(present)
    others = "" if alike else " They were evaluated on different cells: the two cannot be compared."
    return (
        f"Held-out sensitivity (recall) falls from {before.value:.3f} ({old}) to {after.value:.3f} "
        f"({new[:1].lower()}{new[1:]}): more ALL cells are missed.{others}"
    )


def missing(candidate: Bundle) -> list[str]:
    """The safeguards that a version does without."""
    record = candidate.record
    lacks = {
        NO_CALIBRATION: not record.calibration or not record.calibration.log_loss_out_of_fold,
        NEVER_ABSTAINS: not candidate.operating_point.abstains,
        NO_NOVELTY: record.novelty is None,
    }
    return [sentence for sentence, absent in lacks.items() if absent]


def worse(data: Path, candidate: Bundle, present: Bundle, names: tuple[str, str]) -> list[str]:
    """Every figure that is worse on the cells that both held out, with its paired interval over patients."""
    first, second = held_out.with_sources(data, present.predictions), candidate.predictions
    new, old = names
    try:
        frame = comparison.shared([first, second])
        cells = comparison.cells(frame, 2)
    except DatasetError as error:
        return [f"{new} and {old} cannot be compared on the same patients. {error}"]
    points = [present.operating_point, candidate.operating_point]
    columns = [comparison.columns(one, point) for one, point in zip(cells, points, strict=True)]
    out = []
    if said := _listed(comparison.differences(*columns)):
        cohort = comparison.on_shared(frame, [first, second], [old, new])
        out.append(f"{cohort} Cells weighted equally, worse: {said}.")
    if versions := comparison.cells_by_source(frame, 2):
        for source, own in comparison.by_source(versions, points)[0].items():
            if said := _listed(own):
                where = PLACES.get(source, f"in {source}")
                out.append(f"On the same cells, patients weighted equally, worse {where}: {said}.")
    return out


def unjudged(data: Path, candidate: Bundle, present: Bundle) -> list[str]:
    """In which sources a version was not judged, or on too few patients to say."""
    own, others = (_patients(held_out.with_sources(data, one.predictions)) for one in (candidate, present))
    if own.empty:
        return [NO_SOURCES]
    few = [
        f"{source} ({own.at[source, ALL]} ALL and {own.at[source, NORMAL]} healthy patient groups)"
        for source in own.index
        if own.loc[source].min() < FEWEST_PATIENTS
    ]
    absent = sorted(set(others.index) - set(own.index))
    out = []
    if absent:
        out.append(f"It was not judged on any cell of {', '.join(absent)}; the model in service was.")
    if few:
        out.append(f"Too few patients to say how it fares in {', '.join(few)}.")
    return out


def _listed(differences: Iterable[Difference]) -> str:
    return "; ".join(one.sentence() for one in differences if one.is_worse)


def _patients(predictions: pd.DataFrame) -> pd.DataFrame:
    """Patient groups of each class by source: columns ALL and Normal."""
    if "source" not in predictions:
        return pd.DataFrame(columns=[ALL, NORMAL])
    cells = predictions[predictions["source"].fillna("") != ""]
    counted = cells.groupby(["source", "label"])["patient_group"].nunique().unstack(fill_value=0)
    return counted.reindex(columns=[ALL, NORMAL], fill_value=0)
