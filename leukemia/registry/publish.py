"""Where a training's bundle goes: a folder that was named, or MLflow's registry alone."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from leukemia.bundles import bundle as bundles
from leukemia.errors import LeukemiaError
from leukemia.registry import versions
from leukemia.storage.workspace import Workspace
from leukemia.tracking.run_writer import Run


def place(data: Path, output: Path | None, recipe: str) -> Path:
    """Where the bundle is written: ``output``, or a folder for as long as it is not registered."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    return output or Workspace(data).unregistered.resolve() / f"{recipe}-{stamp}"


def settle(data: Path, run: Run, bundle: bundles.Bundle, output: Path | None) -> bundles.Bundle:
    """Finish the run with its bundle; return the bundle where it lies from now on.

    Where no output was named and the registry took it, the registry's own copy is the only one. Where
    the registry did not, the bundle stays in ``unregistered/``: ``python -m leukemia register`` brings
    it in later.
    """
    run.finish(bundle.estimates, bundle.folder)
    if output is not None or run.version is None:
        return bundle
    try:
        kept = versions.bundle(data, run.version)
    except LeukemiaError:
        return bundle
    shutil.rmtree(bundle.folder, ignore_errors=True)
    return kept
