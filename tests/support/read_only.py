"""A folder where nothing can be written, whoever runs the tests."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

NOBODY = 65_534


@contextlib.contextmanager
def closed(folder):
    """Meanwhile nothing can be written in a folder; root, who could, is nobody for as long."""
    is_root = os.geteuid() == 0
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*"))}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222 | 0o444 | (0o111 if path.is_dir() else 0))
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)


@contextlib.contextmanager
def folder():
    """A folder that everybody may enter: pytest's own are closed to other users."""
    made = Path(tempfile.mkdtemp(prefix="leukemia-read-only-", dir="/tmp"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)
