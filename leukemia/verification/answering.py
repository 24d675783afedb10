"""A laboratory's labelled cells are classified, once, after the criterion was stated."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from leukemia.bundles.bundle import Bundle
from leukemia.dataset import patient_groups
from leukemia.errors import ArchiveError, BusyError, DatasetError, ImageError
from leukemia.imaging import appearance, validate
from leukemia.imaging import scale as scales
from leukemia.imaging.cell import crop_cell
from leukemia.imaging.scale import Scale
from leukemia.inference import learned
from leukemia.inference.answer import Source
from leukemia.inference.classifier import Classifier
from leukemia.inference.learned import Learned
from leukemia.storage.locks import exclusive
from leukemia.verification import labelled_cells, result, statistics, store
from leukemia.verification.labelled_cells import LabelledCell
from leukemia.verification.store import Verification

COLUMNS = (
    "file",
    "label",
    "patient",
    "patient_group",
    "image_id",
    "probability",
    "distance",
    "error",
    "note",
    "cell_area",
    *appearance.RANGES,
    "left_out",
)
LEARNED = "the model was trained on this patient"
COPY = "an identical copy of another cell"
TWO_LABELS = "identical to a cell with the other label"
LISTED = 200  # problems that the result keeps in words

Progress = Callable[[int, int, str], None]


def answer(
    verification: Verification,
    bundle: Bundle,
    source: Path,
    *,
    scale: Scale | None = None,
    progress: Progress | None = None,
    on_problem: Callable[[str], None] | None = None,
) -> Verification:
    """Classify the cells of a stated verification and keep the result.

    Parameters
    ----------
    verification : Verification
        Stated, not answered yet.
    bundle : Bundle
        The version that it was stated for.
    source : Path
        See :func:`labelled_cells.read`.
    scale : Scale, optional
        Of all images; else as a TIFF records it, or by the frame's size.
    progress : callable, optional
        Called with (done, total, "Classifying").
    on_problem : callable, optional
        Called with each cell that cannot be used, in a line.

    Raises
    ------
    DatasetError
        Where it was answered before, the version is another one, or there are too few patients: nothing
        is kept then, and other cells can be brought under the same criterion.
    ArchiveError
        Where the source cannot be opened.
    ImageError
        Where the scale is too far from the model's.
    """
    busy = BusyError("These cells are being classified already. Wait until that has finished.")
    with ExitStack() as stack:
        stack.enter_context(exclusive(verification.folder / "lock", 0, busy))
        if (verification.folder / store.RESULT).exists():
            raise DatasetError(store.ANSWERED)
        if not verification.of(bundle):
            raise DatasetError("The criterion was stated for another model version, or this one was changed.")
        if scale:
            scales.factor(scale, bundle.pixel_size)
        brought = labelled_cells.read(source, stack)
        for problem in brought.problems:
            if on_problem:
                on_problem(problem)
        known = learned.of(bundle, verification.data)
        _check_early(brought.cells, known)
        cells = answer_cells(Classifier(bundle), brought.cells, known, scale, progress)
        named = set(cells.loc[cells["left_out"] == "", "patient"])
        try:
            figures = result.compute(
                cells,
                bundle,
                verification.stated.criterion,
                verification.data,
                scale=str(scale or ""),
                problems=brought.problems[:LISTED],
                same_names=len(named & known.patients),
                earlier=_earlier(verification, cells),
            )
        except DatasetError as error:
            raise DatasetError(f"{error}{_not_counted(cells)}") from error
        return store.write_result(verification, cells, figures)


def answer_cells(
    classifier: Classifier,
    brought: list[LabelledCell],
    known: Learned,
    scale: Scale | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Classify labelled cells, and tell which of them do not count.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`, a row a cell brought: ``probability`` is NaN where ``error`` says why;
        ``patient_group`` joins patients that share an identical image; ``left_out`` says why a cell does
        not count, and is empty where it does.
    """
    looks: dict[str, dict[str, float]] = {}
    sources = [_source(cell, scale, classifier.bundle, looks) for cell in brought]
    rows = []
    for done, (cell, reply) in enumerate(zip(brought, classifier.classify(sources), strict=True), 1):
        rows.append(
            {
                "file": cell.entry.origin,
                "label": cell.label,
                "patient": cell.patient,
                "image_id": reply.image_id,
                "probability": reply.probability,
                "distance": reply.distance,
                "error": reply.error,
                "note": reply.note,
                "cell_area": reply.area or None,
                "learned": cell.by_name and cell.patient in known.patients,
                **dict.fromkeys(appearance.RANGES),
                **looks.get(cell.entry.origin, {}),
            }
        )
        if progress:
            progress(done, len(brought), "Classifying")
    cells = pd.DataFrame(rows)
    numbers = list(result.NUMBERS)
    cells[numbers] = cells[numbers].apply(pd.to_numeric)
    # A picture that could not be decoded is like no other.
    told = cells.assign(
        path=cells["file"], image_id=cells["image_id"].where(cells["image_id"] != "", cells["file"])
    )
    cells["patient_group"] = patient_groups.join(told)
    cells["left_out"] = _left_out(cells, told["image_id"], known)
    return cells[list(COLUMNS)]


def _source(
    cell: LabelledCell, scale: Scale | None, bundle: Bundle, looks: dict[str, dict[str, float]]
) -> Source:
    """The image, whose colour and sharpness are measured on the way."""

    def load() -> bytes:
        try:
            data = cell.entry.load()
        except ArchiveError as error:
            raise ImageError(str(error)) from error
        opened = validate.open_cell(data, scale, bundle.pixel_size)
        crop = crop_cell(opened, bundle.input_size)
        looks[cell.entry.origin] = appearance.measure(crop, opened.area)
        return data

    return Source(cell.entry.origin, load, scale=scale)


def _left_out(cells: pd.DataFrame, image: pd.Series, known: Learned) -> pd.Series:
    out = pd.Series("", index=cells.index)
    out[image.duplicated()] = COPY
    out[cells.groupby(image)["label"].transform("nunique") > 1] = TWO_LABELS
    seen = image.isin(known.images) | cells["learned"]
    out[cells["patient_group"].isin(cells.loc[seen, "patient_group"])] = LEARNED
    return out


def _not_counted(cells: pd.DataFrame) -> str:
    """Why cells that were brought do not count, in a sentence; empty where all do."""
    counted = cells["left_out"] == ""
    reasons = pd.concat(
        [cells.loc[~counted, "left_out"], cells.loc[counted & (cells["error"] != ""), "error"]]
    )
    listed = "; ".join(f"{count:,}: {reason}" for reason, count in reasons.value_counts().items())
    return f" Cells that do not count: {listed}" if listed else ""


def _check_early(brought: list[LabelledCell], known: Learned) -> None:
    """Too few patients are said before thousands of cells are classified."""
    own = [cell for cell in brought if not (cell.by_name and cell.patient in known.patients)]
    if not own:
        raise DatasetError("The model was trained on all of these patients. Bring patients it has not seen.")
    statistics.check_patients(
        pd.DataFrame([(cell.label, cell.patient) for cell in own], columns=["label", "patient_group"])
    )


def _earlier(verification: Verification, cells: pd.DataFrame) -> list[str]:
    """Verifications in this data folder that some of these cells were answered in before."""
    own = set(cells["image_id"]) - {""}
    others = (one for one in store.every(verification.data) if one.result and one.id != verification.id)
    return [one.id for one in others if own & set(store.cells(one)["image_id"])]
