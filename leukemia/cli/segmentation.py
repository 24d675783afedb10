"""The command that finds white cells in fields of a smear, and in whole slides: ``segment``."""

import sys
from argparse import Namespace
from pathlib import Path

from leukemia import settings
from leukemia.cli import images
from leukemia.cli.arguments import Commands, scale_option, whole
from leukemia.counting import counted

MOST_CELLS = 100_000


def add_to(commands: Commands) -> None:
    """Add the command to the parser of all."""
    command = commands.add_parser(
        "segment", help="find the white cells of a field or a whole slide and cut each out on black"
    )
    command.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="FIELD",
        help="photographs of a smear, whole slides (tiled TIFF, SVS, NDPI, SCN, BIF), or folders of them",
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
    command.add_argument(
        "--resume", action="store_true", help="go on with the search of a slide that was interrupted"
    )
    command.add_argument(
        "--most",
        type=whole(1, MOST_CELLS),
        metavar="CELLS",
        help="white cells at which the search of a slide ends (default: 2,000; with --battlement 100)",
    )
    command.add_argument(
        "--battlement",
        action="store_true",
        help="visit a slide along the battlement track of a differential count",
    )
    command.set_defaults(run=segment)


def segment(options: Namespace) -> int:
    """Find the white cells of fields and slides; the status says whether all could be read."""
    from leukemia.cli.console import Bar
    from leukemia.imaging.slide import ALL_SUFFIXES
    from leukemia.segmentation import result
    from leukemia.segmentation.slides import search
    from leukemia.storage import output

    paths = list(images.find(options.paths, ALL_SUFFIXES))
    output.folder(options.output, result.CONTENT, "result of segment")
    _check_unfinished(options)
    usual = search.DIFFERENTIAL if options.battlement else search.MOST
    slides = search.Settings(options.most or usual, options.battlement)
    try:
        with Bar("fields") as bar:
            count = result.write(paths, options.output, options.scale, bar, slides)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_paused(options.output)) from None
    cells = counted(count.cells, "white cell")
    read = count.fields - count.failed
    print(f"{cells} in {read:,} of {counted(count.fields, 'field')}: {options.output}")
    if count.failed:
        print(f"{count.failed:,} could not be used: see the column error in {result.TABLE}.", file=sys.stderr)
    if count.damaged:
        damaged = counted(count.damaged, "damaged tile")
        print(f"{damaged} could not be searched: see the column error in {result.TABLE}.", file=sys.stderr)
    print(settings.RESEARCH_USE)
    return 1 if count.failed or count.damaged else 0


def _check_unfinished(options: Namespace) -> None:
    """Neither forget hours of work nor go on with it unasked."""
    from leukemia.errors import OutputError
    from leukemia.segmentation import result

    there = result.unfinished(options.output)
    if there.exists() and not options.resume:
        raise OutputError(
            f"A search for {options.output} was interrupted. Add --resume to go on with it, or delete "
            f"{there} to begin again."
        )


def _paused(folder: Path) -> str:
    """The sentence for an interrupted search of slides; empty where none had begun."""
    from leukemia.segmentation import result
    from leukemia.segmentation.slides import state

    begun = [state.begun(file) for file in sorted(result.unfinished(folder).glob("*.db"))]
    if not begun or begun[-1] is None:
        return ""
    counts = begun[-1]
    return (
        f"Paused: {counts.done:,} of {counts.parts:,} parts of the slide are searched, "
        f"{counted(counts.cells, 'white cell')} found. Run the same command with --resume to go on."
    )
