"""A new run: what to train, with which settings, and how long that takes here."""

from pathlib import Path


def show(data: Path) -> None:
    """Lay the section out."""
