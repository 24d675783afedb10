"""A case as a Comprehensive SR after TID 1500 [1]_: each cell with its picture, and what all come to.

References
----------
.. [1] DICOM PS3.16: TID 1500 (Measurement Report), TID 1501 (Measurement and Qualitative Evaluation Group),
   TID 4019 (Algorithm Identification).
"""

import math
from collections.abc import Sequence

from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.dataset import Dataset

import leukemia
from leukemia.cases.cell import Cell
from leukemia.reports.case import Content
from leukemia.reports.exchange import results
from leukemia.reports.exchange.dicom import codes, picture
from leukemia.reports.exchange.dicom.header import MAKER, MODEL_NAME, UTF8, Subject, date, person, time
from leukemia.reports.exchange.results import Result
from leukemia.settings import RESEARCH_USE

SERIES = "reports"
# The first series of a case is that of its pictures; each state of the case has one of its own.
FIRST_SERIES = picture.SERIES_NUMBER + 1


def make(content: Content, subject: Subject, cells: Sequence[Cell], part: int) -> Dataset:
    """The report of some cells, and the counts of all.

    It is verified, by name, by whoever signed the case; no other reader is named. The same state of a case
    makes the same report under the same UID.

    Parameters
    ----------
    content : Content
        Of :func:`leukemia.reports.case.gather`; at least one of its cells has a picture.
    subject : Subject
    cells : sequence of Cell
        Those of this part.
    part : int
        Its number, from 1.
    """
    case = content.case
    said = results.conclusion(content), results.answered_by(content)
    # What is told of the model depends on whether it is still there, and belongs to the state.
    state = str(case.changed), leukemia.__version__, *said
    shown = [cell for cell in cells if cell.image_id] or [
        next(cell for cell in content.cells if cell.image_id)
    ]
    at = case.signed_at or case.changed_at
    made = sr.ComprehensiveSR(
        evidence=[picture.reference(subject, cell) for cell in shown],
        content=_tree(content, subject, cells, said)[0],
        series_instance_uid=subject.uid(SERIES, *state),
        series_number=FIRST_SERIES + case.changed,
        sop_instance_uid=subject.uid(SERIES, *state, str(part)),
        instance_number=part,
        manufacturer=MAKER,
        is_complete=case.is_signed,
        is_final=case.is_signed,
        is_verified=case.is_signed,
        verifying_observer_name=person(case.signed_by) if case.is_signed else None,
        verifying_organization="" if case.is_signed else None,
        series_description=RESEARCH_USE,
        manufacturer_model_name=MODEL_NAME,
        software_versions=leukemia.__version__,
        coding_schemes=[CodingSchemeIdentificationItem(codes.SCHEME, name=f"{MAKER}, codes of its own")],
        specific_character_set=UTF8,
    )
    made.TimezoneOffsetFromUTC = "+0000"
    # The library writes when it is called, by the machine's own time.
    made.ContentDate = made.InstanceCreationDate = date(at)
    made.ContentTime = made.InstanceCreationTime = time(at)
    for observer in made.get("VerifyingObserverSequence", ()):
        observer.VerificationDateTime = date(at) + time(at)
    for equipment in made.ContributingEquipmentSequence:
        if "ContributionDateTime" in equipment:
            equipment.ContributionDateTime = date(at) + time(at)
    return made


def _tree(
    content: Content, subject: Subject, cells: Sequence[Cell], said: tuple[str, ...]
) -> sr.MeasurementReport:
    device = sr.DeviceObserverIdentifyingAttributes(
        subject.uid("device"), name=MODEL_NAME, manufacturer_name=MAKER, model_name=leukemia.__version__
    )
    tree = sr.MeasurementReport(
        observation_context=sr.ObservationContext(
            observer_device_context=sr.ObserverContext(codes.DEVICE, device)
        ),
        procedure_reported=codes.PROCEDURE,
        imaging_measurements=[_all(content, subject), *(_cell(subject, cell) for cell in cells)],
    )
    # The template may be extended, and has no place for a sentence.
    tree[0].ContentSequence.extend(
        sr.TextContentItem(codes.COMMENT, text, sr.RelationshipTypeValues.CONTAINS) for text in said
    )
    return tree


def _all(content: Content, subject: Subject) -> sr.MeasurementsAndQualitativeEvaluations:
    """What all cells come to."""
    measured = [one for each in results.results(content.counts) for one in _values(each)]
    return sr.MeasurementsAndQualitativeEvaluations(
        sr.TrackingIdentifier(subject.uid("case"), f"Case {content.case.identifier}"),
        finding_type=codes.CASE,
        measurements=measured,
    )


def _values(one: Result) -> list[sr.Measurement]:
    by, who = ("ai", "by the model") if one.by_model else ("readers", "with readers' verdicts")
    made = [
        sr.Measurement(codes.own(f"{by}-{name.lower()}", f"{name} cells {who}"), count, codes.CELLS)
        for name, count in one.counts.items()
    ]
    shares = (
        ("share", "Share of ALL-like cells", one.share.value),
        ("low", "Lower 95% bound (Wilson) of the share", one.share.low),
        ("high", "Upper 95% bound (Wilson) of the share", one.share.high),
    )
    return made + [
        sr.Measurement(codes.own(f"{by}-{code}", f"{text} {who}"), round(100 * value, 1), codes.PERCENT)
        for code, text, value in shares
        if not math.isnan(value)
    ]


def _cell(subject: Subject, cell: Cell) -> sr.MeasurementsAndQualitativeEvaluations:
    """The model's answer to a cell, by which limits, and what readers called it."""
    evaluated = [(codes.DECISION, cell.called), *((codes.VERDICT, one.verdict) for one in cell.readings)]
    evaluations = [
        sr.QualitativeEvaluation(name, codes.WORDS[word])
        for name, word in [*evaluated, (codes.FINAL, cell.final or codes.DISPUTED)]
    ]
    evaluations.append(sr.QualitativeEvaluation(codes.STAIN, codes.YES if cell.stain else codes.NO))
    answered = cell.probability is not None
    measured = (
        (codes.PROBABILITY, cell.probability),
        (codes.LOW, cell.low),
        (codes.HIGH, cell.high),
        (codes.THRESHOLD, cell.threshold),
    )
    shown = picture.reference(subject, cell) if cell.image_id else None
    return sr.MeasurementsAndQualitativeEvaluations(
        sr.TrackingIdentifier(subject.uid("cell", str(cell.number)), f"Cell {cell.number}"),
        finding_type=codes.CELL,
        algorithm_id=_algorithm(cell),
        measurements=[sr.Measurement(name, float(value), codes.NO_UNIT) for name, value in measured]
        if answered
        else None,
        qualitative_evaluations=evaluations,
        source_images=[sr.SourceImageForMeasurementGroup(shown.SOPClassUID, shown.SOPInstanceUID)]
        if shown
        else None,
    )


def _algorithm(cell: Cell) -> sr.AlgorithmIdentification:
    version = f"version {cell.version}, " if cell.version else ""
    return sr.AlgorithmIdentification(cell.model, f"{version}SHA-256 of its record {cell.record_sha256}")
