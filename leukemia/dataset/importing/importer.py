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
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import pandas as pd
from PIL import Image

from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.classes import ALL, NORMAL
from leukemia.dataset import manifest, patient_groups
from leukemia.dataset.importing import entry, import_report, journal, layout, sources
from leukemia.dataset.importing.import_report import ImportReport
from leukemia.dataset.importing.journal import ImportedFile
from leukemia.dataset.importing.layout import NamedImage
from leukemia.dataset.quality import damage, near_duplicates
from leukemia.dataset.synthetic.sample_writer import MARKER
from leukemia.errors import ArchiveError, DatasetError, ImageError
from leukemia.imaging import memory, reader, validate
from leukemia.imaging.cell import measure_cell
from leukemia.jobs import threads
from leukemia.storage import atomic
from leukemia.storage.atomic import whole_file
from leukemia.storage.locks import exclusive
from leukemia.storage.workspace import Workspace

JOURNAL = "journal-2.jsonl"  # of what the reader made of each file: another number when it reads otherwise
# Letters of a file's name that are kept; disks take 255 bytes, with what is put before and behind.
LONGEST_STEM = 120
FOLDERS = {NORMAL: "labeled_images/Normal", ALL: "labeled_images/ALL", "": "unlabeled_images"}
# Lossless. The first method that packs well: half the time of the next for 3 % more space.
PACKED = {"format": "WEBP", "lossless": True, "method": 1, "quality": 0}

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Target:
    """An image and its path to be, relative to the output folder."""

    named: NamedImage
    path: str


OnFile = Callable[[Target, ImportedFile], None]


@permissions.requires(Action.IMPORT)
def prepare(
    source: Path,
    output: Path,
    *,
    workers: int,
    progress: Progress | None = None,
    on_file: OnFile | None = None,
) -> ImportReport:
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
        Called with what each file is (:class:`Target`) and what was read from it (:class:`ImportedFile`).

    Returns
    -------
    ImportReport
        What the set holds, and what is wrong with it.

    Raises
    ------
    ArchiveError
        Where the source is no C-NMC 2019 set, or another import writes to ``output``.
    OSError
        Where the disk is full; the set is then as it was, and the same call goes on.
    """
    output = Path(output)
    manifest.check_place(output)
    with ExitStack() as stack:
        if progress:
            progress(0, 0, "Listing the files")
        listing = sources.open_source(Path(source), stack)
        names = layout.read(listing.entries)
        synthetic = any(PurePosixPath(entry.origin).name == MARKER for entry in listing.entries)
        targets = _targets(names.images)
        staging = Workspace(output).staging
        busy = ArchiveError(f"Another import is writing to {output}: wait until it has finished.")
        stack.enter_context(exclusive(staging / "lock", 0, busy))
        atomic.sweep(staging)
        previous = _previous_import(output)
        files, hashes = _import(targets, output, previous, workers, progress, on_file)
        cells = _cells(targets, files, synthetic)
        scan = near_duplicates.cached(output, cells) or near_duplicates.scan(
            lambda path: _locate(path, staging, output),
            cells,
            workers=workers,
            known=hashes,
            progress=progress,
        )
        cells = cells.assign(patient_group=patient_groups.join(cells, scan.path_pairs))
        unreadable = {file.origin: file.error for file in files if file.error}
        report = import_report.make_report(
            names, cells, unreadable, scan.path_pairs, not_read=listing.left_out, synthetic=synthetic
        )
        if progress:
            progress(0, 0, "Putting the images in place")
        with entry.on_record(Path(source), output, cells):
            _commit(output, cells, report, previous)
        near_duplicates.write_cache(output, cells, scan)
        damage.remember(output, cells, {file.path: file.packed for file in files if file.packed})
    return report


def _targets(images: Iterable[NamedImage]) -> list[Target]:
    """Give each image a path of its own, the same on every run."""
    taken: dict[str, int] = {}
    targets = []
    for named in images:
        stem = re.sub(r"[^\w-]+", "_", PurePosixPath(named.entry.origin).stem, flags=re.ASCII)
        place = "" if named.source == "final" else f"{named.source}-"
        if len(stem) > LONGEST_STEM:
            stem = f"{stem[:LONGEST_STEM]}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}"
        path = f"{FOLDERS[named.label]}/{place}{stem}"
        # Compared without case, since some disks know none.
        count = taken[path.lower()] = taken.get(path.lower(), 0) + 1
        targets.append(Target(named, f"{path}{f'-({count})' if count > 1 else ''}.webp"))
    return targets


def _previous_import(output: Path) -> dict[str, str]:
    """Path to image_id of what an earlier import put in place."""
    try:
        cells = manifest.read(output)
    except DatasetError:
        return {}
    return dict(zip(cells["path"], cells["image_id"], strict=True))


def _import(
    targets: list[Target],
    output: Path,
    previous: dict[str, str],
    workers: int,
    progress: Progress | None,
    on_file: OnFile | None,
) -> tuple[list[ImportedFile], dict[str, near_duplicates.ImageHash]]:
    """Stage what is not yet staged or in place.

    Returns a file for each target, in order, and by path the hashes of what was decoded now.
    """
    staging = Workspace(output).staging
    known = journal.read(staging / JOURNAL)

    def ready(target: Target) -> ImportedFile | None:
        file = known.get(target.path)
        if file is None or not file.is_of(target.named.entry, target.path):
            return None
        if file.error or damage.holds(staging / target.path, file.packed):
            return file
        in_place = previous.get(target.path) == file.image_id
        return file if in_place and damage.holds(output / target.path, file.packed) else None

    done = {target.path: file for target in targets if (file := ready(target))}
    hashes: dict[str, near_duplicates.ImageHash] = {}
    todo = [target for target in targets if target.path not in done]
    if progress:
        progress(len(done), len(targets), "Importing")
    if on_file:
        for target in targets:
            if target.path in done:
                on_file(target, done[target.path])
    with (staging / JOURNAL).open("a", encoding="utf-8") as log, threads.pool(workers) as pool:
        staged = pool.map(lambda target: _stage(target, staging), todo)
        for target, (file, image_hash) in zip(todo, staged, strict=True):
            if image_hash:
                hashes[file.path] = image_hash
            log.write(json.dumps(asdict(file)) + "\n")
            log.flush()
            done[file.path] = file
            if on_file:
                on_file(target, file)
            if progress:
                progress(len(done), len(targets), "Importing")
    return [done[target.path] for target in targets], hashes


def _locate(path: str, staging: Path, output: Path) -> Path:
    return staging / path if (staging / path).is_file() else output / path


def _stage(target: Target, staging: Path) -> tuple[ImportedFile, near_duplicates.ImageHash | None]:
    """Decode one file and pack it, pixel for pixel, into the staging folder."""
    entry = target.named.entry
    known = {"path": target.path, "origin": entry.origin, "stamp": entry.stamp}
    try:
        data = entry.load()
        with memory.room_for(data):
            picture = reader.open_picture(data)
            cell = measure_cell(picture.pixels)
    except (ImageError, ArchiveError) as error:
        return ImportedFile(**known, error=str(error)), None
    try:
        validate.check_single_cell(cell)
        refusal = ""
    except ImageError as error:
        refusal = str(error)
    packed = io.BytesIO()
    Image.fromarray(cell.pixels).save(packed, **PACKED)
    with whole_file(staging / target.path) as partial:
        partial.write_bytes(packed.getbuffer())
    file = ImportedFile(
        **known,
        image_id=cell.image_id,
        width=cell.width,
        height=cell.height,
        cell_area=cell.area,
        refusal=refusal,
        note=picture.note,
        packed=damage.digest(packed.getbuffer()),
        file_sha256=hashlib.sha256(data).hexdigest(),
    )
    return file, near_duplicates.hash_cell(cell)


def _cells(targets: list[Target], files: list[ImportedFile], synthetic: bool) -> pd.DataFrame:
    """Manifest rows of all images that could be read, with the doubts about each."""
    rows = [
        asdict(file)
        | {
            "label": target.named.label,
            "patient": target.named.patient,
            "source": manifest.SYNTHETIC if synthetic else target.named.source,
            "phase": target.named.source,
            "doubt": target.named.doubt,
        }
        for target, file in zip(targets, files, strict=True)
        if not file.error
    ]
    if not rows:
        raise ArchiveError(f"None of the {len(targets):,} images can be read. The first: {files[0].error}")
    return pd.DataFrame(rows)


def _commit(output: Path, cells: pd.DataFrame, report: ImportReport, previous: dict[str, str]) -> None:
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
    for path in previous.keys() - set(cells["path"]):
        (output / path).unlink(missing_ok=True)
