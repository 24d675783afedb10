"""The commands that check a model on a laboratory's own patients: ``verify``, ``accept``.

``verify-stated`` is what the page Performance starts, once a criterion was stated there. Each takes the
parsed arguments and returns the exit status. Heavy libraries are imported by the command that needs them.
"""

import argparse
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia import settings
from leukemia.cli.arguments import Commands, as_path, data_option, number, scale_option
from leukemia.errors import LeukemiaError

if TYPE_CHECKING:
    from leukemia.registry.versions import Version
    from leukemia.storage.output import Output
    from leukemia.verification.store import Verification

MET, NOT_MET = 0, 1


def add_to(commands: Commands) -> None:
    """Add the commands to the parser of all."""
    command = commands.add_parser("verify", help="check the model on labelled cells of your own patients")
    _source(command)
    for name in ("sensitivity", "specificity"):
        command.add_argument(
            f"--min-{name}",
            type=number,
            required=True,
            metavar="SHARE",
            help=f"least {name} you will accept, such as 0.9; recorded before any cell is read",
        )
    command.add_argument(
        "--confidence",
        type=number,
        default=0.95,
        help="of the lower bounds: 0.9, 0.95 or 0.99 (default 0.95)",
    )
    command.add_argument("--site", required=True, metavar="NAME", help="your laboratory; recorded")
    command.add_argument("--by", required=True, metavar="NAME", help="your name; recorded")
    command.add_argument(
        "--report", type=as_path, metavar="FILE.html", help="also write the report to a file; - to print"
    )
    _model(command)
    data_option(command)
    command.set_defaults(run=verify)

    command = commands.add_parser(
        "verify-stated", help="classify the cells of a verification whose criterion was stated on the page"
    )
    command.add_argument("verification", metavar="VERIFICATION")
    _source(command)
    _model(command)
    data_option(command)
    command.set_defaults(run=verify_stated)

    command = commands.add_parser(
        "accept", help="make a verified version a model version for your laboratory"
    )
    command.add_argument("verification", metavar="VERIFICATION", help="printed by verify")
    command.add_argument(
        "--own-threshold", action="store_true", help="with the threshold that was chosen from your patients"
    )
    command.add_argument("--by", required=True, metavar="NAME", help="your name, recorded with the version")
    command.add_argument(
        "--reason", required=True, metavar="TEXT", help="your reason, recorded with the version"
    )
    _model(command)
    data_option(command)
    command.set_defaults(run=accept)


def verify(options: Namespace) -> int:
    """State the criterion, classify the cells, print the result; the status says whether it is met."""
    from leukemia.reports import html
    from leukemia.storage import output
    from leukemia.verification import store
    from leukemia.verification.statistics import Criterion

    report = options.report and output.file(options.report, html.is_report, "report", [options.source])
    criterion = Criterion(options.min_sensitivity, options.min_specificity, options.confidence)
    version = _version(options)
    stated = store.state(options.data, version.bundle, version.name, options.site, criterion, options.by)
    try:
        answered = _answer(stated, version, options)
    except BaseException:
        store.drop(stated)
        raise
    _print(answered, version, report)
    return MET if answered.result.acceptable else NOT_MET


def verify_stated(options: Namespace) -> int:
    """Classify the cells of a verification that was stated before; print the result."""
    from leukemia.verification import store

    version = _version(options)
    _print(_answer(store.read(options.data, options.verification), version, options), version, None)
    return 0


def accept(options: Namespace) -> int:
    """Make a verified version one for the laboratory."""
    from leukemia.verification import acceptance, store

    verification = store.read(options.data, options.verification)
    accepted = acceptance.accept(
        options.data,
        verification,
        _version(options),
        acceptance.OWN if options.own_threshold else acceptance.SHIPPED,
        options.by,
        options.reason,
    ).accepted
    print(
        f"Accepted for {verification.stated.site} as version {accepted.version}. To put it in service: "
        f"python -m leukemia promote {accepted.version}."
    )
    return 0


def _answer(stated: "Verification", version: "Version", options: Namespace) -> "Verification":
    from leukemia.cli.console import Bar
    from leukemia.jobs import progress
    from leukemia.verification import answering

    with Bar("cells") as bar:
        return answering.answer(
            stated,
            version.bundle,
            options.source,
            scale=options.scale,
            progress=bar,
            on_problem=progress.current().problem,
        )


def _print(verification: "Verification", version: "Version", report: "Output | None") -> None:
    from leukemia.reports import verification as reports
    from leukemia.verification import store

    lines = reports.lines(verification)
    if report:
        with report.open() as file:
            file.write(reports.render(verification, store.cells(verification), version.bundle))
        lines.append(f"Report: {report.named}")
    lines.append(f"Verification {verification.id}. {settings.RESEARCH_USE}")
    print("\n".join(lines), file=sys.stderr if report and report.streams else sys.stdout)


def _version(options: Namespace) -> "Version":
    """The version that was named, by its folder or number, or the one in service."""
    from leukemia.registry import serving, versions

    named = options.model
    if named and named.isdigit():
        version = versions.fetch(options.data, versions.version(options.data, int(named)))
    elif named:
        version = versions.read(Path(named))
    else:
        serves = serving.find()
        if serves.version is None:
            version = versions.read(serves.bundle.folder)
        else:
            version = versions.fetch(options.data, versions.version(options.data, serves.version))
    if version.bundle is None:
        raise LeukemiaError(version.problem)
    return version


def _source(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "source",
        type=as_path,
        metavar="SOURCE",
        help="folder or .zip: folders ALL and Normal with a folder per patient, or a CSV with file, label, "
        "patient",
    )
    scale_option(command)


def _model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", metavar="VERSION", help="version number or bundle folder, instead of the model in service"
    )
