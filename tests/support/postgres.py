"""A real PostgreSQL of our own, and the records on it: fixtures for a conftest to import."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

# PostgreSQL refuses to run as root; Debian's package makes this user.
USER = "postgres"
# It asks for one, as a house's does; in an address, its sign is written as such.
PASSWORD, WRITTEN = "of the tests#1", "of%20the%20tests%231"


class Postgres(NamedTuple):
    """How to run ``pg_ctl`` on it, its port, the options that it was started with, its folder."""

    pg_ctl: object
    port: int
    options: str
    folder: Path

    def url(self, database="postgres"):
        return f"postgresql://leukemia:{WRITTEN}@127.0.0.1:{self.port}/{database}"

    def new_database(self):
        """Make an empty database; returns its URL."""
        name = f"records_{uuid.uuid4().hex[:12]}"
        engine = sa.create_engine(self.url().replace("://", "+psycopg2://"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self.url(name)

    def stop(self):
        self.pg_ctl("-m", "immediate", "stop")

    def start(self):
        self.pg_ctl("-w", "-t", "240", "-l", self.folder / "log.txt", "-o", self.options, "start")


def programs():
    """Folder of initdb and pg_ctl, or None."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if named := shutil.which("initdb"):
        found.append(Path(named).resolve())
    return found[0].parent if found else None


def why_not():
    """Why there can be none here; empty where there can."""
    if programs() is None:
        return "no PostgreSQL here: install Debian's package postgresql"
    if os.geteuid() == 0 and not _known(USER):
        return f"PostgreSQL does not run as root, and there is no user {USER}"
    return ""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(*, fsync=False):
    """Start one on a free port, and remove it in the end; with ``fsync``, a commit is on disk as usual."""
    # pytest's folders are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="leukemia-postgres-", dir="/tmp"))
    asked = folder / "password"
    asked.write_text(PASSWORD)
    other = {}
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
        other = {"user": USER, "group": _known(USER).pw_gid, "extra_groups": []}
    where, port = programs(), free_port()

    def run(program, *arguments, check=True):
        subprocess.run(
            [where / program, "-D", folder / "db", *arguments],
            check=check,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            timeout=300,
            **other,
        )

    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync={'on' if fsync else 'off'}"
    server = Postgres(lambda *arguments: run("pg_ctl", *arguments), port, options, folder)
    try:
        run("initdb", "-U", "leukemia", "-A", "scram-sha-256", "--pwfile", asked, "-E", "UTF8", "--no-sync")
        server.start()
        yield server
    finally:
        run("pg_ctl", "-m", "immediate", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def postgres():
    """A PostgreSQL of our own; see :class:`Postgres`."""
    if reason := why_not():
        pytest.skip(reason)
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.process)])
def records(request, tmp_path, monkeypatch):
    """A data folder whose records lie in SQLite, then one whose records lie in PostgreSQL."""
    if request.param == "sqlite":
        monkeypatch.delenv("LEUKEMIA_DATABASE_URL", raising=False)
    else:
        monkeypatch.setenv("LEUKEMIA_DATABASE_URL", request.getfixturevalue("postgres").new_database())
    return tmp_path


def _known(user):
    import pwd

    try:
        return pwd.getpwnam(user)
    except KeyError:
        return None
