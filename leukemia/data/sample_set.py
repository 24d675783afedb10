"""The drawn set, written and imported in one go: a prepared folder without a download."""

import shutil
from pathlib import Path

from leukemia.data import archive, synthetic
from leukemia.data.findings import Report

# Below the import's own folder, so that an import that was broken off finds it again.
FOLDER = "sample"


def prepare(
    output: Path,
    *,
    workers: int,
    progress: archive.Progress | None = None,
    on_file: archive.OnFile | None = None,
) -> Report:
    """Draw the set of :func:`synthetic.write_sample` and import it; what was drawn is then removed.

    Parameters and errors are those of :func:`archive.prepare`.
    """
    drawn = Path(output) / archive.STAGING / FOLDER
    if not (drawn / synthetic.MARKER).is_file():
        synthetic.write_sample(drawn, progress=progress)
    report = archive.prepare(drawn, output, workers=workers, progress=progress, on_file=on_file)
    shutil.rmtree(drawn, ignore_errors=True)
    return report
