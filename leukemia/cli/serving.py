"""The model that a command answers with: the one that is named, or the one in service."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia.cli.arguments import as_path

if TYPE_CHECKING:
    from leukemia.bundles.bundle import Bundle


def model_option(command: ArgumentParser) -> None:
    """Add the option that names a bundle: ``model`` is its folder, or None."""
    command.add_argument(
        "--model", type=as_path, metavar="BUNDLE", help=("bundle to use instead of the model in service")
    )


def in_service(named: Path | None) -> tuple["Bundle", int | None]:
    """The bundle that was named, or the one in service with its version; notices go to the error stream."""
    from leukemia.bundles import bundle as bundles

    if named:
        return bundles.read(named), None
    # With it comes MLflow, which takes its time.
    from leukemia.registry import serving

    serves = serving.find()
    if serves.notice:
        print(f"leukemia: {serves.notice}", file=sys.stderr)
    return serves.bundle, serves.version
