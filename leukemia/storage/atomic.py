"""Writes that are whole or absent."""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

# A longer suffix is none that a writer looks at, and could make the temporary name too long.
LONGEST_SUFFIX = 16


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Write ``target`` through a temporary neighbour that is renamed only when all went well.

    Parameters
    ----------
    target : Path
        The file to make or replace. Its folder is made where it is missing; its mode is that of any new
        file, by the umask.

    Yields
    ------
    Path
        Where to write. It has the target's suffix, since some writers look at that.

    Raises
    ------
    OSError
        As the writer or the rename raises it; the target is then as it was before.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = _neighbour(target.parent, target.suffix)
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    try:
        yield partial
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def partial_folder(place: Path) -> Iterator[Path]:
    """A new folder in ``place`` for what is moved to where it belongs once it is whole.

    Its mode is that of any new folder, by the umask.

    Yields
    ------
    Path
        The folder. Where it is still there at the end, or an error is raised, it is removed.
    """
    partial = _neighbour(Path(place))
    partial.mkdir()
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_text(target: Path, text: str) -> None:
    """Write ``text`` as UTF-8 to ``target``, whole or not at all."""
    with whole_file(target) as partial:
        partial.write_text(text, encoding="utf-8")


def _neighbour(folder: Path, suffix: str = "") -> Path:
    suffix = suffix if len(suffix) <= LONGEST_SUFFIX else ""
    return folder / f".partial-{secrets.token_hex(8)}{suffix}"
