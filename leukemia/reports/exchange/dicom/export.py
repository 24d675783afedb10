"""All DICOM objects of a case, one after another, and a zip of them; never more than one is in memory."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset

from leukemia.cases import cells as case_cells
from leukemia.errors import LeukemiaError
from leukemia.reports.case import Content
from leukemia.reports.exchange import results
from leukemia.reports.exchange.dicom import picture, structured
from leukemia.reports.exchange.dicom.header import Subject

# Cells in a report: a larger case has several, each with the counts of all.
CELLS_PER_REPORT = 250


class NoPictureError(LeukemiaError):
    """A case has nothing that could be sent as DICOM."""


@dataclass(frozen=True)
class Instance:
    """One object of a case.

    Attributes
    ----------
    name : str
        In a sentence: ``cell 3``, ``report 1``.
    file : str
        In a zip.
    dataset : Dataset
    """

    name: str
    file: str
    dataset: Dataset


def check(content: Content) -> None:
    """See that a case has a picture; raises :class:`NoPictureError`, in a sentence, where it has none."""
    if not any(cell.image_id for cell in content.cells):
        raise NoPictureError(results.NO_PICTURE)


def count(content: Content) -> int:
    """How many objects a case has."""
    return sum(bool(cell.image_id) for cell in content.cells) + len(_parts(content))


def instances(data: Path, content: Content, *, patient_id: str = "") -> Iterator[Instance]:
    """The pictures of a case, then its reports: what a report refers to is there before it.

    Parameters
    ----------
    data : Path
        The data folder.
    content : Content
        Of :func:`leukemia.reports.case.gather`.
    patient_id : str, optional
        The patient's number in the receiving system; empty for none.

    Raises
    ------
    NoPictureError
        Where no cell has a picture.
    RecordsError
        Where one cannot be read.
    """
    check(content)
    subject = Subject(content.case, patient_id)
    for cell in content.cells:
        if cell.image_id:
            pixels = case_cells.picture(data, content.case.id, cell.number).pixels
            made = picture.make(subject, cell, pixels)
            yield Instance(f"cell {cell.number}", f"pictures/cell-{cell.number:05}.dcm", made)
    for number, cells in enumerate(_parts(content), 1):
        made = structured.make(content, subject, cells, number)
        yield Instance(f"report {number}", f"report-{number}.dcm", made)


def write(data: Path, content: Content, target: BinaryIO, *, patient_id: str = "") -> None:
    """Write a zip of all :func:`instances`, the same bytes for the same state of a case."""
    at = content.case.changed_at
    stamp = tuple(
        int(at[start:end]) for start, end in ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))
    )
    with zipfile.ZipFile(target, "w") as archive:
        for one in instances(data, content, patient_id=patient_id):
            file = io.BytesIO()
            one.dataset.save_as(file, enforce_file_format=True)
            info = zipfile.ZipInfo(one.file, stamp)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, file.getvalue())


def _parts(content: Content) -> list[list]:
    cells = content.cells
    return [cells[start : start + CELLS_PER_REPORT] for start in range(0, len(cells), CELLS_PER_REPORT)]
