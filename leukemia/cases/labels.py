"""Verdicts of signed cases become labels for the next training."""

import hashlib
from collections.abc import Container, Iterable
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from leukemia.cases.cells import PICTURE
from leukemia.cases.tables import CASES, CELLS, PICTURES, PLACES, STANDS
from leukemia.classes import ALL, NORMAL
from leukemia.dataset import manifest, review_labels
from leukemia.dataset.demonstration import cells as demonstration
from leukemia.errors import RecordsError
from leukemia.imaging.scale import PIXEL_SIZE
from leukemia.operating_point import WORDS
from leukemia.storage import database
from leukemia.storage.atomic import whole_file
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace

LABELS = {WORDS[label]: label for label in (ALL, NORMAL)}
PATIENCE = 60.0


def publish(data: Path) -> int:
    """Write the verdicts of all signed cases, with the cells' pictures, as labels of the source ``review``.

    A cell teaches where its readers agree, or their disagreement was settled, on ALL-like or Normal-like, and
    no other signed case has another verdict on the same image. A drawing never does, nor does a sample cell
    that comes with the program, nor a lossy picture of a single cell: it may be a copy of a cell of the set,
    whose pixels are others, and would be a second patient there. The patient is the case, under its number:
    the identifier stays in the records. What was written for a case that was reopened is removed. Nothing is
    done where all is as it should be.

    Parameters
    ----------
    data : Path
        The data folder.

    Returns
    -------
    int
        How many labels there are now.

    Raises
    ------
    RecordsError
        Where the records cannot be read.
    OSError
        Where the labels cannot be written; they are then as they were.
    """
    file = Workspace(data).review_labels
    if database.is_absent(data):
        return 0
    busy = RecordsError("Another process is writing the labels of signed cases. Try again in a minute.")
    with database.reading(data) as connection:
        signed = connection.execute(_signed()).mappings().all()
        if not signed and not file.is_file():
            return 0
        with exclusive(file.with_name(f".{file.name}.lock"), PATIENCE, busy):
            earlier = review_labels.read(data).set_index("path")["file_sha256"].to_dict()
            disputed = _disputed(signed)
            rows = [_row(data, connection, cell, earlier, disputed) for cell in signed]
            table = pd.DataFrame(rows, columns=list(manifest.COLUMNS))
            with whole_file(file) as partial:
                table.to_csv(partial, index=False, lineterminator="\n")
            kept = {Path(data, path) for path in table["path"]}
            for picture in set(file.parent.glob("*.png")) - kept:
                picture.unlink(missing_ok=True)
    return int((table["label"] != "").sum())


def _signed() -> sa.Select:
    tried_out = [record.image_id for record in demonstration.records()]
    in_field = sa.exists().where(PLACES.c.case_id == CELLS.c.case_id, PLACES.c.number == CELLS.c.number)
    return (
        sa.select(
            *(CELLS.c[name] for name in ("case_id", "number", "image_id", "verdict", "area")),
            (sa.func.coalesce(CELLS.c.lossy, sa.false()) & ~in_field).label("may_be_copy"),
        )
        .join(CASES, CASES.c.id == CELLS.c.case_id)
        .where(CASES.c.signed_at.is_not(None), CELLS.c.image_id != "", ~CELLS.c.drawn, STANDS)
        .where(CELLS.c.image_id.not_in(tried_out))
        # Others are not of the scale at which a network is trained.
        .where(sa.func.abs(CELLS.c.pixel_size - PIXEL_SIZE) < 1e-9)
        .order_by(CELLS.c.case_id, CELLS.c.number)
    )


def _disputed(signed: Iterable[sa.RowMapping]) -> set[str]:
    """Images on which signed cases have different verdicts, Indeterminate and Rejected among them."""
    given: dict[str, set[str]] = {}
    for cell in signed:
        if cell["verdict"]:
            given.setdefault(cell["image_id"], set()).add(cell["verdict"])
    return {image_id for image_id, verdicts in given.items() if len(verdicts) > 1}


def _row(
    data: Path,
    connection: sa.Connection,
    cell: sa.RowMapping,
    earlier: dict[str, str],
    disputed: Container[str],
) -> dict[str, object]:
    patient = f"review-{cell['case_id']}"
    path = f"{Workspace(data).review_labels.parent.name}/{cell['case_id']}-{cell['number']}.png"
    teaches = not cell["may_be_copy"] and cell["image_id"] not in disputed
    label = LABELS.get(cell["verdict"], "") if teaches else ""
    return {
        "image_id": cell["image_id"],
        "path": path,
        "label": label,
        "patient": patient,
        "patient_group": patient,
        "source": review_labels.SOURCE,
        "width": PICTURE,
        "height": PICTURE,
        "cell_area": cell["area"],
        "origin": f"case {cell['case_id']}, cell {cell['number']}",
        "file_sha256": _picture(data / path, connection, cell, earlier.get(path, "")) if label else "",
    }


def _picture(target: Path, connection: sa.Connection, cell: sa.RowMapping, earlier: str) -> str:
    """Write a cell's picture where it is not there yet; return its SHA-256."""
    if earlier and target.is_file():
        return earlier
    png = connection.scalar(
        sa.select(PICTURES.c.picture).where(
            PICTURES.c.case_id == cell["case_id"], PICTURES.c.number == cell["number"]
        )
    )
    with whole_file(target) as partial:
        partial.write_bytes(png)
    return hashlib.sha256(png).hexdigest()
