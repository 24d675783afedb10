"""A cell's picture as a VL Microscopic Image [1]_: the pixels that the case keeps, as they are.

References
----------
.. [1] DICOM PS3.3 A.32.2; modules C.7.6.1, C.7.6.3, C.7.6.22 and C.8.12.1.
"""

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, VLMicroscopicImageStorage
from pydicom.valuerep import DSfloat

from leukemia.cases.cell import Cell
from leukemia.imaging import dicom, loss
from leukemia.reports.exchange.dicom.header import Subject, date, header, long_string, time
from leukemia.settings import RESEARCH_USE

SERIES, SERIES_NUMBER = "pictures", 1
DERIVATION = "One cell, cut out on black, at the model's scale. Its colours are those of the file."


def reference(subject: Subject, cell: Cell) -> Dataset:
    """A picture without its pixels: what says which it is, and whose."""
    made = header(subject)
    made.SOPClassUID = VLMicroscopicImageStorage
    made.SOPInstanceUID = subject.uid("picture", str(cell.number), cell.image_id)
    made.SeriesInstanceUID = subject.uid(SERIES)
    return made


def make(subject: Subject, cell: Cell, pixels: np.ndarray) -> Dataset:
    """The picture of a cell, uncompressed.

    Parameters
    ----------
    subject : Subject
    cell : Cell
    pixels : numpy.ndarray
        uint8 RGB, shape (height, width, 3).
    """
    made = reference(subject, cell)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.Modality = "GM"
    made.SeriesNumber = SERIES_NUMBER
    made.SeriesDescription = RESEARCH_USE
    made.InstanceNumber = cell.number
    made.PatientOrientation = ""
    made.ContentDate, made.ContentTime = date(cell.answered_at), time(cell.answered_at)
    made.ImageType = ["DERIVED", "PRIMARY"]
    made.DerivationDescription = DERIVATION
    made.ImageComments = RESEARCH_USE
    made.AcquisitionContextSequence = []
    _specimen(made, subject, cell)
    _pixels(made, cell, pixels)
    return made


def _specimen(made: Dataset, subject: Subject, cell: Cell) -> None:
    """Whose blood it is: the case's, under its identifier."""
    specimen = Dataset()
    specimen.SpecimenIdentifier = long_string(subject.case.identifier)
    specimen.SpecimenUID = subject.uid("specimen")
    specimen.IssuerOfTheSpecimenIdentifierSequence = []
    specimen.SpecimenPreparationSequence = []
    specimen.SpecimenShortDescription = f"Cell {cell.number}" + ", synthetic drawing" * cell.drawn
    made.ContainerIdentifier = long_string(subject.case.identifier)
    made.IssuerOfTheContainerIdentifierSequence = []
    made.ContainerTypeCodeSequence = []
    made.SpecimenDescriptionSequence = [specimen]


def _pixels(made: Dataset, cell: Cell, pixels: np.ndarray) -> None:
    made.Rows, made.Columns, made.SamplesPerPixel = pixels.shape
    made.PhotometricInterpretation = "RGB"
    made.PlanarConfiguration = 0
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    made.PixelRepresentation = 0
    # Millimetres, down and across.
    made.PixelSpacing = [DSfloat(cell.pixel_size / 1_000, auto_format=True)] * 2
    # Pixels are written as they are: the loss is that of the file that the cell came from. What became of the
    # picture before that is not known, so that "never compressed" (00) cannot be said.
    made.LossyImageCompression = "01" if loss.is_noted(cell.note) else ""
    made.BurnedInAnnotation = "YES" if dicom.BURNED_IN in cell.note else "NO"
    made.RecognizableVisualFeatures = "NO"
    data = np.ascontiguousarray(pixels, np.uint8).tobytes()
    # An element has an even number of bytes.
    made.PixelData = data + b"\0" * (len(data) % 2)
    made["PixelData"].VR = "OB"
