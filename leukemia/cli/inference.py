"""The commands that apply a model: ``evaluate``, ``classify``, ``map``.

Each takes the parsed arguments and returns the exit status. Heavy libraries are imported by the command
that needs them.
"""

import contextlib
import csv
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia import settings
from leukemia.cli import images
from leukemia.cli.arguments import (
    RAY,
    Commands,
    as_named,
    as_path,
    check_executor,
    data_option,
    executor_option,
    scale_option,
    stain_option,
)
from leukemia.cli.serving import in_service, model_option
from leukemia.counting import counted
from leukemia.errors import LeukemiaError
from leukemia.storage.output import STREAMS

if TYPE_CHECKING:
    from leukemia.bundles.bundle import Bundle
    from leukemia.cli.console import Bar
    from leukemia.inference.answer import Answer
    from leukemia.inference.classifier import Classifier
    from leukemia.inference.inputs.image import Image
    from leukemia.inference.on_ray import Run
    from leukemia.inference.on_record import Recorder
    from leukemia.inference.stain_match import Distances
    from leukemia.operating_point import OperatingPoint

# Where answers that were given on Ray are not on record.
AGAIN = " What is finished stays beside the table: start the same command again to put them on record."


def add_to(commands: Commands) -> None:
    """Add the commands to the parser of all."""
    command = commands.add_parser(
        "evaluate", help="print the metrics of a bundle, or compare several bundles"
    )
    command.add_argument(
        "bundles",
        type=as_path,
        nargs="+",
        metavar="BUNDLE",
        help=("bundle folders; several are compared in a table"),
    )
    command.add_argument("--data", type=as_path, help="evaluate the bundle on this prepared folder")
    command.add_argument(
        "--mean", action="store_true", help="add a row for the mean of several cross-validated bundles"
    )
    command.set_defaults(run=evaluate)

    command = commands.add_parser(
        "classify", help="classify images: files, folders, zips, Parquet tables or a bucket"
    )
    command.add_argument(
        "paths",
        type=as_named,
        nargs="+",
        metavar="PATH",
        help="images, folders or zips of them, Parquet tables with a column of image files, or the address "
        "of a bucket (s3://…, gs://…, file://…)",
    )
    command.add_argument(
        "--output", type=as_path, required=True, metavar="FILE.csv", help="one row per image; - to print"
    )
    command.add_argument(
        "--fields",
        action="store_true",
        help="the images are fields of a smear: find their white cells and classify each",
    )
    stain_option(command)
    scale_option(command)
    model_option(command)
    executor_option(
        command, "spread over cores or machines; a run that was ended goes on when it is started again"
    )
    command.set_defaults(run=classify)

    command = commands.add_parser("map", help="compute the cell map of a set from the model's features")
    data_option(command, meaning="the prepared folder")
    model_option(command)
    command.set_defaults(run=map)


def evaluate(options: Namespace) -> int:
    """Print the metrics of a bundle, from its held-out predictions or on another set; or compare several."""
    from leukemia.bundles import bundle as bundles
    from leukemia.cli.console import Bar, print_bundle
    from leukemia.inference.scoring import on_dataset
    from leukemia.reports.evaluation_tables import difference_tables, fold_table, split_table, summary

    several = [bundles.read(folder) for folder in options.bundles]
    bundle = several[0]
    if len(several) > 1:
        if options.data:
            raise LeukemiaError("--data evaluates one bundle at a time.")
        cross_validated = {one.folds > 0 for one in several}
        if len(cross_validated) > 1:
            raise LeukemiaError(
                "Cross-validated bundles cannot be compared with single-split bundles in one table."
            )
        lines = fold_table(several, together=options.mean) if bundle.folds else split_table(several)
        lines += difference_tables(several)
        print("\n".join((*lines, "", settings.RESEARCH_USE)))
        return 0
    if options.data is None:
        print_bundle(bundle)
        return 0
    with Bar("cells") as bar:
        scored = on_dataset(bundle, options.data, progress=bar)
    print("\n".join(summary(scored)))
    return 0


def classify(options: Namespace) -> int:
    """Classify images into a CSV file; the status says whether all could be."""
    from leukemia.cli.console import Bar
    from leukemia.imaging import scale
    from leukemia.inference import decisions, learned
    from leukemia.inference.classifier import Classifier
    from leukemia.storage import output

    places = [images.place(text) for text in options.paths]
    _check(options, places)
    if options.fields:
        return _classify_fields(options, places)
    found = list(images.find_anywhere(places))
    table = output.file(options.output, decisions.is_table, "table", images.files_of(found))
    bundle, version = in_service(options.model)
    classifier = Classifier(bundle)
    point, known = bundle.operating_point, learned.of(bundle, settings.load().data)
    if options.scale:
        # One too far from the model's is refused here, not once an image.
        scale.factor(options.scale, classifier.bundle.pixel_size)
    refused = unknown = not_cut_out = 0
    image_ids, untold = [], []
    recorder = _recorder(bundle, point, version)
    with contextlib.ExitStack() as until_recorded:
        with table.open() as file, Bar() as bar, recorder:
            run = None
            if options.executor == RAY:
                run = until_recorded.enter_context(_on_ray(options, bundle, found, table.target, bar))
            writer = csv.DictWriter(file, decisions.COLUMNS, lineterminator="\n")
            writer.writeheader()
            answers = run.answers() if run else _answers(options, classifier, found)
            for done, answer in enumerate(answers, 1):
                bar(done, len(found), "Writing the table" if run else "Classifying")
                writer.writerow(decisions.row(answer, point, bundle, known))
                if not run:
                    recorder.add(answer)
                refused += answer.probability is None
                unknown += answer.scale_unknown
                not_cut_out += answer.not_cut_out
                image_ids.append(answer.image_id)
                untold += [answer] if known.tells(answer.image_id, answer.lossy) == learned.UNKNOWN else []
        if run:
            # Only now is the table in place: before that, nobody was given an answer.
            recorder.add_once(run)
            if recorder.trouble:
                run.stay()
    lines = [
        f"{len(found) - refused} of {len(found)} images classified: {options.output}",
        f"Decisions: {point}",
    ]
    number, said = decisions.learned_from(image_ids, point, known)
    if number:
        lines.append(f"The model learned from {number:,} of these images (column learned_from). {said}")
    if said := learned.untold(untold, known):
        lines.append(f"{said} In the column learned_from: {learned.UNKNOWN}.")
    if unknown:
        lines.append(
            f"The scale of {unknown} is unknown: add --pixel-size with the micrometres of one pixel, or "
            "--pixel-size native."
        )
    if not_cut_out:
        lines.append(
            f"{counted(not_cut_out, 'image is not a single cell', 'images are not single cells')} cut out on "
            "black. Where these are fields of a smear, --fields finds and classifies their white cells."
        )
    print("\n".join((*lines, settings.RESEARCH_USE)), file=sys.stderr if table.streams else sys.stdout)
    if recorder.trouble:
        print(f"leukemia: {recorder.trouble}{AGAIN if run else ''}", file=sys.stderr)
    return 1 if refused else 0


def _check(options: Namespace, places: list[Path | str]) -> None:
    """Refuse options that do not go together."""
    if options.match_stain and not options.fields:
        raise LeukemiaError("--match-stain is for the cells of fields: give --fields, too.")
    if options.fields and any(isinstance(place, str) for place in places):
        raise LeukemiaError("Fields of a smear are read from files and folders, not from a bucket.")
    check_executor(options)
    if options.executor != RAY:
        return
    if options.fields:
        raise LeukemiaError("Fields of a smear are searched on this machine: leave out --executor ray.")
    if str(options.output) in STREAMS:
        raise LeukemiaError(
            "--executor ray keeps what is finished beside its table: name a file for --output."
        )


def _answers(options: Namespace, classifier: "Classifier", found: "list[Image]") -> "Iterator[Answer]":
    """The answers to images, in their order, on this machine."""
    from leukemia.inference.answer import Source

    return classifier.classify(Source(image.name, image.load, options.scale) for image in found)


def _on_ray(
    options: Namespace, bundle: "Bundle", found: "list[Image]", table: Path, bar: "Bar"
) -> "contextlib.AbstractContextManager[Run]":
    """What answers images on Ray, and keeps what is finished until the context ends."""
    from leukemia.inference import on_ray

    cores = settings.load().workers
    return on_ray.kept(
        bundle, found, options.scale, table, address=options.cluster, cores=cores, progress=bar
    )


def _classify_fields(options: Namespace, places: list[Path]) -> int:
    """Classify the white cells of fields into a CSV file: a row a cell, with its box."""
    from leukemia.cli.console import Bar
    from leukemia.inference import decisions, fields, learned, stain_match
    from leukemia.inference.classifier import Classifier
    from leukemia.storage import output

    paths = list(images.find(places))
    table = output.file(options.output, decisions.is_table, "table", paths)
    bundle, version = in_service(options.model)
    classifier = Classifier(bundle)
    if options.match_stain and (problem := stain_match.why_not(bundle)):
        raise LeukemiaError(problem)
    point, known = bundle.operating_point, learned.of(bundle, settings.load().data)
    cells = refused = 0
    matched: list[Answer] = []
    recorder = _recorder(bundle, point, version)
    with table.open() as file, Bar("fields") as bar, recorder:
        writer = csv.DictWriter(file, decisions.COLUMNS, lineterminator="\n")
        writer.writeheader()
        for done, path in enumerate(paths):
            bar(done, len(paths), "Classifying")
            answered = list(
                fields.answer_field(classifier, path, options.scale, match_stain=options.match_stain)
            )
            for one in answered:
                writer.writerow(decisions.row(one.answer, point, bundle, known))
                recorder.add(one.answer)
                cells += one.cell is not None
                refused += one.answer.probability is None
            matched += [one.answer for one in answered if one.answer.stain]
        bar(len(paths), len(paths), "Classifying")
    lines = [
        f"{counted(cells, 'white cell')} found in {counted(len(paths), 'field')}; rows without an answer: "
        f"{refused:,}. {options.output}",
        *_told(stain_match.distances(matched, bundle.novelty_limit) if matched else None, bundle),
        f"Decisions: {point}",
        settings.RESEARCH_USE,
    ]
    print("\n".join(lines), file=sys.stderr if table.streams else sys.stdout)
    if recorder.trouble:
        print(f"leukemia: {recorder.trouble}", file=sys.stderr)
    return 1 if refused else 0


def _told(found: "Distances | None", bundle: "Bundle") -> list[str]:
    """What matching the stain did, in a line; none where no cell was matched."""
    if found is None:
        return []
    limit = f"{bundle.novelty_limit:.2f}"
    return [f"Stain matched. From the training cells: {found} (a cell is answered up to {limit})"]


def map(options: Namespace) -> int:
    """Read the features of a set and place its cells by them: for the map, and for an opened cell."""
    from leukemia.cli.console import Bar
    from leukemia.dataset import manifest
    from leukemia.inference import embedding

    bundle, _ = in_service(options.model)
    cells = manifest.read(options.data)
    with Bar() as bar:
        placed = embedding.place_cached(
            bundle, options.data, cells, workers=settings.load().workers, progress=bar
        )
    print(
        f"{len(placed):,} of {len(cells):,} cells mapped by {bundle.name}. See the map on the Dataset page."
    )
    return 0


def _recorder(bundle: "Bundle", point: "OperatingPoint", version: int | None) -> "Recorder":
    """What puts answers on record, in a data folder that is made for it where there is none."""
    from leukemia.inference.on_record import Recorder
    from leukemia.jobs import progress

    return Recorder(
        settings.load().data, bundle, point, who=progress.who(), door="command classify", version=version
    )
