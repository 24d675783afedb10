"""Writes that are whole or absent."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Write ``target`` through a temporary neighbour that is renamed only when all went well.

    Parameters
    ----------
    target : Path
        The file to make or replace. Its folder is made where it is missing.

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
    handle, name = tempfile.mkstemp(prefix=".partial-", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        partial.chmod(0o644)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(target: Path, text: str) -> None:
    """Write ``text`` as UTF-8 to ``target``, whole or not at all."""
    with whole_file(target) as partial:
        partial.write_text(text, encoding="utf-8")
