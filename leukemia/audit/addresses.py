"""Addresses of databases and servers as they may be written down: without a password.

They are read as the program that connects reads them. Where a part of a password may have been taken for
something else, such as a host, only the kind of address is kept.
"""

import re
from urllib.parse import urlsplit

import sqlalchemy as sa

HIDDEN = "…"
NAME = re.compile(r"[\w.+-]*")
HOST = re.compile(r"(?:\[[\w.:%]*\])?[\w.:-]*")
# What looks like a query, in front of an @ that may be its own.
QUERY = re.compile(r"\?\w+=")
# A folder, or a word of MLflow's such as databricks.
FOLDER = re.compile(r"(?:[A-Za-z]:|file:)?[^@:=?]*")


def without_secrets(address: str) -> str:
    """An address without password, token or query; of a database, the user's name stays."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address if FOLDER.fullmatch(address) else HIDDEN
    if not re.fullmatch(r"[\w.+-]+", scheme):
        return HIDDEN
    if scheme.startswith("sqlite"):
        shown = _of_file(rest)
    elif scheme in ("http", "https", "file") or scheme.startswith("databricks"):
        shown = _of_server(address)
    else:
        shown = _of_database(address)
    return f"{scheme}://{HIDDEN if shown is None else shown}"


def _of_file(rest: str) -> str | None:
    return rest.partition("?")[0] if rest.startswith("/") else None


def _of_server(address: str) -> str | None:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2]
    after = address.partition("://")[2].removeprefix(parts.netloc)
    # Of a password with / ? or # the rest stands behind what is taken for the host.
    if "@" in after or not HOST.fullmatch(host) or (port is None and host.endswith(":")):
        return None
    return f"{host}{parts.path}"


def _of_database(address: str) -> str | None:
    try:
        url = sa.make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        return None
    login = "@" in address
    # A login without its host is taken for host and port.
    if address.count("@") > 1 or not (login or url.database or url.port is None):
        return None
    user, host, database = url.username or "", url.host or "", url.database
    if not (NAME.fullmatch(user) and HOST.fullmatch(host)) or "@" in (database or ""):
        return None
    if QUERY.search(url.password or ""):
        return None
    shown = f"{user}@" * login + (f"[{host}]" if ":" in host else host)
    return f"{shown}{'' if url.port is None else f':{url.port}'}{'' if database is None else f'/{database}'}"
