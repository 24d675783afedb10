"""The Dataset page's gallery."""

from pathlib import Path


def show(data: Path) -> None:
    """Lay the section out."""
