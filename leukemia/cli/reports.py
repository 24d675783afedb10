"""The commands ``report``, which writes a case for people or other systems, and ``send``, which hands it on.

Each takes the parsed arguments and returns the exit status.
"""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia import settings
from leukemia.cli.arguments import Commands, as_path, data_option, whole
from leukemia.errors import OutputError

if TYPE_CHECKING:
    from leukemia.bundles.bundle import Bundle
    from leukemia.cases.cells import Cell

DONE = 0
KINDS = ("pdf", "html", "csv", "fhir.json", "hl7", "dicom.zip")
HL7, DICOM = "hl7", "dicom"


def add_to(commands: Commands) -> None:
    """Add the commands to the parser of all."""
    command = commands.add_parser("report", help="write the report of a case")
    _case(command)
    command.add_argument("--kind", choices=KINDS, default="pdf", help="what it is (default: %(default)s)")
    command.add_argument(
        "--output",
        type=as_path,
        required=True,
        metavar="FOLDER",
        help="the folder for it, made where it is missing; the file is named after the case",
    )
    command.set_defaults(run=report)

    command = commands.add_parser("send", help="send a case to a laboratory system or a picture archive")
    _case(command)
    command.add_argument("to", type=_address, metavar="HOST:PORT", help="where it listens")
    command.add_argument(
        "--kind",
        choices=(HL7, DICOM),
        default=HL7,
        help="HL7 v2 over MLLP, or the pictures and a report to a DICOM node (default: %(default)s)",
    )
    command.add_argument(
        "--called", type=_title, metavar="TITLE", help="the DICOM node's title (default: ANY-SCP)"
    )
    command.add_argument(
        "--calling", type=_title, metavar="TITLE", help="the title of this program there (default: LEUKEMIA)"
    )
    command.add_argument(
        "--tls-ca",
        type=as_path,
        metavar="FILE",
        help="have the DICOM connection encrypted; the node's certificate must be signed by one in this PEM "
        "file",
    )
    command.add_argument(
        "--seconds",
        type=whole(1, 600),
        default=10,
        metavar="N",
        help="how long to wait for an answer (default: %(default)s)",
    )
    command.set_defaults(run=send)


def report(options: Namespace) -> int:
    """Write a case's report into a folder; what is there under its name is replaced."""
    from leukemia.cases import case as cases
    from leukemia.reports import case_files
    from leukemia.storage.atomic import whole_file

    case = cases.by_identifier(options.data, options.case)
    _check_folder(options.output, options.kind)
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / case_files.name(case, options.kind)
    with whole_file(file) as partial, partial.open("wb") as target:
        case_files.write(
            options.data, case, options.kind, _model_of(options.data), target, patient_id=options.patient_id
        )
    print(f"{file}. {settings.RESEARCH_USE}")
    return DONE


def send(options: Namespace) -> int:
    """Send a case; it is on record."""
    given = [name for name in ("called", "calling", "tls_ca") if getattr(options, name)]
    if options.kind == DICOM:
        return _store(options)
    if given:
        raise OutputError(f"--{given[0].replace('_', '-')} is for --kind dicom only.")
    return _send_message(options)


def _send_message(options: Namespace) -> int:
    from leukemia.cases import case as cases
    from leukemia.jobs import progress
    from leukemia.reports import case_files
    from leukemia.reports.exchange import sending

    case, (host, port) = cases.by_identifier(options.data, options.case), options.to
    message = case_files.make(
        options.data, case, "hl7", _model_of(options.data), patient_id=options.patient_id
    )
    code = sending.send(
        options.data, case, message.decode(), host, port, who=progress.who(), seconds=options.seconds
    )
    print(f"{host}:{port} has taken the report of case {case.identifier} ({code}). {settings.RESEARCH_USE}")
    return DONE


def _store(options: Namespace) -> int:
    from leukemia.cases import case as cases
    from leukemia.jobs import progress
    from leukemia.reports import case_files
    from leukemia.reports.exchange import sending
    from leukemia.reports.exchange.dicom.node import CALLED, CALLING, Node

    case = cases.by_identifier(options.data, options.case)
    content = case_files.gather(options.data, case, _model_of(options.data))
    titles = options.called or CALLED, options.calling or CALLING
    node = Node(*options.to, *titles, options.tls_ca)
    delivery = sending.store(
        options.data,
        content,
        node,
        who=progress.who(),
        seconds=options.seconds,
        patient_id=options.patient_id,
    )
    print(f"{node} has taken case {case.identifier}: {delivery}. {settings.RESEARCH_USE}")
    return DONE


def _model_of(data: Path) -> "Callable[[Sequence[Cell]], Bundle | None]":
    from leukemia.registry import answered_by, serving

    return partial(answered_by.find_latest, data, in_service=lambda: serving.find().bundle)


def _case(command: ArgumentParser) -> None:
    command.add_argument("case", metavar="CASE", help="the case's identifier")
    command.add_argument(
        "--patient-id",
        default="",
        metavar="ID",
        help="the patient's number in the receiving system, for FHIR, HL7 and DICOM (default: none)",
    )
    data_option(command)


def _check_folder(named: Path, kind: str) -> None:
    """Refuse what is no folder, before the work begins; a missing one is made with the file."""
    if named.is_dir():
        return
    if named.exists():
        raise OutputError(f"{named} is not a folder. It was not changed: name a folder.")
    if named.name.lower().endswith(f".{kind}"):
        raise OutputError(f"{named} would be a file. Name a folder: the file in it is named after the case.")


def _title(text: str) -> str:
    # An application entity's title: 1 to 16 letters of ASCII, without a backslash (PS3.5 6.2).
    if not re.fullmatch(r"[ -\[\]-~]{0,15}[!-\[\]-~]", text):
        raise ArgumentTypeError(f"{text!r} is not a title of 1 to 16 plain letters")
    return text.strip()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
