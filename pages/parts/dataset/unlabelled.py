"""The Dataset page's unlabelled."""

from pathlib import Path


def show(data: Path) -> None:
    """Lay the section out."""
