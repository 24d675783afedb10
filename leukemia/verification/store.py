"""Verifications in the data folder: the criterion first, then the answered cells and the result.

Each has a folder of its own in ``verifications/``: ``criterion.json`` is written before any cell is read
and never again, ``cells.csv`` and ``result.json`` once all cells are answered, ``accepted.json`` where it
became a model version. Each file is whole or absent; images are not kept.
"""

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from leukemia import attribution
from leukemia.access import permissions
from leukemia.access.permissions import Action
from leukemia.bundles.bundle import Bundle
from leukemia.errors import DatasetError
from leukemia.storage import stamps
from leukemia.storage.atomic import whole_file, write_text
from leukemia.storage.workspace import Workspace
from leukemia.verification.result import NUMBERS, Result
from leukemia.verification.statistics import Criterion

CRITERION, CELLS, RESULT, ACCEPTED = "criterion.json", "cells.csv", "result.json", "accepted.json"
UPLOAD = "upload.zip"  # after what tells it from those that were sent before
NAME = re.compile(r"\d{8}T\d{12}-[0-9a-f]{6}")
ANSWERED = "This verification has its result. State a new criterion for other cells."
NEEDED = "Please give the laboratory's name and your name: both are kept on record."
T = TypeVar("T")


@dataclass(frozen=True)
class Model:
    """The version that is verified: its name, bundle, network and record as they were when stated."""

    name: str
    recipe: str
    digest: str
    identity: str
    threshold: float


@dataclass(frozen=True)
class Stated:
    """What was stated before the cells were classified, by whom and when (ISO 8601, UTC)."""

    site: str
    criterion: Criterion
    model: Model
    who: str
    at: str


@dataclass(frozen=True)
class Accepted:
    """The model version that it became: by which threshold ("shipped" or "own"), by whom, why, when."""

    version: int
    judgement: str
    who: str
    why: str
    at: str


@dataclass(frozen=True)
class Verification:
    """One verification as its folder describes it; ``result`` is None until its cells are answered."""

    folder: Path
    stated: Stated
    result: Result | None = None
    answered: str = ""
    accepted: Accepted | None = None

    @property
    def id(self) -> str:
        """What names it in an address and on the command line."""
        return self.folder.name

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder.parent.parent

    def of(self, bundle: Bundle) -> bool:
        """Whether it is of this version, its record unchanged since."""
        return self.stated.model.identity == bundle.identity


@permissions.requires(Action.VERIFY, signed_by="who")
def state(data: Path, bundle: Bundle, name: str, site: str, criterion: Criterion, who: str) -> Verification:
    """Put a criterion on record, before any cell is read.

    Parameters
    ----------
    data : Path
        The data folder; made where it is missing.
    bundle : Bundle
        The version to be verified; ``name`` is what it is called.
    site, who : str
        The laboratory, and who states it.

    Raises
    ------
    DatasetError
        Where a name is missing or too long, or the folder cannot be written.
    """
    site, who = " ".join(site.split()), " ".join(who.split())
    if not site or not who:
        raise DatasetError(NEEDED)
    if max(len(site), len(who)) > attribution.MAX_WHO:
        raise DatasetError(f"A name can have at most {attribution.MAX_WHO} characters.")
    model = Model(name, bundle.recipe, bundle.digest, bundle.identity, bundle.threshold)
    stated = Stated(site, criterion, model, who, _now())
    place = Workspace(Path(data).resolve()).verifications
    folder = place / f"{stamps.following(one.name for one in place.glob('*/'))}-{secrets.token_hex(3)}"
    try:
        write_text(folder / CRITERION, json.dumps(asdict(stated), indent=1) + "\n")
    except OSError as error:
        raise DatasetError(f"The criterion cannot be written to {folder}: {error.strerror}.") from error
    return Verification(folder, stated)


def every(data: Path) -> list[Verification]:
    """All verifications of a data folder, the newest first; what is damaged is none."""
    folders = sorted(Workspace(Path(data).resolve()).verifications.glob("*/"), reverse=True)
    found = []
    for folder in folders:
        with suppress(DatasetError):
            found.append(_read(folder))
    return found


def read(data: Path, name: str) -> Verification:
    """One verification; raises DatasetError where there is none of this name, or it is damaged."""
    if not NAME.fullmatch(name):
        raise DatasetError(f"There is no verification {name!r}.")
    return _read(Workspace(Path(data).resolve()).verifications / name)


def cells(verification: Verification) -> pd.DataFrame:
    """Its cells, a row each; see :func:`leukemia.verification.answering.answer_cells`."""
    try:
        frame = pd.read_csv(verification.folder / CELLS, dtype=str, keep_default_na=False)
        return frame.assign(**{name: pd.to_numeric(frame[name]) for name in NUMBERS})
    except (OSError, KeyError, ValueError) as error:
        raise DatasetError(f"The cells of {verification.id} cannot be read.") from error


def check_waits(verification: Verification) -> None:
    """Make sure that a verification waits for its cells still: it may have changed since it was read.

    Raises
    ------
    DatasetError
        Where there is a result already, or the criterion was withdrawn.
    """
    if (verification.folder / RESULT).exists():
        raise DatasetError(ANSWERED)
    _read(verification.folder)


@permissions.requires(Action.VERIFY)
@contextmanager
def upload(verification: Verification, content: bytes | memoryview) -> Iterator[Path]:
    """Write a .zip with labelled cells beside the criterion, until its cells are classified.

    It takes the place of what was sent before, once what is done within went well: a job reads it from then
    on. Where anything is raised, it is removed.

    Parameters
    ----------
    verification : Verification
        Stated, not answered yet.
    content : bytes or memoryview

    Yields
    ------
    Path
        The file.

    Raises
    ------
    DatasetError
        Where there is a result already, the criterion was withdrawn, or the file cannot be written.
    """
    check_waits(verification)
    path = verification.folder / f"{secrets.token_hex(3)}-{UPLOAD}"
    try:
        with whole_file(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise DatasetError(f"The upload cannot be stored: {error.strerror}.") from error
    try:
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    _drop_uploads(verification, keep=path)


def write_result(verification: Verification, cells: pd.DataFrame, result: Result) -> Verification:
    """Keep the answered cells and the result; the upload is dropped."""
    with whole_file(verification.folder / CELLS) as partial:
        cells.to_csv(partial, index=False, lineterminator="\n")
    content = TypeAdapter(Result).dump_json(result, indent=1).decode()
    answered = _now()
    write_text(
        verification.folder / RESULT, json.dumps({"at": answered, "result": json.loads(content)}) + "\n"
    )
    _drop_uploads(verification)
    return replace(verification, result=result, answered=answered)


def write_accepted(verification: Verification, accepted: Accepted) -> Verification:
    """Keep which version it became."""
    write_text(verification.folder / ACCEPTED, json.dumps(asdict(accepted), indent=1) + "\n")
    return replace(verification, accepted=accepted)


@permissions.requires(Action.VERIFY)
def drop(verification: Verification) -> None:
    """Forget a verification whose cells were never answered; raises DatasetError where they were."""
    if (verification.folder / RESULT).exists():
        raise DatasetError("A verification with a result stays on record.")
    shutil.rmtree(verification.folder, ignore_errors=True)


def _drop_uploads(verification: Verification, keep: Path | None = None) -> None:
    for path in verification.folder.glob(f"*{UPLOAD}"):
        if path != keep:
            path.unlink(missing_ok=True)


def _read(folder: Path) -> Verification:
    stated = _load(folder / CRITERION, Stated)
    if stated is None:
        raise DatasetError(f"There is no verification {folder.name}.")
    answered = _load(folder / RESULT, _Answered)
    return Verification(
        folder,
        stated,
        answered.result if answered else None,
        answered.at if answered else "",
        _load(folder / ACCEPTED, Accepted),
    )


@dataclass(frozen=True)
class _Answered:
    at: str
    result: Result


def _load(path: Path, kind: type[T]) -> T | None:
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, DatasetError) as error:
        raise DatasetError(f"{path} is damaged and cannot be read.") from error


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
