"""A case sent to another system, by whoever may, and on record."""

from pathlib import Path

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.cases.case import Case
from leukemia.reports.exchange import hl7v2

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
