"""What each command does: arguments to library calls to lines on the terminal.

Each function takes the parsed arguments and returns the exit status. Heavy libraries are imported
by the command that needs them.
"""

import csv
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.errors import DatasetError, LeukemiaError
from leukemia.jobs import progress
from leukemia.jobs.facts import ImportFacts
from leukemia.storage.atomic import whole_file


class Bar:
    """A progress bar for calls of (done, total, what); where a job asked, it is told, too."""

    def __init__(self, unit: str = "images") -> None:
        self._bar: tqdm | None = None
        self._what = ""
        self._unit = unit

    def __call__(self, done: int, total: int, what: str) -> None:
        """Show how many of how many are done, and what is being done."""
        if self._bar is None or self._what != what:
            self.close()
            self._what = what
            self._bar = tqdm(total=total, desc=what, unit=f" {self._unit}", file=sys.stderr)
        self._bar.update(done - self._bar.n)
        progress.current().progress(done, total, what)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the terminal on a new line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def prepare(options: Namespace) -> int:
    """Import a downloaded set, or the drawn one; print what was found."""
    from leukemia.dataset.importing import importer
    from leukemia.dataset.synthetic import sample_set

    told = progress.current()

    def on_file(target: importer.Target, line: importer.ImportedFile) -> None:
        told.count("unreadable" if line.error else target.named.label or "unlabelled")
        for problem in filter(None, (line.error, target.named.doubt, line.refusal)):
            told.problem(f"{line.origin}: {problem}")

    workers = settings.load().workers
    with Bar() as bar:
        if options.sample:
            report = sample_set.prepare(options.output, workers=workers, progress=bar, on_file=on_file)
        else:
            report = importer.prepare(
                options.source, options.output, workers=workers, progress=bar, on_file=on_file
            )
    told.facts(ImportFacts(report.lines()))
    print("\n".join(report.lines()))
    return 0


def sample(options: Namespace) -> int:
    """Write a synthetic set."""
    from leukemia.dataset.synthetic import sample_writer

    with Bar("cells") as bar:
        summary = sample_writer.write_sample(
            options.dest, patients=options.patients, cells=options.cells, seed=options.seed, progress=bar
        )
    print(summary)
    print(f"Synthetic cells, drawn by a program. Next: python -m leukemia prepare {options.dest}")
    return 0


def measure(options: Namespace) -> int:
    """Measure cells' brightness and make their thumbnails."""
    from leukemia.dataset.catalog import brightness

    with Bar() as bar:
        count = brightness.measure(options.data, workers=settings.load().workers, progress=bar)
    print(f"{count:,} images measured." if count else "All images were measured already.")
    return 0


def check(options: Namespace) -> int:
    """Look through a prepared set; print what is wrong with it. The page shows the same."""
    from leukemia.dataset import label_log, manifest
    from leukemia.dataset.quality import checks, file_checks, near_duplicates

    cells = label_log.apply(options.data, manifest.read(options.data))
    with Bar() as bar:
        found = near_duplicates.cached_or_scan(
            options.data, cells, workers=settings.load().workers, progress=bar
        )
    labelled = cells[cells["label"] != ""]
    report = file_checks.read_report(options.data)
    parts = checks.default_split(labelled)
    for one in (
        checks.split(labelled, parts, "the split of seed 0"),
        checks.identical(cells),
        checks.near_identical(cells, found, parts),
        checks.tied(cells),
        checks.two_labels(cells),
        *file_checks.files(options.data, cells, report),
        *file_checks.frames(cells, found),
    ):
        print(f"{one.title} ({one.level})\n  {one.finding}\n  {one.action}")
    return 0


def map(options: Namespace) -> int:
    """Place the cells of a set by a model's features, for the Dataset page."""
    from leukemia.dataset import manifest
    from leukemia.inference import embedding

    bundle = _in_service(options.model)
    cells = manifest.read(options.data)
    with Bar() as bar:
        found = embedding.place_cached(
            bundle, options.data, cells, workers=settings.load().workers, progress=bar
        )
    print(f"{len(found):,} of {len(cells):,} cells placed by {bundle.name}; the Dataset page shows them.")
    return 0


def evaluate(options: Namespace) -> int:
    """Print the figures of a bundle, from its held-out predictions or on another set; or compare several."""
    from leukemia.inference.scoring import on_dataset
    from leukemia.reports.evaluation_tables import fold_table, split_table, summary

    found = [bundles.read(folder) for folder in options.bundles]
    bundle = found[0]
    if len(found) > 1:
        if options.data:
            raise LeukemiaError("--data judges one bundle at a time.")
        judged_by_folds = {one.folds > 0 for one in found}
        if len(judged_by_folds) > 1:
            raise LeukemiaError("Bundles judged by folds and by a single split do not compare in one table.")
        lines = fold_table(found, together=options.mean) if bundle.folds else split_table(found)
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
    """Answer images into a CSV file; the status says whether all were answered."""
    from leukemia.inference import decisions
    from leukemia.inference.classifier import Classifier, Source

    paths = list(_images(options.paths))
    if options.output.is_dir() or not options.output.parent.is_dir():
        raise LeukemiaError(f"Cannot write {options.output}: not a file in an existing folder.")
    classifier = Classifier(_in_service(options.model))
    threshold = classifier.bundle.threshold
    refused = 0
    with whole_file(options.output) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, decisions.COLUMNS, lineterminator="\n")
        writer.writeheader()
        answers = classifier.classify(Source.file(path) for path in paths)
        for answer in tqdm(answers, "Classifying", len(paths), unit=" images", file=sys.stderr):
            writer.writerow(decisions.row(answer, threshold, classifier.bundle))
            refused += answer.probability is None
    print(f"{len(paths) - refused} of {len(paths)} images answered: {options.output}")
    print(settings.RESEARCH_USE)
    return 1 if refused else 0


def _in_service(named: Path | None) -> bundles.Bundle:
    """The bundle that was named, or the one in service; a notice goes to the error stream."""
    if named:
        return bundles.read(named)
    from leukemia.registry import serving

    found = serving.find()
    if found.notice:
        print(f"leukemia: {found.notice}", file=sys.stderr)
    return found.bundle


def _images(paths: list[Path]) -> Iterator[Path]:
    """Files as they are named; of folders, at any depth, those with an image's suffix."""
    from leukemia.imaging.reader import SUFFIXES

    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            if not found:
                raise DatasetError(f"No image in {path} (looked for {', '.join(SUFFIXES)}).")
            yield from found
        elif path.exists():
            yield path
        else:
            raise DatasetError(f"No such file or folder: {path}.")


def print_bundle(bundle: bundles.Bundle) -> None:
    """Print a bundle's figures."""
    from leukemia.inference.scoring import on_held_out
    from leukemia.reports.evaluation_tables import summary

    print("\n".join(summary(on_held_out(bundle))))
