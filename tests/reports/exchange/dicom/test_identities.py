"""Field by field: nothing of a case leaves in DICOM but its identifier, its answers, and who signed."""

import io
import re
import zipfile
from dataclasses import replace

import pydicom
import pytest
from pydicom.multival import MultiValue

import leukemia
from leukemia.cases import case as cases
from leukemia.cases import cells, disagreements, signing, verdicts
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.reports import case as report
from leukemia.reports.exchange import results
from leukemia.reports.exchange.dicom import codes, export, header, picture
from leukemia.settings import RESEARCH_USE
from tests.support.case_factory import POINT, bundle_at, result

IDENTIFIER, SIGNER = "S-2041", "Sig Nerworth"
# What stands on record with the case, each word in one place.
SECRETS = {
    "file": "Jane-Doe-1950.bmp",
    "creator": "Creator Torvald",
    "reader": "Reader Derbyson",
    "second reader": "Other Leserin",
    "why rejected": "smudged Mustermann",
    "who settled": "Settler Tlerman",
    "why settled": "phoned Dr Quincey",
    "error": "blurred-Zebra",
    "note": "noted-Yonder",
}
NUMBERS = {"US", "SS", "UL", "SL", "FD", "FL", "DS", "IS", "OB", "OW", "SQ"}
# Each element that may hold text, and what may stand in it.
CONSTANT = {
    "SpecificCharacterSet": {header.UTF8},
    "TimezoneOffsetFromUTC": {"+0000"},
    "ImageType": {"DERIVED", "PRIMARY"},
    "Modality": {"GM", "SR"},
    "Manufacturer": {header.MAKER, "Highdicom open-source contributors"},
    "ManufacturerModelName": {header.MODEL_NAME, "highdicom"},
    "StudyDescription": {header.STUDY},
    "SeriesDescription": {RESEARCH_USE},
    "ImageComments": {RESEARCH_USE},
    "DerivationDescription": {picture.DERIVATION},
    "ContributionDescription": {
        "Acquisition equipment of the source image(s)",
        "Software library used to create this instance",
    },
    "PatientName": {""},
    "PatientBirthDate": {""},
    "PatientSex": {""},
    "AccessionNumber": {""},
    "StudyID": {""},
    "ReferringPhysicianName": {""},
    "PatientOrientation": {""},
    "VerifyingOrganization": {""},
    "LossyImageCompression": {""},
    "PatientIdentityRemoved": {"YES"},
    "DeidentificationMethod": set(header.NEVER_HELD),
    "PhotometricInterpretation": {"RGB"},
    "BurnedInAnnotation": {"NO"},
    "RecognizableVisualFeatures": {"NO"},
    "CodingSchemeName": {f"{header.MAKER}, codes of its own"},
    "CompletionFlag": {"COMPLETE"},
    "VerificationFlag": {"VERIFIED"},
    "PreliminaryFlag": {"FINAL"},
    "ContinuityOfContent": {"CONTINUOUS"},
    "ValueType": {"CONTAINER", "CODE", "TEXT", "NUM", "UIDREF", "IMAGE"},
    "RelationshipType": {
        "CONTAINS",
        "HAS OBS CONTEXT",
        "HAS CONCEPT MOD",
        "HAS PROPERTIES",
        "INFERRED FROM",
    },
    "MappingResource": {"DCMR"},
    "TemplateIdentifier": {"1500", "1501", "300", "4019", "1419"},
    "CodingSchemeDesignator": {"DCM", "UCUM", "SCT", "RFC5646", "UMLS", codes.SCHEME},
    # Of the identifier and of who signed.
    "PatientID": {IDENTIFIER},
    "ContainerIdentifier": {IDENTIFIER},
    "SpecimenIdentifier": {IDENTIFIER},
    "VerifyingObserverName": {f"{SIGNER}^"},
}
PATTERNS = {
    "UI": r"(1\.2\.840\.10008|2\.25|1\.2\.826\.0\.1\.3680043)\.[0-9.]+",
    "DA": r"\d{8}",
    "TM": r"\d{6}",
    "DT": r"\d{14}",
}
CODED = re.compile(r"[ -~]{1,64}")
VERSION = re.compile(r"[0-9.]+")


@pytest.fixture
def exported(tmp_path):
    """A case with a secret in every text that it has on record, and all its objects."""
    made = cases.create(tmp_path, IDENTIFIER, who=SECRETS["creator"], keep_names=True)
    bundle = bundle_at(tmp_path / "bundle")
    given = []
    for number in (1, 2, 3):
        one = result(number, 0.9 if number < 3 else None, name=SECRETS["file"])
        error = SECRETS["error"] if number == 3 else ""
        given.append(replace(one, answer=replace(one.answer, note=SECRETS["note"], error=error)))
    cells.add(tmp_path, made.id, given, bundle, POINT, who=SECRETS["creator"])
    verdicts.give(tmp_path, made.id, [1], ALL_LIKE, reader=SECRETS["reader"])
    verdicts.give(tmp_path, made.id, [1], NORMAL_LIKE, reader=SECRETS["second reader"])
    disagreements.settle(
        tmp_path, made.id, 1, ALL_LIKE, who=SECRETS["who settled"], reason=SECRETS["why settled"]
    )
    verdicts.give(
        tmp_path,
        made.id,
        [3],
        verdicts.REJECTED,
        reader=SECRETS["reader"],
        reason=SECRETS["why rejected"],
    )
    signing.sign(tmp_path, made.id, who=SIGNER, meaning=signing.MEANINGS[0])
    on_record = str(cells.cells(tmp_path, made.id)) + str(made)
    assert [name for name, secret in SECRETS.items() if secret not in on_record] == []
    content = report.gather(tmp_path, made.id, None)
    out = io.BytesIO()
    export.write(tmp_path, content, out)
    return content, zipfile.ZipFile(out)


def test_every_element_holds_only_what_it_may(exported):
    content, archive = exported
    texts = {
        header.MODEL_NAME,
        header.MAKER,
        leukemia.__version__,
        f"Case {IDENTIFIER}",
        *(f"Cell {cell.number}" for cell in content.cells),
        *(cell.model for cell in content.cells),
        *(f"SHA-256 of its record {cell.record_sha256}" for cell in content.cells),
        results.conclusion(content),
        results.answered_by(content),
    }
    allowed = {**CONSTANT, "TextValue": texts, "SpecimenShortDescription": texts}
    checked, wrong = set(), []
    for name in archive.namelist():
        dataset = pydicom.dcmread(io.BytesIO(archive.read(name)))
        for element in (*dataset.file_meta, *dataset.iterall()):
            if element.VR in NUMBERS:
                continue
            checked.add(element.keyword)
            wrong += [f"{name}: {element}" for one in values(element) if not may(element, one, allowed)]
    assert wrong == []
    assert {"PatientID", "TextValue", "VerifyingObserverName", "CodeMeaning"} <= checked


def values(element):
    value = element.value
    return [str(one) for one in value] if isinstance(value, MultiValue) else [str(value or "")]


def may(element, value, allowed):
    if element.VR in PATTERNS:
        return value == "" or re.fullmatch(PATTERNS[element.VR], value) is not None
    if element.keyword in ("CodeValue", "CodeMeaning"):
        return CODED.fullmatch(value) is not None and not any(word in value for word in SECRETS.values())
    if element.keyword == "SoftwareVersions":
        return VERSION.fullmatch(value) is not None
    if element.keyword == "ImplementationVersionName":
        return re.fullmatch(r"(PYDICOM |highdicom)[0-9.]+", value) is not None
    return value in allowed.get(element.keyword, ())


def test_no_byte_of_what_stands_on_record_besides_is_in_a_file(exported):
    _, archive = exported
    for name in archive.namelist():
        content = archive.read(name)
        for what, secret in SECRETS.items():
            # Shorter words could stand in pixels by chance.
            for word in [one for one in secret.split() if len(one) > 4]:
                assert word.encode() not in content, (name, what)
        assert IDENTIFIER.encode() in content
    names = " ".join(archive.namelist())
    assert IDENTIFIER not in names
    assert "Jane" not in names


def test_who_signed_is_the_one_person_named_and_only_in_the_report(exported):
    _, archive = exported
    named = {name for name in archive.namelist() if SIGNER.encode() in archive.read(name)}
    assert named == {"report-1.dcm"}
    dataset = pydicom.dcmread(io.BytesIO(archive.read("report-1.dcm")))
    holding = {one.keyword for one in dataset.iterall() if one.VR != "SQ" and SIGNER in str(one.value)}
    assert holding == {"VerifyingObserverName", "TextValue"}
