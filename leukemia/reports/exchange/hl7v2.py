"""A case as an HL7 v2.5.1 message ORU^R01, and its way to a listener over MLLP.

Only what other systems must have: no file name, no picture, no reader but who signed; and no patient by name.
"""

import math
import re
import socket

from leukemia.errors import SendingError
from leukemia.reports.case import Content
from leukemia.reports.exchange import results
from leukemia.reports.exchange.results import PRELIMINARY, Result

# Table 0123: the report's status; 0085: a result's.
REPORT_STATUS = {PRELIMINARY: "P", results.FINAL: "F"}
ABOUT = "ALL-LIKE^White blood cells: share that is ALL-like (research use only)^L"
PERCENT = "%^^UCUM"
# What stands for a separator in a text, and for a new line.
ESCAPES = {"\\": "E", "|": "F", "^": "S", "&": "T", "~": "R", "\r": ".br", "\n": ".br"}
# Around a message on its way (HL7's Minimal Lower Layer Protocol).
START, END = b"\x0b", b"\x1c\r"
LONGEST_ANSWER = 1 << 20
ACCEPTED = ("AA", "CA")


def render(content: Content, *, patient_id: str = "") -> str:
    """The message, segments ended by carriage returns.

    ``patient_id`` is the patient's number in the receiving system; without one, the message names no patient.
    """
    case = content.case
    at, status = _time(case.signed_at or case.changed_at), REPORT_STATUS[results.status(case)]
    # At most 20 characters in this version of HL7.
    control = results.identity(content, "ORU", patient_id).replace("-", "")[:20]
    # The first field, MSH-1, is the separator itself: here 17 is MSH-18.
    header = {
        1: r"^~\&",
        2: "LEUKEMIA-DASHBOARD",
        6: at,
        8: "ORU^R01^ORU_R01",
        9: control,
        10: "P",
        11: "2.5.1",
        17: "UNICODE UTF-8",
    }
    segments = [
        _segment("MSH", header),
        # A patient's name is required there; U says that none is given.
        *([_segment("PID", {1: "1", 3: _text(patient_id), 5: "^^^^^^U"})] if patient_id else []),
        _segment(
            "OBR",
            {1: "1", 3: _text(case.identifier), 4: ABOUT, 7: _time(case.created_at), 22: at, 25: status},
        ),
    ]
    said = (results.conclusion(content), results.answered_by(content))
    segments += [_segment("NTE", {1: str(n), 2: "L", 3: _text(one)}) for n, one in enumerate(said, 1)]
    values = [value for one in results.results(content.counts) for value in _values(one)]
    for number, value in enumerate(values, 1):
        segments.append(_segment("OBX", {1: str(number), **value, 11: status, 14: at}))
    return "".join(f"{one}\r" for one in segments)


def send(message: str, host: str, port: int, *, seconds: float = 10.0) -> str:
    """Hand a message to a listener over MLLP and wait until it says that it has taken it.

    Parameters
    ----------
    message : str
        Of :func:`render`.
    host, port : str, int
        Where it listens.
    seconds : float, optional
        How long to wait for it, for the connection and for the answer.

    Returns
    -------
    str
        The acknowledgement code, AA or CA.

    Raises
    ------
    SendingError
        Where nobody listens, does not answer in time, or refuses the message. It may be sent again: it
        bears the same number.
    """
    where = f"{host}:{port}"
    try:
        with socket.create_connection((host, port), timeout=seconds) as line:
            line.sendall(START + message.encode() + END)
            answer = _answer(line)
    except TimeoutError as error:
        raise SendingError(f"{where} did not answer within {seconds:g} seconds.") from error
    except OSError as error:
        raise SendingError(f"{where} cannot be reached: {error.strerror or error}.") from error
    code, control, said = _acknowledgement(answer)
    if not code or control != message.split("|", 10)[9]:
        raise SendingError(f"{where} did not acknowledge this message.")
    if code not in ACCEPTED:
        raise SendingError(f"{where} refused the message ({code}{f': {said}' if said else ''}).")
    return code


def _acknowledgement(answer: str) -> tuple[str, str, str]:
    """Code, number of the message and text of the segment MSA; empty where there is none."""
    for segment in answer.splitlines():
        name, *fields = segment.split("|")
        if name == "MSA":
            code, control, said, *_ = (one.strip() for one in [*fields, "", "", ""])
            return code, control, said
    return "", "", ""


def _answer(line: socket.socket) -> str:
    got = bytearray()
    while END not in got and len(got) < LONGEST_ANSWER:
        part = line.recv(65_536)
        if not part:
            break
        got += part
    return got.lstrip(START).partition(END)[0].decode("utf-8", "replace")


def _values(one: Result) -> list[dict[int, str]]:
    """Each value, as fields of a segment OBX: 2 its type, 3 its code and words, 5 itself, 6 its unit."""
    by = "AI" if one.by_model else "READERS"
    rows = []
    if not math.isnan(one.share.value):
        low, high = (f"{100 * each:.1f}" for each in (one.share.low, one.share.high))
        about = f"{one.text}: 95% interval (Wilson) over the cells of this one patient"
        rows.append(("NM", "SHARE", one.text, f"{100 * one.share.value:.1f}", PERCENT))
        rows.append(("SN", "INTERVAL", about, f"^{low}^-^{high}", PERCENT))
    rows += [("NM", name.upper(), f"{name} cells", str(count), "") for name, count in one.counts.items()]
    return [
        {2: kind, 3: f"{by}-{code}^{_text(text)}^L", 5: value, 6: unit}
        for kind, code, text, value, unit in rows
    ]


def _segment(name: str, fields: dict[int, str]) -> str:
    return "|".join([name, *(fields.get(number, "") for number in range(1, max(fields) + 1))])


def _text(text: str) -> str:
    return "".join(f"\\{ESCAPES[letter]}\\" if letter in ESCAPES else letter for letter in text)


def _time(at: str) -> str:
    """A time on record (ISO 8601, UTC) as HL7 writes it."""
    return re.sub(r"[-:T]", "", at[:19]) + "+0000"
