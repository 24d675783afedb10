"""A case as a FHIR R4 Bundle: DiagnosticReport, Observations, Device and Provenance.

The four are the same in R4 (4.0.1) and R4B (4.3.0); the library's models of R4B check them. What only the
model says bears the security label AIAST (artificial intelligence asserted) of HL7's AI Transparency on FHIR.
"""

import math
from typing import Any

from leukemia.evaluation.estimate import Estimate
from leukemia.reports.case import Content
from leukemia.reports.exchange import results
from leukemia.reports.exchange.results import Result
from leukemia.settings import RESEARCH_USE

MADE_BY_AI = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "AIAST",
    "display": "Artificial Intelligence asserted",
}
UNITS = "http://unitsofmeasure.org"
AGENTS = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
NOTICE = {"text": RESEARCH_USE}


def render(content: Content, *, patient_id: str = "") -> str:
    """The Bundle as JSON text, checked.

    No file name, no reader's verdict by name and no picture is in it; who signed is. The case's identifier
    is the report's: it names no patient unless whoever chose it did. ``patient_id`` is the patient's number
    in the receiving system; empty for none.
    """
    from fhir.resources.R4B.bundle import Bundle

    return Bundle.model_validate(bundle(content, patient_id)).model_dump_json(indent=2)


def bundle(content: Content, patient_id: str = "") -> dict[str, Any]:
    """The Bundle as plain values.

    Parameters
    ----------
    content : Content
        Of :func:`leukemia.reports.case.gather`.
    patient_id : str, optional
    """
    found = results.results(content.counts)
    device = _device(content)
    observations = [_observation(content, one, device, patient_id) for one in found]
    report = _report(content, observations, patient_id)
    if patient_id:
        for one in (report, *observations):
            one["subject"] = {"type": "Patient", "identifier": {"value": patient_id}}
    resources = [
        report,
        *observations,
        device,
        _provenance(content, [report, *observations], device, patient_id),
    ]
    return {
        "resourceType": "Bundle",
        "identifier": {
            "system": "urn:ietf:rfc:3986",
            "value": _urn(results.identity(content, "Bundle", patient_id)),
        },
        "type": "collection",
        "timestamp": content.case.changed_at,
        "entry": [{"fullUrl": _urn(one["id"]), "resource": one} for one in resources],
    }


def _report(content: Content, observations: list[dict[str, Any]], patient_id: str) -> dict[str, Any]:
    case = content.case
    signed = {"resultsInterpreter": [{"display": case.signed_by}]} if case.is_signed else {}
    return {
        "resourceType": "DiagnosticReport",
        "id": results.identity(content, "DiagnosticReport", patient_id),
        "meta": {"security": [MADE_BY_AI]},
        "identifier": [{"system": f"{results.CODES}:case", "value": case.identifier}],
        "status": results.status(case),
        "code": {"text": "White blood cells: share that is ALL-like (research use only)"},
        "issued": case.signed_at or case.changed_at,
        "result": [_to(one) for one in observations],
        "conclusion": results.conclusion(content),
        **signed,
    }


def _observation(content: Content, one: Result, device: dict[str, Any], patient_id: str) -> dict[str, Any]:
    label = {"meta": {"security": [MADE_BY_AI]}} if one.by_model else {}
    counted = [
        {"code": {"text": f"{name} cells"}, "valueInteger": number} for name, number in one.counts.items()
    ]
    return {
        "resourceType": "Observation",
        "id": results.identity(content, one.code, patient_id),
        **label,
        "status": results.status(content.case),
        "code": {"coding": [{"system": results.CODES, "code": one.code}], "text": one.text},
        "issued": content.case.changed_at,
        "device": _to(device),
        "method": {"text": results.answered_by(content)},
        "note": [NOTICE],
        **_share(one.share),
        "component": [*counted, *_interval(one.share)],
    }


def _share(share: Estimate) -> dict[str, Any]:
    if math.isnan(share.value):
        return {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": "not-performed"}]}}
    return {"valueQuantity": _percent(share.value)}


def _interval(share: Estimate) -> list[dict[str, Any]]:
    if math.isnan(share.low):
        return []
    text = "95% interval (Wilson) over the cells of this one patient"
    both = {"low": _percent(share.low), "high": _percent(share.high)}
    return [{"code": {"text": text}, "valueRange": both}]


def _percent(value: float) -> dict[str, Any]:
    return {"value": round(100 * value, 1), "unit": "%", "system": UNITS, "code": "%"}


def _device(content: Content) -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "id": results.identity(content, "Device"),
        "deviceName": [{"name": "Leukemia dashboard: image classifier", "type": "user-friendly-name"}],
        "type": {"text": "Software that classifies images of white blood cells (research use only)"},
        "version": [
            {"type": {"text": "SHA-256 of the model's record"}, "value": one}
            for one in results.versions(content.cells)
        ],
        "note": [{"text": results.answered_by(content)}, NOTICE],
    }


def _provenance(
    content: Content, targets: list[dict[str, Any]], device: dict[str, Any], patient_id: str
) -> dict[str, Any]:
    case = content.case
    agents = [{"type": _agent("assembler"), "who": _to(device)}]
    if case.is_signed:
        agents.append({"type": _agent("verifier"), "who": {"display": case.signed_by}})
    pictures = list(dict.fromkeys(cell.image_id for cell in content.cells if cell.image_id))
    return {
        "resourceType": "Provenance",
        "id": results.identity(content, "Provenance", patient_id),
        "target": [_to(one) for one in targets],
        "recorded": case.signed_at or case.changed_at,
        "agent": agents,
        "entity": [
            {"role": "source", "what": {"identifier": {"system": "urn:sha256:pixels", "value": one}}}
            for one in pictures
        ],
    }


def _agent(code: str) -> dict[str, Any]:
    return {"coding": [{"system": AGENTS, "code": code}]}


def _to(resource: dict[str, Any]) -> dict[str, Any]:
    return {"reference": _urn(resource["id"])}


def _urn(identity: str) -> str:
    return f"urn:uuid:{identity}"
