"""Writes that are whole or absent."""

import contextlib
import functools
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from leukemia.storage.private import make_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# A longer suffix is none that a writer looks at, and could make the temporary name too long.
LONGEST_SUFFIX = 16
PARTIAL = re.compile(r"\.partial-(\w{8}|[0-9a-f]{16})(\.\w+)?")
# Seconds without a change after which what nobody holds was left behind: a writer may put a file of its own
# in place of the one that is held. And where it cannot be told whether anybody holds it.
NEW, OLD = 10.0, 24 * 3600.0


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Write ``target`` through a temporary neighbour that is renamed only when all went well.

    Parameters
    ----------
    target : Path
        The file to make or replace. Its folder is made where it is missing, for this account alone; its own
        mode is that of any new file, by the umask.

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
    make_folder(target.parent)
    partial = _neighbour(target.parent, target.suffix)
    with _held(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)):
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
    with _held(None if fcntl is None else os.open(partial, os.O_RDONLY)):
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def replace_folder(folder: Path, partial: Path) -> None:
    """Put a folder that is whole where it belongs, in place of the one that is there."""
    # A folder cannot be renamed over another that is not empty: the old one steps aside first.
    aside = folder.with_name(f".old-{folder.name}")
    shutil.rmtree(aside, ignore_errors=True)
    if folder.exists():
        folder.rename(aside)
    partial.rename(folder)
    shutil.rmtree(aside, ignore_errors=True)


def write_text(target: Path, text: str) -> None:
    """Write ``text`` as UTF-8 to ``target``, whole or not at all."""
    with whole_file(target) as partial:
        partial.write_text(text, encoding="utf-8")


def sweep(folder: Path) -> None:
    """Remove what writers that were killed left anywhere below a folder; what is being written stays."""
    for where, below, names in os.walk(folder):
        left = [name for name in below if PARTIAL.fullmatch(name)]
        below[:] = [name for name in below if name not in left]
        for name in (*left, *filter(PARTIAL.fullmatch, names)):
            _sweep_one(Path(where, name))


def _sweep_one(partial: Path) -> None:
    try:
        age = time.time() - partial.lstat().st_mtime
        if age < (NEW if fcntl else OLD) or partial.is_symlink() or not _is_left(partial, age):
            return
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)
    except OSError:
        return  # it went meanwhile, or belongs to somebody else


def _is_left(partial: Path, age: float) -> bool:
    """Whether no process holds what it was writing any more."""
    if fcntl is None:
        return True
    handle = os.open(partial, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a disk that knows no locks
        return age > OLD
    finally:
        os.close(handle)
    return True


@contextlib.contextmanager
def _held(handle: int | None) -> Iterator[None]:
    """Hold an open file or folder, which tells :func:`sweep` that it is being written, until it is whole."""
    if fcntl is None:
        if handle is not None:
            os.close(handle)  # Windows renames no open file
        yield
        return
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        os.close(handle)


@functools.cache
def _sweep_once(folder: Path) -> None:
    """Remove what was left in a folder, before this process first writes to it."""
    for partial in filter(lambda one: PARTIAL.fullmatch(one.name), folder.iterdir()):
        _sweep_one(partial)


def _neighbour(folder: Path, suffix: str = "") -> Path:
    with contextlib.suppress(OSError):
        _sweep_once(folder.absolute())
    suffix = suffix if len(suffix) <= LONGEST_SUFFIX else ""
    return folder / f".partial-{secrets.token_hex(8)}{suffix}"
