"""A case sent to another system, by whoever may, and on record."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.cases.case import Case
from leukemia.errors import SendingError
from leukemia.reports.case import Content
from leukemia.reports.exchange import hl7v2

if TYPE_CHECKING:
    from leukemia.reports.exchange.dicom.node import Delivery, Node

WHAT = '"HL7 ORU^R01"'


@permissions.requires(Action.SEND, signed_by="who")
def send(data: Path, case: Case, message: str, host: str, port: int, *, who: str, seconds: float) -> str:
    """Send a case's message, and record that it was taken.

    Parameters
    ----------
    data : Path
        The data folder.
    case : Case
    message : str
        Of :func:`leukemia.reports.exchange.hl7v2.render`.
    host, port : str, int
        Where a system listens.
    who : str
    seconds : float
        How long to wait.

    Returns
    -------
    str
        The acknowledgement code.

    Raises
    ------
    SendingError
        Where it was not taken: then nothing is recorded.
    RecordsError
        Where it was taken, but cannot be recorded.
    """
    code = hl7v2.send(message, host, port, seconds=seconds)
    trail.record(data, Entry(trail.SENT, who, case.id, new=f"{host}:{port}", details=WHAT))
    return code


@permissions.requires(Action.SEND, signed_by="who")
def store(
    data: Path, content: Content, node: "Node", *, who: str, seconds: float, patient_id: str = ""
) -> "Delivery":
    """Send a case's pictures and reports to a DICOM node, and record how many it has taken.

    Parameters
    ----------
    data : Path
        The data folder.
    content : Content
        Of :func:`leukemia.reports.case.gather`.
    node : Node
    who : str
    seconds : float
        How long to wait for each answer.
    patient_id : str, optional
        The patient's number in the receiving system; empty for none.

    Raises
    ------
    NoPictureError
        Where the case has no picture.
    SendingError
        Where any object was not taken; what was taken is on record all the same.
    RecordsError
        Where a picture cannot be read, or what was taken cannot be recorded.
    """
    from leukemia.reports.exchange.dicom import export
    from leukemia.reports.exchange.dicom import node as nodes

    export.check(content)
    delivery = nodes.Delivery(export.count(content))
    try:
        nodes.send(export.instances(data, content, patient_id=patient_id), delivery, node, seconds=seconds)
    finally:
        # They have left the house, whatever became of the others.
        if delivery.taken:
            details = json.dumps(f"DICOM, {delivery.taken} of {delivery.total} objects")
            trail.record(data, Entry(trail.SENT, who, content.case.id, new=str(node), details=details))
    if not delivery.is_complete:
        raise SendingError(
            f"{node} has taken {delivery}. Send the case again: what is there already is not doubled."
        )
    return delivery
