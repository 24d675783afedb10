"""The command that finds white cells in fields of a smear: ``segment``."""

import sys
from argparse import Namespace
from pathlib import Path

from leukemia import settings
from leukemia.cli import images
from leukemia.cli.arguments import Commands, scale_option


def add_to(commands: Commands) -> None:
    """Add the command to the parser of all."""
    command = commands.add_parser("segment", help="find the white cells of a field and cut each out on black")
    command.add_argument(
        "paths", type=Path, nargs="+", metavar="FIELD", help="photographs of a smear, or folders of them"
    )
    command.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder to be made: cells.csv, crops/ and outlines/ (GeoJSON that QuPath opens)",
    )
    scale_option(
        command,
        "the scale of all fields: the micrometres of one pixel, or 'native' for C-NMC's magnification "
        "(default: as a TIFF records it, else by the field's red cells, taken as 7.2 µm across)",
    )
    command.set_defaults(run=segment)


def segment(options: Namespace) -> int:
    """Find the white cells of fields; the status says whether all could be read."""
    from leukemia.cli.console import Bar
    from leukemia.segmentation import result
    from leukemia.storage import output

    paths = list(images.find(options.paths))
    output.folder(options.output, result.CONTENT, "result of segment")
    with Bar("fields") as bar:
        count = result.write(paths, options.output, options.scale, bar)
    cells = "1 white cell" if count.cells == 1 else f"{count.cells:,} white cells"
    read = count.fields - count.failed
    print(f"{cells} in {read:,} of {count.fields:,} fields: {options.output}")
    if count.failed:
        print(f"{count.failed:,} could not be used: see the column error in {result.TABLE}.", file=sys.stderr)
    print(settings.RESEARCH_USE)
    return 1 if count.failed else 0
