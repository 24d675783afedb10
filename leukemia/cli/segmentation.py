"""The commands that find white cells in fields and slides: ``segment``, and ``add-slide`` for a case."""

import sys
from argparse import ArgumentParser, Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia import settings
from leukemia.cli import images
from leukemia.cli.arguments import Commands, as_path, data_option, scale_option, stain_option, whole
from leukemia.cli.serving import model_option
from leukemia.counting import counted
from leukemia.errors import LeukemiaError

if TYPE_CHECKING:
    from leukemia.segmentation.result import MatchStain
    from leukemia.segmentation.slides.search import Settings

MOST_CELLS, MOST_CASES = 100_000, 2**31 - 1


def add_to(commands: Commands) -> None:
    """Add the command to the parser of all."""
    command = commands.add_parser(
        "segment", help="find the white cells of a field or a whole slide and cut each out on black"
    )
    command.add_argument(
        "paths",
        type=as_path,
        nargs="+",
        metavar="FIELD",
        help="photographs of a smear, whole slides (tiled TIFF, SVS, NDPI, SCN, BIF), or folders of them",
    )
    command.add_argument(
        "--output",
        type=as_path,
        required=True,
        metavar="DIR",
        help="folder to be made: cells.csv, crops/ and outlines/ (GeoJSON that QuPath opens)",
    )
    scale_option(
        command,
        "the scale of all fields: the micrometres of one pixel, or 'native' for C-NMC's magnification "
        "(default: as a TIFF or DICOM file records it, else by the field's red cells, taken as 7.2 µm "
        "across)",
    )
    command.add_argument(
        "--resume", action="store_true", help="go on with the search of a slide that was interrupted"
    )
    _slide_options(command)
    stain_option(command)
    model_option(command)
    command.set_defaults(run=segment)

    command = commands.add_parser("add-slide", help="search a whole slide and add its cells to a case")
    command.add_argument("slide", type=as_path, metavar="SLIDE", help="tiled TIFF, SVS, NDPI, SCN or BIF")
    command.add_argument("--case", type=whole(1, MOST_CASES), required=True, metavar="NUMBER")
    scale_option(command, "the micrometres of one pixel of the slide (default: as it records them)")
    _slide_options(command)
    data_option(command)
    command.set_defaults(run=add_slide)


def segment(options: Namespace) -> int:
    """Find the white cells of fields and slides; the status says whether all could be read."""
    from leukemia.cli.console import Bar
    from leukemia.imaging.slide import ALL_SUFFIXES
    from leukemia.segmentation import result
    from leukemia.storage import output

    output.folder(options.output, result.CONTENT, "result of segment", options.paths)
    # What an earlier run wrote is no field, though it may lie among them.
    paths = list(images.find(options.paths, ALL_SUFFIXES, leave_out=options.output))
    _check_unfinished(options)
    match_stain = _match_stain(options.model) if options.match_stain else None
    slides = _settings(options)
    try:
        with Bar("") as bar:
            count = result.write(paths, options.output, options.scale, bar, slides, match_stain)
    except KeyboardInterrupt:
        states = sorted(result.unfinished(options.output).glob("*.db"))
        raise KeyboardInterrupt(_paused(states, "Run the same command with --resume to go on.")) from None
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


def add_slide(options: Namespace) -> int:
    """Search a slide, or go on with it, and add its cells to a case."""
    from leukemia.cases import slides
    from leukemia.cli.console import Bar
    from leukemia.inference.classifier import Classifier
    from leukemia.jobs import progress
    from leukemia.registry import serving

    serves, chosen = serving.find(), _settings(options)
    try:
        with Bar("") as bar:
            added = slides.add(
                options.data,
                options.case,
                options.slide,
                Classifier(serves.bundle),
                who=progress.who(),
                version=serves.version,
                settings=chosen,
                progress=bar,
            )
    except KeyboardInterrupt:
        kept = slides.state_file(options.data, options.case, options.slide, chosen)
        raise KeyboardInterrupt(_paused([kept], "Start it again to go on.")) from None
    already = f", {counted(len(added.already), 'cell')} there already" if added.already else ""
    print(f"{counted(len(added.new), 'cell')} added to the case{already}.")
    print(settings.RESEARCH_USE)
    return 0


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


def _paused(states: list[Path], how_to_go_on: str) -> str:
    """The sentence for an interrupted search of slides; empty where none had begun."""
    from leukemia.segmentation.slides import state

    counts = [one for one in map(state.begun, states) if one]
    if not counts:
        return ""
    done, parts, cells = (sum(getattr(one, name) for one in counts) for name in ("done", "parts", "cells"))
    return (
        f"Paused: {done:,} of {parts:,} parts of the slide are searched, {counted(cells, 'white cell')} "
        f"found. {how_to_go_on}"
    )


def _slide_options(command: ArgumentParser) -> None:
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


def _settings(options: Namespace) -> "Settings":
    from leukemia.imaging.scale import PIXEL_SIZE
    from leukemia.segmentation.slides import search

    most = options.most or (search.DIFFERENTIAL if options.battlement else search.MOST)
    said = options.scale and (options.scale.pixel_size or PIXEL_SIZE)
    return search.Settings(most, options.battlement, said)


def _match_stain(named: Path | None) -> "MatchStain":
    """What recolours the cells of a field for a model: the one named, or the one in service."""
    from leukemia.cli.serving import in_service
    from leukemia.inference import stain_match
    from leukemia.inference.classifier import Classifier

    bundle, _ = in_service(named)
    if problem := stain_match.why_not(bundle):
        raise LeukemiaError(problem)
    return partial(stain_match.recolour_files, Classifier(bundle))
