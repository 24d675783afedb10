"""The journal of an import: what was read from each file so far, so that a killed import can resume."""

import json
from dataclasses import dataclass
from pathlib import Path

from leukemia.dataset.importing.sources import Entry


@dataclass(frozen=True)
class ImportedFile:
    """One file of the source: what was read from it and what was assumed for it, or why it was not read."""

    path: str
    origin: str
    stamp: str
    error: str = ""
    image_id: str = ""
    width: int = 0
    height: int = 0
    cell_area: int = 0
    refusal: str = ""
    note: str = ""
    packed: str = ""  # digest of the file that it was packed into
    file_sha256: str = ""

    def is_of(self, entry: Entry, path: str) -> bool:
        """Whether this is about this very file, imported to this path."""
        return (self.path, self.origin, self.stamp) == (path, entry.origin, entry.stamp)


def read(path: Path) -> dict[str, ImportedFile]:
    """Read a journal, by path; a line that a kill tore is skipped."""
    files: dict[str, ImportedFile] = {}
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return files
    for line in text.splitlines():
        try:
            file = ImportedFile(**json.loads(line))
        except (ValueError, TypeError):
            continue  # a write that was killed
        files[file.path] = file
    if not text.endswith("\n"):
        # What is appended next must not continue the torn line.
        with path.open("a", encoding="utf-8") as torn:
            torn.write("\n")
    return files
