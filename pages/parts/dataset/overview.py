"""The Dataset page's overview."""

from pathlib import Path


def show(data: Path) -> None:
    """Lay the section out."""
