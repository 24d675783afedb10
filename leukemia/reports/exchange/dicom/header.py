"""What each DICOM object of a case says of patient, study, program and itself.

Nobody is named: the patient's number is the case's identifier, unless whoever exports gives the one of the
receiving system. Numbers of objects (UIDs) follow from the case, so that the same object has the same one
wherever and however often it is made, and a repeated sending doubles nothing (PS3.5 B.2: UUIDs below 2.25).
"""

import re
import uuid
from dataclasses import dataclass
from hashlib import sha256

from pydicom.dataset import Dataset

import leukemia
from leukemia.cases.case import Case

MAKER, MODEL_NAME = "Leukemia dashboard", "Leukemia dashboard: image classifier"
STUDY = "White blood cells, classified by a research model"
# Why a patient is not named; each at most 64 characters.
NEVER_HELD = (
    "The program that made this holds no identity of a patient",
    "Patient ID is the identifier that its users gave the case",
)
UTF8 = "ISO_IR 192"
# The most characters of a DICOM long string (LO) and of a part of a name (PN).
LONGEST = 64
DIGEST = 16
# A backslash parts the values of an element; other control characters may not stand in it.
NOT_IN_A_STRING = re.compile(r"[\\\x00-\x1f\x7f-\x9f]")
NOT_IN_A_NAME = re.compile(r"[\\^=\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Subject:
    """Whose the objects are.

    Attributes
    ----------
    case : Case
    patient_id : str
        The patient's number in the receiving system; empty for none.
    """

    case: Case
    patient_id: str = ""

    def uid(self, *parts: str) -> str:
        """The UID of a part of the case: the same wherever it is made, another for each ``patient_id``."""
        named = "\n".join([self.case.identifier, self.case.created_at, self.patient_id, *parts])
        return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, named).int}"


def header(subject: Subject) -> Dataset:
    """Patient, study and program: a data set to be completed by the object's own elements."""
    case = subject.case
    made = Dataset()
    made.SpecificCharacterSet = UTF8
    made.TimezoneOffsetFromUTC = "+0000"
    made.PatientName = ""
    made.PatientID = long_string(subject.patient_id or case.identifier)
    made.PatientBirthDate = ""
    made.PatientSex = ""
    made.PatientIdentityRemoved = "NO" if subject.patient_id else "YES"
    if not subject.patient_id:
        made.DeidentificationMethod = list(NEVER_HELD)
    made.StudyInstanceUID = subject.uid("study")
    made.StudyDate, made.StudyTime = date(case.created_at), time(case.created_at)
    made.StudyID = ""
    made.StudyDescription = STUDY
    made.AccessionNumber = ""
    made.ReferringPhysicianName = ""
    made.Manufacturer = MAKER
    made.ManufacturerModelName = MODEL_NAME
    made.SoftwareVersions = leukemia.__version__
    return made


def long_string(text: str) -> str:
    """A text as one DICOM long string (LO).

    What may not stand in it becomes a space. Where that, or its length, would let two texts become one, the
    beginning of a digest of the text stands at the end.
    """
    plain = NOT_IN_A_STRING.sub(" ", text).strip()
    if plain == text and len(text) <= LONGEST:
        return text
    digest = sha256(text.encode()).hexdigest()[:DIGEST]
    return f"{plain[: LONGEST - DIGEST - 1].strip()} {digest}".strip()


def person(name: str) -> str:
    """A printed name as a DICOM person's name (PN), unparted: which of it is the family's is not known."""
    return f"{NOT_IN_A_NAME.sub(' ', name).strip()[: LONGEST - 1] or '-'}^"


def date(at: str) -> str:
    """The date of a time on record (ISO 8601, UTC) as DICOM writes it."""
    return at[:10].replace("-", "")


def time(at: str) -> str:
    """The time of day of a time on record (ISO 8601, UTC) as DICOM writes it."""
    return at[11:19].replace(":", "")
