"""The token that the dashboard's address carries where nobody signs in: without it, it answers nobody.

Other users of the machine can reach the port, and must get nothing.
"""

import contextlib
import hashlib
import hmac
import logging
import os
import secrets
import stat
from pathlib import Path

from leukemia import settings
from leukemia.storage.private import make_folder
from leukemia.storage.workspace import Workspace

_log = logging.getLogger(__name__)


class Token:
    """A token, and what a browser keeps in its place.

    Attributes
    ----------
    text : str
        As it stands in the address.
    cookie : str
        Made of it; the token cannot be told from it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.cookie = hmac.new(text.encode(), b"cookie of the dashboard", hashlib.sha256).hexdigest()

    def is_text(self, given: str) -> bool:
        """Whether something given is the token; it takes as long whatever is given."""
        return hmac.compare_digest(given.encode(errors="replace"), self.text.encode())

    def is_cookie(self, given: str) -> bool:
        """Whether something given is the cookie; it takes as long whatever is given."""
        return hmac.compare_digest(given.encode(errors="replace"), self.cookie.encode())


def of(data: Path, given: str = "") -> Token:
    """The token that was given, or the one of a data folder, made at its first start.

    It stays the same over restarts, so that an open page goes on afterwards, and lies in a file that only
    the account that runs the dashboard can read. Whoever deletes the file has another one at the next start.
    Where there is no such file to be had, the token lasts as long as this process.

    Parameters
    ----------
    data : Path
        The data folder; made where it is missing.
    given : str, optional
        As :func:`leukemia.settings.load` has checked it.
    """
    if given:
        return Token(given)
    file = Workspace(data).access_token
    try:
        return Token(_read(file) or _write(file))
    except OSError as error:
        _log.info("The token of this start is not kept: %s", error)
        return Token(secrets.token_urlsafe(32))


def _read(file: Path) -> str:
    """What is in the file; empty where it is missing, damaged, or was ever open to others."""
    with contextlib.suppress(FileNotFoundError):
        if _is_private(file.lstat()):
            text = file.read_text(encoding="ascii", errors="replace").strip()
            return text if settings.TOKEN.fullmatch(text) else ""
    return ""


def _write(file: Path) -> str:
    make_folder(file.parent)
    file.unlink(missing_ok=True)
    text = secrets.token_urlsafe(32)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        # Another start of the same moment was faster.
        return _read(file) or text
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(text)
    if not _is_private(file.lstat()):
        file.unlink()
    return text


def _is_private(found: os.stat_result) -> bool:
    """Whether only this account can read it; on Windows, a folder's own rights decide."""
    if os.name != "posix":
        return True
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
