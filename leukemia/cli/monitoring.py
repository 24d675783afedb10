"""The command ``monitor``: recent cases beside the record of the model that answered them.

It takes the parsed arguments and returns the exit status.
"""

import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia import settings
from leukemia.cli.arguments import Commands, as_path, data_option, whole
from leukemia.counting import counted

if TYPE_CHECKING:
    from leukemia.monitoring.recent import Cells, Model

FINE, ALERT = 0, 1
USUAL_WINDOW = 50


def add_to(commands: Commands) -> None:
    """Add the command to the parser of all."""
    command = commands.add_parser(
        "monitor",
        help="compare recent cases with the model's record; the status is 1 where there is an alert",
    )
    command.add_argument(
        "--window",
        type=whole(1),
        default=USUAL_WINDOW,
        metavar="N",
        help="describe the latest N cases (default: %(default)s); alerts look at all of them",
    )
    command.add_argument(
        "--version", type=whole(1), metavar="N", help="a model version (default: the one that answered last)"
    )
    command.add_argument("--output", type=as_path, metavar="FILE.csv", help="the table as CSV; - to print")
    command.add_argument(
        "--measure",
        action="store_true",
        help="first measure the colours of the model's own cells, where these lie in the data folder",
    )
    data_option(command)
    command.set_defaults(run=monitor)


def monitor(options: Namespace) -> int:
    """Print what recent cases come to, and put new alerts on record."""
    from leukemia.inference import learned
    from leukemia.monitoring import alerts, models, recent, watch
    from leukemia.monitoring.control import State
    from leukemia.reports import monitoring_tables
    from leukemia.reports import monitoring_wording as wording
    from leukemia.storage import output

    table = output.file(options.output, monitoring_tables.is_table, "table") if options.output else None
    out = sys.stderr if table and table.streams else sys.stdout
    found = recent.cells(options.data)
    model = _model(found, options.version)
    if model is None:
        of = f" of version {options.version}" if options.version else ""
        print(f"No case has an answer{of} yet. {settings.RESEARCH_USE}", file=out)
        return FINE
    bundle = models.bundle(options.data, model)
    if options.measure and bundle:
        _measure(options.data, bundle)
    known = learned.of(bundle, options.data).images if bundle else ()
    report = watch.of_model(options.data, found, model, bundle, learned=known, window=options.window)
    concluded = wording.conclusion(report)
    if table:
        with table.open() as file:
            file.write(monitoring_tables.to_csv(report))
    cases = counted(len(report.cases.numbers), "case")
    lines = [f"{model.label} ({model.name}), {cases}", concluded.headline]
    lines += concluded.to_do
    lines += filter(None, [wording.nearest(report, None)])
    lines += ["", *_columns([monitoring_tables.HEADER, *monitoring_tables.rows(report)]), ""]
    lines += wording.agreement(report.readers)
    lines += filter(
        None,
        [
            wording.left_out(report, found),
            wording.to_measure(report),
        ],
    )
    print("\n".join((*lines, settings.RESEARCH_USE)), file=out)
    alerts.record(options.data, report, wording.sentences(report))
    return ALERT if concluded.state == State.STOP else FINE


def _model(found: "Cells", version: int | None) -> "Model | None":
    """The model that answered last, or the last one of a version."""
    answered = list(dict.fromkeys(reversed(found.table["model"]))) if len(found.table) else []
    wanted = (found.models[at] for at in answered)
    return next((one for one in wanted if version is None or one.version == version), None)


def _measure(data: Path, bundle: object) -> None:
    from leukemia.cli.console import Bar
    from leukemia.monitoring import colours

    with Bar("cells") as bar:
        known, cells = colours.measure(data, bundle, workers=settings.load().workers, progress=bar)
    print(f"The colours of {known:,} of {cells:,} cells of the model's record are known.", file=sys.stderr)


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
