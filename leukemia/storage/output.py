"""Files and folders that a user names for what a command writes: nothing else is destroyed by it.

What is there is replaced only where this program wrote it. A link is followed, the mode of a file that is
replaced stays, and ``-`` is the standard output.
"""

import contextlib
import io
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from leukemia.errors import OutputError
from leukemia.storage import files
from leukemia.storage.atomic import whole_file

STREAMS = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}
# By its beginning, this many characters, a file is told to be one of ours.
BEGINNING = 4_096


@dataclass(frozen=True)
class Output:
    """A file that may be written, or the standard output; made by :func:`file`.

    Attributes
    ----------
    target : Path or None
        Where it lies, links followed; None for the standard output.
    """

    named: Path
    target: Path | None

    @property
    def streams(self) -> bool:
        """Whether it goes to the standard output, which then holds nothing else."""
        return self.target is None

    @contextlib.contextmanager
    def open(self) -> Iterator[TextIO]:
        """Open it for UTF-8 text with line ends as they are written: a file becomes whole or stays as it was.

        Raises
        ------
        OutputError
            Where it cannot be written, or nobody reads the standard output any more.
        """
        if self.target is None:
            with _standard_output() as out:
                yield out
            return
        try:
            before = self.target.stat() if self.target.exists() else None
            with whole_file(self.target) as partial:
                with partial.open("w", newline="", encoding="utf-8") as out:
                    yield out
                if before:
                    _keep_owner(partial, before)
        except PermissionError as error:
            raise OutputError(f"Cannot write {self.named}: {error.strerror}.") from error


def file(named: Path, is_ours: Callable[[str], bool], kind: str, inputs: Iterable[Path] = ()) -> Output:
    """Check that a file may be written, before the work for it begins.

    Parameters
    ----------
    named : Path
        As the user named it; ``-`` or ``/dev/stdout`` for the standard output.
    is_ours : callable
        Whether a file of this beginning was written by this program, and may be replaced.
    kind : str
        What is written: "table".
    inputs : iterable of Path, optional
        What is read meanwhile.

    Raises
    ------
    OutputError
        Where it is an input, a folder, a device, a file that this program did not write (an empty one may be
        replaced), or in no folder.
    """
    named = Path(named)
    if str(named) in STREAMS:
        return Output(named, None)
    try:
        target = named.resolve()
        mode = target.stat().st_mode if target.exists() else None
    except (OSError, RuntimeError) as error:
        raise _unreachable(named, error) from error
    if mode is None:
        if not target.parent.is_dir():
            raise OutputError(f"Cannot write {named}: its folder does not exist.")
        return Output(named, target)
    if stat.S_ISDIR(mode):
        raise OutputError(f"Cannot write {named}: it is a folder. Name a file.")
    if not stat.S_ISREG(mode):
        raise OutputError(f"Cannot write {named}: it is a device or a pipe. Name a file, or - to print.")
    if any(one.exists() and target.samefile(one) for one in inputs):
        raise OutputError(f"{named} is one of the files to be read. It was not changed: name another file.")
    beginning = _beginning(named, target)
    if beginning and not is_ours(beginning):
        raise OutputError(
            f"{named} exists and is not a {kind} written by this program. It was not changed: name another "
            "file."
        )
    return Output(named, target)


def folder(named: Path, content: Iterable[str], kind: str, inputs: Iterable[Path] = ()) -> None:
    """Check that a folder may be written or replaced, before the work for it begins.

    Parameters
    ----------
    named : Path
        As the user named it.
    content : iterable of str
        What such a folder consists of: one that holds all of these and nothing else may be replaced.
    kind : str
        What is written: "model bundle".
    inputs : iterable of Path, optional
        Files and folders that are read meanwhile.

    Raises
    ------
    OutputError
        Where it is a file, holds anything else, is or holds an input, or is or holds the current folder: when
        that is replaced, relative paths lead nowhere any more, and a shell shows what is no longer there.
    """
    named, ours = Path(named), set(content)
    try:
        target = named.resolve()
    except (OSError, RuntimeError) as error:
        raise _unreachable(named, error) from error
    if not named.exists():
        return
    if not named.is_dir():
        raise OutputError(f"{named} exists and is no folder. It was not changed: name another folder.")
    there = {one.name for one in named.iterdir()}
    if there and there != ours:
        raise OutputError(
            f"The folder {named} exists and is not just a {kind}. It was not changed: name another folder."
        )
    for one in inputs:
        if files.lies_in(one, named):
            raise OutputError(
                f"{one} is to be read and lies in {named}, which would be replaced. It was not changed: name "
                "another folder."
            )
    if _is_current(named):
        raise OutputError(
            f"You are in {target}, which would be replaced. It was not changed: go to another folder "
            "first (cd), or name another one."
        )


def _unreachable(named: Path, error: OSError | RuntimeError) -> OutputError:
    """What is said of a path that leads nowhere; of links in a circle Python raises a RuntimeError."""
    return OutputError(f"Cannot write {named}: {getattr(error, 'strerror', '') or error}.")


def _is_current(folder: Path) -> bool:
    """Whether a folder is or holds the one that this program was started in."""
    try:
        return files.lies_in(Path.cwd(), folder)
    except FileNotFoundError:  # it was removed meanwhile
        return False


def _beginning(named: Path, target: Path) -> str:
    try:
        with target.open(encoding="utf-8-sig", errors="replace", newline="") as content:
            return content.read(BEGINNING)
    except OSError as error:
        raise OutputError(f"Cannot write {named}: {error.strerror}.") from error


def _keep_owner(partial: Path, before: os.stat_result) -> None:
    """Give a file the mode and, where the system allows it, the owner of the one that it replaces."""
    with contextlib.suppress(OSError, AttributeError):  # Windows knows no chown
        os.chown(partial, before.st_uid, before.st_gid)
    partial.chmod(stat.S_IMODE(before.st_mode))


@contextlib.contextmanager
def _standard_output() -> Iterator[TextIO]:
    if sys.stdout is None:
        raise OutputError("The standard output is closed.")
    sys.stdout.flush()
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=True)
    try:
        yield out
        out.flush()
    except BrokenPipeError as error:
        # What is still in the buffer would raise again when Python exits.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise OutputError("The program that reads the output ended before all of it was written.") from error
    finally:
        with contextlib.suppress(ValueError, OSError):
            out.detach()
