"""The run at work, what waits behind it, and how the last one ended."""

from pathlib import Path


def show(data: Path) -> None:
    """Lay the section out."""
