"""A folder where nothing can be written, whoever runs the tests."""

import contextlib
import ctypes
import os
import shutil
import tempfile
from pathlib import Path

# Of Linux: the third version of its call, and the right to write whatever a file's mode says.
VERSION, WRITE_ANYTHING = 0x20080522, 1 << 1


@contextlib.contextmanager
def closed(folder):
    """Meanwhile nothing can be written in a folder; root goes without the right to do it all the same."""
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        with _without_roots_right() if os.geteuid() == 0 else contextlib.nullcontext():
            yield folder
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@contextlib.contextmanager
def folder():
    """A folder that goes in the end."""
    made = Path(tempfile.mkdtemp(prefix="leukemia-read-only-"))
    try:
        yield made
    finally:
        shutil.rmtree(made)


@contextlib.contextmanager
def _without_roots_right():
    """This thread writes by the modes of files as everybody does; it reads as before (capabilities(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = (ctypes.c_uint32 * 2)(VERSION, 0), (ctypes.c_uint32 * 6)()
    _done(libc.capget(header, sets))
    before = sets[0]
    sets[0] = before & ~WRITE_ANYTHING
    _done(libc.capset(header, sets))
    try:
        yield
    finally:
        sets[0] = before
        _done(libc.capset(header, sets))


def _done(result):
    if result:
        raise OSError(ctypes.get_errno(), "The capabilities of this process cannot be changed.")
