"""Objects handed to a DICOM node by C-STORE [1]_, one at a time over one association.

References
----------
.. [1] DICOM PS3.4 annex B (Storage), PS3.7 9.1.1 (C-STORE), PS3.15 annex B (TLS).
"""

import contextlib
import logging
import socket
import ssl
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom.uid import (
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    VLMicroscopicImageStorage,
)

from leukemia.counting import counted
from leukemia.errors import SendingError
from leukemia.reports.exchange.dicom.export import Instance
from leukemia.storage import files

if TYPE_CHECKING:
    from pydicom.dataset import Dataset
    from pynetdicom.association import Association

CALLED, CALLING = "ANY-SCP", "LEUKEMIA"
# Kinds of object, in either way of writing them: the library turns one into the other.
KINDS = (VLMicroscopicImageStorage, ComprehensiveSRStorage)
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
# Refused or altered objects that are named in a sentence.
MOST_NAMED = 5
NOT_TAKEN = "this kind of object is not taken there"


@dataclass(frozen=True)
class Node:
    """Who is to take the objects.

    Attributes
    ----------
    host, port : str, int
        Where it listens.
    called, calling : str
        Its title and ours.
    trusted : Path or None
        PEM file of the certificates that may have signed its own: the connection is then by TLS.
    """

    host: str
    port: int
    called: str = CALLED
    calling: str = CALLING
    trusted: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass
class Delivery:
    """What became of the objects.

    Attributes
    ----------
    total, taken : int
    refused, altered : list of str
        Those that the node did not take, and those that it took with a warning: each with the reason.
    ended_before : str
        Name of the object before which the connection ended; empty where it held.
    """

    total: int
    taken: int = 0
    refused: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    ended_before: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether the node has taken all."""
        return self.taken == self.total

    def __str__(self) -> str:
        said = f"{self.taken:,} of {counted(self.total, 'object')}"
        if self.altered:
            said += f"; with a warning: {_named(self.altered)}"
        if self.refused:
            said += f"; refused: {_named(self.refused)}"
        if self.ended_before:
            said += f"; the connection ended before {self.ended_before} was taken"
        return said


def send(instances: Iterable[Instance], delivery: Delivery, node: Node, *, seconds: float = 10.0) -> None:
    """Hand objects to a node; what it refuses does not keep the others back.

    Parameters
    ----------
    instances : iterable of Instance
        Taken one after another; see :func:`leukemia.reports.exchange.dicom.export.instances`.
    delivery : Delivery
        Where it is noted what became of each, so that it is known whatever else happens.
    node : Node
    seconds : float, optional
        How long to wait for it, for the connection and for each answer.

    Raises
    ------
    SendingError
        Where nobody is there, or the node refuses the connection: then nothing was sent.
    LeukemiaError
        As ``instances`` raises it.
    """
    with warnings.catch_warnings():
        # What is odd in an answer is told in no words but ours.
        warnings.simplefilter("ignore")
        line = _connect(node, seconds)
        try:
            for one in instances:
                status = None
                with contextlib.suppress(SendingError):
                    # A node may tire of an idle line while the next object is made.
                    line = line if line.is_established else _connect(node, seconds)
                    status = _store(line, one)
                if status is None:
                    delivery.ended_before = one.name
                    return
                _note(delivery, one, status)
        finally:
            if line.is_established:
                line.release()


def _connect(node: Node, seconds: float) -> "Association":
    _silence()
    from pynetdicom import AE

    ours = AE(ae_title=node.calling)
    for kind in KINDS:
        ours.add_requested_context(kind, SYNTAXES)
    ours.connection_timeout = ours.acse_timeout = ours.dimse_timeout = seconds
    # The line is idle while the next object is made, however long that takes.
    ours.network_timeout = None
    tls = (_tls(node.trusted), node.host) if node.trusted else None
    there, here = _addresses(node, seconds)
    line = ours.associate(there, node.port, ae_title=node.called, bind_address=(here, 0), tls_args=tls)
    if line.is_established:
        return line
    if line.is_rejected:
        reason = line.acceptor.primitive.reason_str
        raise SendingError(f"{node} refused the connection: {reason[:1].lower()}{reason[1:]}.")
    trust = ", or its certificate is not one that is trusted" if node.trusted else ""
    raise SendingError(f"{node} broke off, or did not answer within {seconds:g} seconds{trust}.")


def _addresses(node: Node, seconds: float) -> tuple[str, str]:
    """The node's address and ours towards it, by a connection that is closed at once.

    The library would take a place on every interface of this machine, and does not say why it gets no answer.
    """
    try:
        with socket.create_connection((node.host, node.port), timeout=seconds) as line:
            return line.getpeername()[0], line.getsockname()[0]
    except TimeoutError as error:
        raise SendingError(f"{node} did not answer within {seconds:g} seconds.") from error
    except OSError as error:
        raise SendingError(f"{node} cannot be reached: {error.strerror or error}.") from error


def _tls(trusted: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=trusted)
    except OSError as error:
        raise SendingError(f"The certificates in {trusted} cannot be read.") from error


def _silence() -> None:
    """Nothing of what is sent is logged: it may hold the number of a patient."""
    from pynetdicom import _config

    _config.LOG_HANDLER_LEVEL = "none"
    for name in ("pynetdicom", "pydicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def _store(line: "Association", one: Instance) -> "Dataset | None":
    """The node's answer, without a status where it does not take such an object; None where there is none."""
    from pydicom.dataset import Dataset

    if not any(each.abstract_syntax == one.dataset.SOPClassUID for each in line.accepted_contexts):
        return Dataset()
    try:
        status = line.send_c_store(one.dataset)
    except RuntimeError:  # it ended just now
        return None
    return status if "Status" in status else None


def _note(delivery: Delivery, one: Instance, status: "Dataset") -> None:
    from pynetdicom import status as states

    if "Status" not in status:
        delivery.refused.append(f"{one.name} ({NOT_TAKEN})")
        return
    category, meaning = states.STORAGE_SERVICE_CLASS_STATUS.get(status.Status, (states.STATUS_FAILURE, ""))
    comment = files.shown(str(status.get("ErrorComment") or ""))
    said = ": ".join(filter(None, (f"{status.Status:04X}", comment or meaning)))
    if category in (states.STATUS_SUCCESS, states.STATUS_WARNING):
        delivery.taken += 1
        if category == states.STATUS_WARNING:
            delivery.altered.append(f"{one.name} ({said})")
    else:
        delivery.refused.append(f"{one.name} ({said})")


def _named(some: list[str]) -> str:
    more = len(some) - MOST_NAMED
    return ", ".join(some[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
