"""The sixteen real, unlabelled cells of C-NMC 2019's final phase: ``ATTRIBUTION.md`` says whose."""

import re
from functools import cache
from pathlib import Path

from leukemia.dataset.catalog.filters import UNKNOWN
from leukemia.dataset.catalog.records import Record
from leukemia.imaging.cell import read_cell

FOLDER = Path(__file__).parent
SOURCE = "final"
CREDIT = (
    "Cells: C-NMC 2019, final phase. Gupta A, Gupta R. The Cancer Imaging Archive, 2019, "
    "doi:10.7937/tcia.2019.dc64i46r. CC BY 3.0. Saved as PNG, pixels unchanged."
)


def files() -> tuple[Path, ...]:
    """The image files, by number."""
    return tuple(sorted(FOLDER.glob("*.png"), key=lambda path: int(re.sub(r"\D", "", path.stem))))


@cache
def records() -> tuple[Record, ...]:
    """What is known of each cell, as of a prepared set's; ``path`` is relative to :data:`FOLDER`."""
    return tuple(_record(path) for path in files())


def _record(path: Path) -> Record:
    cell = read_cell(path)
    return Record(
        image_id=cell.image_id,
        path=path.name,
        origin=path.name,
        label="",
        patient="",
        patient_group="",
        source=SOURCE,
        width=cell.width,
        height=cell.height,
        cell_area=cell.area,
        brightness=None,
        subset=UNKNOWN,
        probability=None,
        decision=UNKNOWN,
        outcome=UNKNOWN,
        original_label="",
        review="",
    )
