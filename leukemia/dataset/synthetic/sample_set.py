"""The sample set, drawn and imported in one go: a prepared folder without a download."""

import shutil
from pathlib import Path

from leukemia.dataset.importing import importer
from leukemia.dataset.importing.import_report import ImportReport
from leukemia.dataset.synthetic import sample_writer
from leukemia.storage.workspace import Workspace

# Below the import's own folder, so that an import that was broken off finds it again.
FOLDER = "sample"


def prepare(
    output: Path,
    *,
    workers: int,
    progress: importer.Progress | None = None,
    on_file: importer.OnFile | None = None,
) -> ImportReport:
    """Draw the set of :func:`sample_writer.write_sample` and import it; what was drawn is then removed.

    Parameters and errors are those of :func:`importer.prepare`.
    """
    drawn = Workspace(output).staging / FOLDER
    if not (drawn / sample_writer.MARKER).is_file():
        sample_writer.write_sample(drawn, progress=progress)
    report = importer.prepare(drawn, output, workers=workers, progress=progress, on_file=on_file)
    shutil.rmtree(drawn, ignore_errors=True)
    return report
