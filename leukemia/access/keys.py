"""Keys of the REST service: who calls, in which role; made on the command line, shown once, revocable.

A key is ``leukemia_ID_SECRET``. On record is the SHA-256 of the secret, which is 32 random bytes: there is
nothing to guess, so that a slow hash would protect nothing.
"""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from leukemia.access import people, permissions
from leukemia.access.permissions import Action
from leukemia.access.users import Role, User
from leukemia.attribution import MAX_WHO, attribute, clean
from leukemia.audit import trail
from leukemia.audit.trail import Entry
from leukemia.errors import RecordsError
from leukemia.storage import database

KEYS = sa.Table(
    "api_keys",
    database.METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(MAX_WHO), nullable=False),
    sa.Column("roles", sa.String(100), nullable=False),
    sa.Column("secret_sha256", sa.String(64), nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("created_by", sa.String(MAX_WHO), nullable=False),
    sa.Column("revoked_at", sa.String(32), nullable=True),
    sa.Column("revoked_by", sa.String(MAX_WHO), nullable=True),
)
PREFIX = "leukemia"
ID_BYTES, SECRET_BYTES = 6, 32
MADE, REVOKED = "key made", "key revoked"


@dataclass(frozen=True)
class Key:
    """A key as it is on record.

    Attributes
    ----------
    id : str
        Twelve hex digits; the key itself carries them.
    name : str
        Of the program or person that holds it: what it does is on record under this name.
    roles : str
        Some of :class:`leukemia.access.users.Role`, with commas between them.
    created_at, created_by : str
        ISO 8601, UTC; and who.
    revoked_at, revoked_by : str or None
        None where it is valid.
    """

    id: str
    name: str
    roles: str
    created_at: str
    created_by: str
    revoked_at: str | None = None
    revoked_by: str | None = None

    @property
    def valid(self) -> bool:
        """Whether it was not revoked."""
        return self.revoked_at is None

    @property
    def user(self) -> User:
        """Who acts with it."""
        return User.of(self.name, f"{PREFIX} key {self.id}", map(Role, self.roles.split(", ")))


@permissions.requires(Action.MANAGE_KEYS, signed_by="who")
def add(data: Path, name: str, roles: Collection[Role], *, who: str) -> tuple[Key, str]:
    """Make a key.

    Parameters
    ----------
    data : Path
        The data folder.
    name : str
        Of whoever will hold it; no other valid key may have it, and nobody who signs in.
    roles : collection of Role
        At least one.
    who : str
        Who makes it.

    Returns
    -------
    Key, str
        The key on record, and its text, which is shown once and kept nowhere.

    Raises
    ------
    RecordsError
        Where the name is empty, too long or taken, there is no role, or nothing could be written.
    """
    holder = clean(name)
    if not holder or len(holder) > MAX_WHO:
        raise RecordsError(f"A key needs the name of its holder, of at most {MAX_WHO} characters.")
    if not roles:
        raise RecordsError(f"A key needs a role: {', '.join(Role)}.")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    given = ", ".join(role for role in Role if role in roles)
    key = Key(secrets.token_hex(ID_BYTES), holder, given, trail.now(), clean(who))
    with database.writing(data) as connection:
        if people.as_written(connection, KEYS.c.name, holder, KEYS.c.revoked_at.is_(None)):
            raise RecordsError(
                f"There is a valid key of {holder!r}. Revoke it first, or choose another name: the record of "
                "changes tells holders apart by it."
            )
        if people.has(connection, holder):
            raise RecordsError(
                f"{holder!r} is the name of a person who signs in. Choose another name: the record tells by "
                "it whose a verdict is."
            )
        connection.execute(KEYS.insert(), {**vars(key), "secret_sha256": _hash(secret)})
        trail.append(connection, [Entry(MADE, key.created_by, new=f"{holder}: {given}")])
    return key, f"{PREFIX}_{key.id}_{secret}"


@permissions.requires(Action.MANAGE_KEYS, signed_by="who")
def revoke(data: Path, name: str, *, who: str, reason: str) -> Key:
    """Make the key of a name invalid, from the next request on.

    Raises
    ------
    RecordsError
        Where there is no valid key of this name, no reason is given, or nothing could be written.
    """
    said = attribute(who, reason, RecordsError)
    with database.writing(data) as connection:
        valid = KEYS.c.revoked_at.is_(None)
        # An earlier program could make two that are written differently: each time, the first one goes.
        own = people.is_called(connection, KEYS.c.name, name, valid)
        found = sa.select(KEYS).where(own, valid).order_by(KEYS.c.created_at, KEYS.c.id)
        row = connection.execute(found).first()
        if row is None:
            raise RecordsError(f"There is no valid key of {clean(name)!r}.")
        now = {"revoked_at": trail.now(), "revoked_by": said.who}
        connection.execute(KEYS.update().where(KEYS.c.id == row.id), now)
        old = f"{row.name}: {row.roles}"
        trail.append(connection, [Entry(REVOKED, said.who, old=old, reason=said.why)])
    return _key(row, **now)


def every(data: Path) -> list[Key]:
    """All keys, the first one first; raises RecordsError where they cannot be read."""
    if database.is_absent(data):
        return []
    with database.reading(data) as connection:
        rows = connection.execute(sa.select(KEYS).order_by(KEYS.c.created_at, KEYS.c.id))
        return [_key(row) for row in rows]


def had(connection: sa.Connection, name: str) -> bool:
    """Whether a key has a name, or had it: what was done with one that was revoked stays on record."""
    return bool(people.as_written(connection, KEYS.c.name, name))


def find(data: Path, text: str) -> Key | None:
    """The valid key with this text, or None; raises RecordsError where keys cannot be read.

    How long it takes does not tell how much of a secret is right.
    """
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != PREFIX or not secret or database.is_absent(data):
        return None
    with database.reading(data) as connection:
        row = connection.execute(sa.select(KEYS).where(KEYS.c.id == key_id)).one_or_none()
    right = hmac.compare_digest(_hash(secret), row.secret_sha256 if row else "")
    return _key(row) if right and row.revoked_at is None else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: sa.Row, **changed: str) -> Key:
    columns = row._asdict()
    del columns["secret_sha256"]
    return Key(**columns | changed)
