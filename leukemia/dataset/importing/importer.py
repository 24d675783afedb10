"""A downloaded C-NMC folder or zip to labelled and unlabelled images, a manifest and a report.

Everything new is staged below ``.prepare/`` in the output folder and moved into place at the end, so
that until then the set is as it was. A journal there says what is staged; a killed import goes on
from it, and one that finds all in place does nothing.
"""

import hashlib
import io
import json
import re
import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
from PIL import Image

from leukemia.dataset import manifest
from leukemia.dataset.importing import import_report, layout, sources
from leukemia.dataset.importing.import_report import Report
from leukemia.dataset.importing.layout import Named
from leukemia.dataset.quality import near_duplicates
from leukemia.dataset.synthetic.sample_writer import MARKER
from leukemia.errors import ArchiveError, DatasetError, ImageError
from leukemia.imaging import reader, validate
from leukemia.imaging.cell import measure_cell
from leukemia.storage.atomic import whole_file
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace

JOURNAL = "journal.jsonl"
FOLDERS = {"Normal": "labeled_images/Normal", "ALL": "labeled_images/ALL", "": "unlabeled_images"}
# Lossless. The first method that packs well: half the time of the next for 3 % more space.
PACKED = {"format": "WEBP", "lossless": True, "method": 1, "quality": 0}

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Target:
    """An image and where it shall lie, relative to the output folder."""

    named: Named
    path: str


@dataclass(frozen=True)
class Done:
    """A line of the journal: what was found in one file of the source, or why it could not be read."""

    path: str
    origin: str
    stamp: str
    error: str = ""
    image_id: str = ""
    width: int = 0
    height: int = 0
    cell_area: int = 0
    refusal: str = ""
    file_sha256: str = ""

    def is_of(self, target: Target) -> bool:
        """Whether the line tells of this very file."""
        entry = target.named.entry
        return (self.path, self.origin, self.stamp) == (target.path, entry.origin, entry.stamp)


OnFile = Callable[[Target, Done], None]


def prepare(
    source: Path,
    output: Path,
    *,
    workers: int,
    progress: Progress | None = None,
    on_file: OnFile | None = None,
) -> Report:
    """Import a download; the same call again does only what is still to do.

    Parameters
    ----------
    source : Path
        The download: a folder or a .zip, in the archive's own layout or Kaggle's.
    output : Path
        The prepared folder: ``labeled_images/{Normal,ALL}/``, ``unlabeled_images/``,
        ``manifest.csv``, ``report.json`` and ``report.txt``. An earlier import in it is replaced.
    workers : int
        Threads that decode and pack.
    progress : callable, optional
        Called with (done, total, what is being done).
    on_file : callable, optional
        Called with what each file is (:class:`Target`) and what was found in it (:class:`Done`).

    Returns
    -------
    Report
        What was found, and what is wrong with it.

    Raises
    ------
    ArchiveError
        Where the source is no C-NMC 2019 set, or another import writes to ``output``.
    OSError
        Where the disk is full; the set is then as it was, and the same call goes on.
    """
    output = Path(output)
    with ExitStack() as stack:
        entries = sources.open_source(Path(source), stack)
        found = layout.read(entries)
        drawn = any(PurePosixPath(entry.origin).name == MARKER for entry in entries)
        targets = _targets(found.images)
        staging = Workspace(output).staging
        busy = ArchiveError(f"Another import is writing to {output}: wait until it is done.")
        stack.enter_context(exclusive(staging / "lock", 0, busy))
        kept = _kept(output)
        done, looks = _import(targets, output, kept, workers, progress, on_file)
        cells = _cells(targets, done, drawn)
        seen = near_duplicates.kept(output, cells) or near_duplicates.look_through(
            lambda path: _where(path, staging, output), cells, workers=workers, known=looks, progress=progress
        )
        cells = cells.assign(patient_group=import_report.patient_groups(cells, seen.ties))
        report = import_report.report(found, cells, _refused(done), seen.ties, drawn=drawn)
        _commit(output, cells, report, kept)
        near_duplicates.keep(output, cells, seen)
    return report


def _targets(found: Iterable[Named]) -> list[Target]:
    """Give each image a path of its own, the same on every run."""
    taken: dict[str, int] = {}
    targets = []
    for named in found:
        stem = re.sub(r"[^\w-]+", "_", PurePosixPath(named.entry.origin).stem, flags=re.ASCII)
        place = "" if named.source == "final" else f"{named.source}-"
        path = f"{FOLDERS[named.label]}/{place}{stem}"
        # Compared without case, since some disks know none.
        count = taken[path.lower()] = taken.get(path.lower(), 0) + 1
        targets.append(Target(named, f"{path}{f'-({count})' if count > 1 else ''}.webp"))
    return targets


def _kept(output: Path) -> dict[str, str]:
    """Path to image_id of what an earlier import put in place."""
    try:
        cells = manifest.read(output)
    except DatasetError:
        return {}
    return dict(zip(cells["path"], cells["image_id"], strict=True))


def _import(
    targets: list[Target],
    output: Path,
    kept: dict[str, str],
    workers: int,
    progress: Progress | None,
    on_file: OnFile | None,
) -> tuple[list[Done], dict[str, near_duplicates.Look]]:
    """Stage what is not yet staged or in place.

    Returns a line for each target, in order, and by path the looks of what was decoded for it now.
    """
    staging = Workspace(output).staging
    journal = _read_journal(staging / JOURNAL)

    def ready(target: Target) -> Done | None:
        line = journal.get(target.path)
        if line is None or not line.is_of(target):
            return None
        if line.error or (staging / target.path).is_file():
            return line
        in_place = kept.get(target.path) == line.image_id and (output / target.path).is_file()
        return line if in_place else None

    done = {target.path: line for target in targets if (line := ready(target))}
    looks: dict[str, near_duplicates.Look] = {}
    todo = [target for target in targets if target.path not in done]
    if progress:
        progress(len(done), len(targets), "Importing")
    if on_file:
        for target in targets:
            if target.path in done:
                on_file(target, done[target.path])
    with (staging / JOURNAL).open("a", encoding="utf-8") as file, ThreadPoolExecutor(workers) as pool:
        try:
            staged = pool.map(lambda target: _stage(target, staging), todo)
            for target, (line, look) in zip(todo, staged, strict=True):
                if look:
                    looks[line.path] = look
                file.write(json.dumps(asdict(line)) + "\n")
                file.flush()
                done[line.path] = line
                if on_file:
                    on_file(target, line)
                if progress:
                    progress(len(done), len(targets), "Importing")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [done[target.path] for target in targets], looks


def _read_journal(path: Path) -> dict[str, Done]:
    lines: dict[str, Done] = {}
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return lines
    for line in text.splitlines():
        try:
            found = Done(**json.loads(line))
        except (ValueError, TypeError):
            continue  # a write that was killed
        lines[found.path] = found
    if not text.endswith("\n"):
        # What is appended next must not continue the torn line.
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")
    return lines


def _where(path: str, staging: Path, output: Path) -> Path:
    return staging / path if (staging / path).is_file() else output / path


def _stage(target: Target, staging: Path) -> tuple[Done, near_duplicates.Look | None]:
    """Decode one file and pack it, pixel for pixel, into the staging folder."""
    entry = target.named.entry
    line = {"path": target.path, "origin": entry.origin, "stamp": entry.stamp}
    try:
        data = entry.load()
        cell = measure_cell(reader.decode(data))
    except (ImageError, ArchiveError) as error:
        return Done(**line, error=str(error)), None
    try:
        validate.check_single_cell(cell)
        refusal = ""
    except ImageError as error:
        refusal = str(error)
    packed = io.BytesIO()
    Image.fromarray(cell.pixels).save(packed, **PACKED)
    with whole_file(staging / target.path) as partial:
        partial.write_bytes(packed.getbuffer())
    found = Done(
        **line,
        image_id=cell.image_id,
        width=cell.width,
        height=cell.height,
        cell_area=cell.area,
        refusal=refusal,
        file_sha256=hashlib.sha256(data).hexdigest(),
    )
    return found, near_duplicates.look(cell)


def _cells(targets: list[Target], done: list[Done], drawn: bool) -> pd.DataFrame:
    """Manifest rows of all images that could be read, with what was said of each."""
    rows = [
        asdict(line)
        | {
            "label": target.named.label,
            "patient": target.named.patient,
            "source": "synthetic" if drawn else target.named.source,
            "phase": target.named.source,
            "doubt": target.named.doubt,
        }
        for target, line in zip(targets, done, strict=True)
        if not line.error
    ]
    if not rows:
        raise ArchiveError(f"None of the {len(targets):,} images can be read. The first: {done[0].error}")
    return pd.DataFrame(rows)


def _refused(done: Iterable[Done]) -> dict[str, str]:
    return {line.origin: line.error for line in done if line.error}


def _commit(output: Path, cells: pd.DataFrame, report: Report, kept: dict[str, str]) -> None:
    """Move what is staged into place; then the manifest says so, and what it replaced goes."""
    staging = Workspace(output).staging
    for path in cells["path"]:
        if (staging / path).is_file():
            (output / path).parent.mkdir(parents=True, exist_ok=True)
            (staging / path).replace(output / path)
    for folder in FOLDERS.values():
        (output / folder).mkdir(parents=True, exist_ok=True)
        shutil.rmtree(staging / folder, ignore_errors=True)
    manifest.write(output, cells)
    report.write(output)
    for path in kept.keys() - set(cells["path"]):
        (output / path).unlink(missing_ok=True)
