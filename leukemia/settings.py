"""Every setting, one place, from the environment.

======================  =========================================  ===================================
Variable                Meaning                                        Default
======================  =========================================  ===================================
LEUKEMIA_DATA           prepared images, runs and caches               ``data``
LEUKEMIA_MODEL          the bundle in service, whatever was promoted   as promoted, or ``models/champion``
LEUKEMIA_WORKERS        threads that decode images                     number of cores
MLFLOW_TRACKING_URI     where runs are recorded                        SQLite in the data folder
======================  =========================================  ===================================
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
SHIPPED = PROJECT / "models" / "champion"
BUILT_IN = "the built-in model"  # what it is called for a reader

# Limits hold before anything is decoded: they keep a hostile file from filling the memory.
MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_FILES = 500
MAX_ARCHIVE_FILES = 200_000
MAX_SIDE = 8_192
MAX_PIXELS = 25_000_000

# Set for a command that runs as a job: its folder, see leukemia.jobs.
JOB_FOLDER = "LEUKEMIA_JOB"

RESEARCH_USE = "For research use only, not for use in diagnostic procedures."


@dataclass(frozen=True)
class Settings:
    """Where things are and how many hands there are; made by :func:`load`."""

    data: Path
    model: Path
    model_given: bool  # named outright: then no registry is asked which model answers
    workers: int
    tracking_uri: str = field(repr=False)  # may carry a password; empty: SQLite in the data folder


def load() -> Settings:
    """Read the settings from the environment, as it is now."""
    data = Path(os.environ.get("LEUKEMIA_DATA", "data"))
    model = os.environ.get("LEUKEMIA_MODEL", "")
    workers = int(os.environ.get("LEUKEMIA_WORKERS", os.cpu_count() or 1))
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    return Settings(
        data=data,
        model=Path(model or SHIPPED),
        model_given=bool(model),
        workers=max(1, workers),
        tracking_uri=uri,
    )
