"""DICOM files of a patient as a hospital's archive has them."""

import io

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian

from leukemia.imaging import dicom
from tests.support.pictures import ellipse

NAME = "Mustermann^Erika"
PICTURE = ellipse(frame=450)


def made(pixels=PICTURE, syntax=ExplicitVRLittleEndian, data=None, **tags):
    """A VL Microscopic Image of a patient, as the bytes of a file."""
    whole = Dataset()
    whole.file_meta = FileMetaDataset()
    whole.file_meta.TransferSyntaxUID = UID(syntax)
    whole.file_meta.MediaStorageSOPClassUID = dicom.PICTURES[0]
    whole.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    whole.SOPClassUID, whole.SOPInstanceUID = dicom.PICTURES[0], "1.2.3"
    whole.PatientName, whole.PatientID, whole.PatientBirthDate = NAME, "4711", "19500101"
    whole.Rows, whole.Columns = pixels.shape[:2]
    whole.SamplesPerPixel, whole.PhotometricInterpretation, whole.PlanarConfiguration = 3, "RGB", 0
    whole.BitsAllocated = whole.BitsStored = 8
    whole.HighBit, whole.PixelRepresentation = 7, 0
    whole.PixelData = pixels.tobytes() if data is None else data
    for tag, value in tags.items():
        setattr(whole, tag, value)
    out = io.BytesIO()
    whole.save_as(out, enforce_file_format=True)
    return out.getvalue()


def compressed(syntax, frame, **tags):
    return made(syntax=syntax, data=encapsulate([frame]), **tags)
