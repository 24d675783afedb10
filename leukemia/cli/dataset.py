"""The commands about a set of images: ``prepare``, ``sample``, ``measure``, ``check``.

Each takes the parsed arguments and returns the exit status. Heavy libraries are imported by the command
that needs them.
"""

from argparse import Namespace

from leukemia import settings
from leukemia.cli.arguments import Commands, as_path, data_option, seed, whole


def add_to(commands: Commands) -> None:
    """Add the commands to the parser of all."""
    command = commands.add_parser("prepare", help="import a downloaded C-NMC 2019 set")
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "source", type=as_path, nargs="?", metavar="SOURCE", help="the download: a folder or a .zip"
    )
    source.add_argument("--sample", action="store_true", help="draw the synthetic set and import that")
    data_option(command, "--output", "folder for the prepared set")
    command.set_defaults(run=prepare)

    command = commands.add_parser("sample", help="write a synthetic set in C-NMC's layout")
    command.add_argument("dest", type=as_path, metavar="DEST", help="folder to create")
    command.add_argument(
        "--patients", type=whole(12, 10_000), default=24, help="number of patients (default 24)"
    )
    command.add_argument(
        "--cells", type=whole(4, 10_000), default=30, help=("cells per patient, on average (default 30)")
    )
    command.add_argument("--seed", type=seed, default=0)
    command.set_defaults(run=sample)

    command = commands.add_parser(
        "measure", help="measure the cells' brightness and make their thumbnails in advance"
    )
    data_option(command, meaning="the prepared folder")
    command.set_defaults(run=measure)

    command = commands.add_parser("check", help="check a prepared set for problems")
    data_option(command, meaning="the prepared folder")
    command.set_defaults(run=check)


def prepare(options: Namespace) -> int:
    """Import a downloaded set, or the drawn one; print a report."""
    from leukemia.cli.console import Bar
    from leukemia.dataset.importing import importer
    from leukemia.dataset.synthetic import sample_set
    from leukemia.jobs import progress
    from leukemia.jobs.facts import ImportFacts

    job = progress.current()

    def on_file(target: importer.Target, line: importer.ImportedFile) -> None:
        job.count("unreadable" if line.error else target.named.label or "unlabelled")
        for problem in filter(None, (line.error, target.named.doubt, line.refusal)):
            job.problem(f"{line.origin}: {problem}")

    workers = settings.load().workers
    with Bar() as bar:
        if options.sample:
            report = sample_set.prepare(options.output, workers=workers, progress=bar, on_file=on_file)
        else:
            report = importer.prepare(
                options.source, options.output, workers=workers, progress=bar, on_file=on_file
            )
    job.facts(ImportFacts(report.lines()))
    print("\n".join(report.lines()))
    return 0


def sample(options: Namespace) -> int:
    """Write a synthetic set."""
    from leukemia.cli.console import Bar
    from leukemia.dataset.synthetic import sample_writer

    with Bar("cells") as bar:
        summary = sample_writer.write_sample(
            options.dest, patients=options.patients, cells=options.cells, seed=options.seed, progress=bar
        )
    print(summary)
    print(f"These cells are synthetic drawings. Next: python -m leukemia prepare {options.dest}")
    return 0


def measure(options: Namespace) -> int:
    """Measure cells' brightness and make their thumbnails."""
    from leukemia.cli.console import Bar
    from leukemia.dataset.catalog import brightness

    with Bar() as bar:
        count = brightness.measure(options.data, workers=settings.load().workers, progress=bar)
    print(f"{count:,} images measured." if count else "All images have already been measured.")
    return 0


def check(options: Namespace) -> int:
    """Check a prepared set and print its problems; the page shows the same."""
    from leukemia.cli.console import Bar
    from leukemia.dataset import label_log, manifest
    from leukemia.dataset.quality import checks, damage, file_checks, near_duplicates

    cells = label_log.apply(options.data, manifest.read(options.data))
    workers = settings.load().workers
    with Bar() as bar:
        scan = near_duplicates.cached_or_scan(options.data, cells, workers=workers, progress=bar)
        damaged = damage.find(options.data, cells, workers=workers, progress=bar)
    labelled = cells[cells["label"] != ""]
    report = file_checks.read_report(options.data)
    split = checks.default_split(labelled)
    for one in (
        checks.split(labelled, split, "the split with seed 0"),
        checks.identical(cells),
        checks.near_identical(cells, scan, split),
        checks.tied(cells),
        checks.two_labels(cells),
        *file_checks.files(options.data, cells, report),
        *file_checks.frames(cells, scan),
        file_checks.damaged(damaged),
    ):
        print(f"{one.title} ({one.level})\n  {one.finding}\n  {one.action}")
    for path, why in damaged.files.items():
        print(f"    {path}: {why}")
    return 0
