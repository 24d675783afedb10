"""Finished batches of a long run, kept beside its result until it is done: a run that was ended goes on.

They lie in ``RESULT.parts/``, in a folder that is named by all that decides the answers: a run of other
inputs or by another model has a folder of its own, and finds none of these.
"""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from leukemia.errors import BusyError
from leukemia.storage import locks
from leukemia.storage.atomic import whole_file

SUFFIX, LOCK, KEY = ".parts", ".lock", "key"
BUSY = "Busy: the same run is already at work on {}."


class Parts:
    """The finished batches of one run; made by :func:`kept`.

    Parameters
    ----------
    folder : Path
        Where they lie.
    schema : pyarrow.Schema
        Of their rows.

    Attributes
    ----------
    stay : bool
        Set where something that is made of them is not there yet: they are then not removed.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder, self._schema = folder, schema
        self.stay = False

    @classmethod
    @contextlib.contextmanager
    def kept(cls, result: Path, decided_by: str, schema: pa.Schema) -> Iterator[Self]:
        """Keep the parts of one run, by one process at a time; they go where the context ends without error.

        They stay where :attr:`stay` was set meanwhile.

        Parameters
        ----------
        result : Path
            The file that is made of them.
        decided_by : str
            Short name of all that decides them: hex digits.
        schema : pyarrow.Schema

        Raises
        ------
        BusyError
            Where another process is at work on the same run.
        OSError
            Where they cannot be written.
        """
        place = result.with_name(result.name + SUFFIX)
        folder, lock = place / decided_by, place / f"{decided_by}{LOCK}"
        with locks.exclusive(lock, 0, BusyError(BUSY.format(result))):
            folder.mkdir(exist_ok=True)
            try:
                yield (parts := cls(folder, schema))
                if not parts.stay:
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                # What holds something stays: of this run where it was ended, or of another one.
                with contextlib.suppress(OSError):
                    folder.rmdir() if folder.exists() else None
                    lock.unlink(missing_ok=True)
                    place.rmdir()

    def key(self) -> str:
        """What tells this run from each other one of the same inputs: hex digits, drawn once and kept."""
        file = self._folder / KEY
        with contextlib.suppress(OSError):
            if re.fullmatch(r"[0-9a-f]{32}", found := file.read_text(errors="replace")):
                return found
        drawn = secrets.token_hex(16)
        with whole_file(file) as partial, partial.open("w") as out:
            out.write(drawn)
            out.flush()
            # What is recorded by it may outlast this machine's power.
            os.fsync(out.fileno())
        return drawn

    def has(self, number: int, rows: int) -> bool:
        """Whether a batch is finished, with this many rows; a file that cannot be read is none."""
        try:
            return pq.read_metadata(self._file(number)).num_rows == rows
        except (OSError, pa.ArrowException):
            return False

    def write(self, number: int, rows: list[dict[str, Any]]) -> None:
        """Keep a finished batch, whole or not at all."""
        with whole_file(self._file(number)) as partial:
            pq.write_table(pa.Table.from_pylist(rows, self._schema), partial)

    def read(self, number: int) -> list[dict[str, Any]]:
        """The rows of a finished batch."""
        return pq.read_table(self._file(number), schema=self._schema).to_pylist()

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:08d}.parquet"
