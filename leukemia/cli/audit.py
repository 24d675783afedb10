"""The command about the trail of all changes: ``audit verify``, ``audit list``, ``audit answers``.

Each takes the parsed arguments and returns the exit status.
"""

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia import settings
from leukemia.cli.arguments import Commands, data_option, whole
from leukemia.errors import RecordsError, RegistryError

if TYPE_CHECKING:
    from leukemia.audit.trail import Recorded

WHOLE, BROKEN = 0, 1
SHOWN = 20
NOT_BROUGHT_OVER = "What an earlier version of this program noted there may be missing from this list."


def add_to(commands: Commands) -> None:
    """Add the command to the parser of all."""
    parts = commands.add_parser("audit", help="the record of all changes: list it, check it").add_subparsers(
        dest="part", required=True, metavar="verify|list|answers"
    )
    command = parts.add_parser(
        "verify", help="check that nothing on record was altered, removed or reordered"
    )
    command.add_argument(
        "--known",
        metavar="COUNT:HASH",
        help="what an earlier check printed: then that part is compared with it, too",
    )
    data_option(command)
    command.set_defaults(run=verify)

    command = parts.add_parser("list", help="list what is on record, newest first")
    command.add_argument("--case", metavar="IDENTIFIER", help="only what concerns one case")
    command.add_argument(
        "--last", type=whole(1), default=SHOWN, metavar="N", help="how many entries (default: %(default)s)"
    )
    command.add_argument(
        "--all",
        action="store_true",
        help="also the answers and verdicts that an open case keeps back from its readers",
    )
    data_option(command)
    command.set_defaults(run=list_entries)

    command = parts.add_parser("answers", help="list the answers of one entry, as CSV")
    command.add_argument("entry", type=whole(1), metavar="ENTRY", help="the entry's number")
    data_option(command)
    command.set_defaults(run=list_answers)


def verify(options: Namespace) -> int:
    """Check the trail; the status is 1 where it is not as it was written."""
    from leukemia.audit import verify as audit

    known = audit.parse_known(options.known) if options.known else None
    found = audit.verify(options.data, known)
    for number in found.set_back:
        print(f"Note: at entry {number:,} the server's clock was set back. The order of entries stands.")
    if not found.is_whole:
        print(f"Broken at entry {found.broken_at:,}. {found.problem}")
        return BROKEN
    print(f"{found.count:,} entries, each as it was written.")
    print(f"Write this down to check against it later (--known): {found.count}:{found.head}")
    return WHOLE


def list_entries(options: Namespace) -> int:
    """List entries."""
    from leukemia.audit import trail
    from leukemia.cases import keeping

    _bring_over(options.data)
    case_id = None
    if options.case is not None:
        from leukemia.cases import case as cases

        case_id = cases.by_identifier(options.data, options.case).id
    entries = trail.entries(options.data, case_id=case_id, most=options.last)
    kept_back = {} if options.all else keeping.kept_back(options.data)
    for entry in entries:
        print(_line(keeping.as_seen(entry, kept_back)))
    if not entries:
        print("Nothing is on record.")
    return WHOLE


def list_answers(options: Namespace) -> int:
    """Print the answers of an entry."""
    import csv
    from dataclasses import astuple, fields

    from leukemia.audit import answers

    given = answers.of_entry(options.data, options.entry)
    if not given:
        raise RecordsError(f"Entry {options.entry:,} has no list of answers.")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([field.name for field in fields(answers.Given)])
    writer.writerows(map(astuple, given))
    return WHOLE


def _bring_over(data: Path) -> None:
    """Bring what earlier programs put on record elsewhere into the trail, as far as that can be done now."""
    from leukemia.dataset import label_log
    from leukemia.storage import database
    from leukemia.storage.workspace import Workspace

    if database.is_read_only(data):
        return
    label_log.stamp(data)
    if settings.load().tracking_uri or Workspace(data).mlflow_db.exists():
        from leukemia.registry import promotion_trail, versions

        try:
            tags = versions.registry_state(data).tags
        except RegistryError as error:
            print(f"leukemia: {error} {NOT_BROUGHT_OVER}", file=sys.stderr)
        else:
            promotion_trail.bring_over(data, tags)


def _line(entry: "Recorded") -> str:
    at = f"{entry.at[:19].replace('T', ' ')} UTC"
    subject = [f"case {entry.case_id}"] * (entry.case_id is not None)
    subject += [f"cell {entry.cell}"] * (entry.cell is not None)
    subject += [f"image {entry.image_id[:8]}"] * bool(entry.image_id and entry.case_id is None)
    subject += [entry.version] * bool(entry.version)
    change = " → ".join(filter(None, (entry.old, entry.new)))
    parts = [entry.event, *subject, change]
    if entry.probability is not None:
        parts.append(f"P(ALL) {entry.probability:.3f}")
    if entry.low is not None:
        parts.append(f"limits {entry.low:.3f} and {entry.high:.3f}")
    if entry.reason:
        parts.append(entry.reason)
    if entry.imported_from:
        parts.append(f"brought over from {entry.imported_from}, made {entry.imported_at}")
    return f"{entry.number:>6}  {at}  {entry.who}: {'; '.join(filter(None, parts))}"
