"""Every setting, one place, from the environment.

======================  =========================================  ===================================
Variable                Meaning                                        Default
======================  =========================================  ===================================
LEUKEMIA_DATA           prepared images, runs and caches               ``data``
LEUKEMIA_MODEL          the bundle in service, whatever was promoted   as promoted, or ``models/champion``
LEUKEMIA_WORKERS        threads that decode images                     number of cores
MLFLOW_TRACKING_URI     where runs are recorded                        SQLite in the data folder
LEUKEMIA_DATABASE_URL   where cases and the trail are recorded         SQLite in the data folder
LEUKEMIA_HOSTS          further names under which REST answers         this machine's own only
LEUKEMIA_BASE_PATH      where a proxy has put the REST service         ``/``
LEUKEMIA_API_RATE       requests that a key of REST has                ``600 per minute``
LEUKEMIA_TOKEN          what the dashboard's address carries, where    made at the first start
                        nobody signs in
LEUKEMIA_ROLES_FILE     list of people and their roles                 ``roles.toml`` in the data folder
LEUKEMIA_ROLES_CLAIM    the provider's claim that holds roles          none: the list alone counts
LEUKEMIA_CLAIM_MINUTES  after which a role by that claim must be    60
                        confirmed by the provider again
LEUKEMIA_IDLE_MINUTES   after which a session without use ends         30
LEUKEMIA_SESSION_HOURS  after which each session ends                  12
LEUKEMIA_IMPORT_FROM    folders, with a colon (on Windows a            on this machine alone any,
                        semicolon) between them, below which imports   with sign-in none
                        may lie
======================  =========================================  ===================================
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from leukemia.errors import SettingError

PROJECT = Path(__file__).resolve().parents[1]
SHIPPED = PROJECT / "models" / "champion"
# What finds cells in a field: no model that calls one.
FINDER = PROJECT / "models" / "segmentation"
BUILT_IN = "the built-in model"  # what it is called for a reader

# Limits hold before anything is decoded: they keep a hostile file from filling the memory.
MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_FILES = 500
# Cells kept in a session until no further field is searched.
MAX_CELLS = 2_000
MAX_ARCHIVE_FILES = 200_000
MAX_SIDE = 8_192
MAX_PIXELS = 25_000_000
# Of a field of a smear, which is cut into tiles before it is worked on.
MAX_FIELD_BYTES = 400 * 1024 * 1024
MAX_FIELD_SIDE = 30_000
MAX_FIELD_PIXELS = 100_000_000
# All images of a request to the REST service together.
MAX_REQUEST_BYTES = 256 * 1024 * 1024
# Memory that decoding may take at a time, all sessions together: enough for one picture of the largest size.
DECODING_BYTES = 1_000_000_000

MOST_WORKERS = 1_024
TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
MAX_SEED = 2**31 - 1

# Set for a command that runs as a job: its folder, see leukemia.jobs.
JOB_FOLDER = "LEUKEMIA_JOB"

API_RATE = "600 per minute"

RESEARCH_USE = "For research use only, not for use in diagnostic procedures."


@dataclass(frozen=True)
class Settings:
    """Where things are and how many hands there are; made by :func:`load`."""

    data: Path
    model: Path
    model_given: bool  # named outright: then no registry is asked which model answers
    workers: int
    # Either may carry a password; empty: SQLite in the data folder.
    tracking_uri: str = field(repr=False)
    database_url: str = field(repr=False, default="")
    hosts: tuple[str, ...] = ()
    base_path: str = ""
    api_rate: str = API_RATE
    token: str = field(repr=False, default="")
    roles_file: Path | None = None
    roles_claim: str = ""
    claim_minutes: int = 60
    idle_minutes: int = 30
    session_hours: int = 12
    import_from: tuple[Path, ...] | None = None

    @property
    def roles(self) -> Path:
        """The list of people and their roles."""
        return self.roles_file or self.data / "roles.toml"


def load() -> Settings:
    """Read the settings from the environment, as it is now; a variable that is empty is not set.

    Raises
    ------
    SettingError
        Where a variable is not what it must be.
    """
    data = Path(os.environ.get("LEUKEMIA_DATA") or "data")
    model = os.environ.get("LEUKEMIA_MODEL", "")
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    return Settings(
        data=data,
        model=Path(model or SHIPPED),
        model_given=bool(model),
        workers=_whole("LEUKEMIA_WORKERS", 1, MOST_WORKERS, default=os.cpu_count() or 1),
        tracking_uri=uri,
        database_url=os.environ.get("LEUKEMIA_DATABASE_URL", ""),
        hosts=tuple(os.environ.get("LEUKEMIA_HOSTS", "").replace(",", " ").split()),
        base_path=_path("LEUKEMIA_BASE_PATH"),
        api_rate=_rate("LEUKEMIA_API_RATE"),
        token=_token(),
        roles_file=Path(os.environ["LEUKEMIA_ROLES_FILE"]) if os.environ.get("LEUKEMIA_ROLES_FILE") else None,
        roles_claim=os.environ.get("LEUKEMIA_ROLES_CLAIM", ""),
        claim_minutes=_whole("LEUKEMIA_CLAIM_MINUTES", 1, 30 * 24 * 60, default=60),
        idle_minutes=_whole("LEUKEMIA_IDLE_MINUTES", 1, 24 * 60, default=30),
        session_hours=_whole("LEUKEMIA_SESSION_HOURS", 1, 30 * 24, default=12),
        import_from=_folders("LEUKEMIA_IMPORT_FROM"),
    )


def whole_number(text: str, least: int, most: int) -> int:
    """Read a whole number within bounds; raises a ValueError whose message says what it must be."""
    must = f"must be a whole number from {least:,} to {most:,}"
    try:
        number = int(text)
    except ValueError as error:
        raise ValueError(f"{must}, not {text[:40]!r}") from error
    if not least <= number <= most:
        raise ValueError(f"{must}, not {text[:40]}")
    return number


def _rate(variable: str) -> str:
    text = os.environ.get(variable) or API_RATE
    if not re.fullmatch(r"[1-9][0-9]{0,8} per (second|minute|hour|day)", text):
        raise SettingError(
            f"The environment variable {variable} must be such as '{API_RATE}', not {text[:40]!r}."
        )
    return text


def _path(variable: str) -> str:
    """The beginning of an address: with a slash before it, and none after it; empty for none."""
    text = os.environ.get(variable, "").strip("/")
    if text and not re.fullmatch(r"[A-Za-z0-9._~/-]+", text):
        raise SettingError(f"The environment variable {variable} must be a path such as /leukemia.")
    return f"/{text}" if text else ""


def _folders(variable: str) -> tuple[Path, ...] | None:
    """Folders that are named, absolute; None where the variable is not set."""
    named = [one for one in os.environ.get(variable, "").split(os.pathsep) if one.strip()]
    return tuple(Path(one.strip()).expanduser().resolve() for one in named) or None


def _token() -> str:
    token = os.environ.get("LEUKEMIA_TOKEN", "")
    if token and not TOKEN.fullmatch(token):
        raise SettingError(
            "The environment variable LEUKEMIA_TOKEN must have 16 to 200 letters, digits, hyphens or "
            "underscores."
        )
    return token


def _whole(variable: str, least: int, most: int, default: int) -> int:
    try:
        return whole_number(os.environ.get(variable) or str(default), least, most)
    except ValueError as error:
        raise SettingError(f"The environment variable {variable} {error}.") from error
