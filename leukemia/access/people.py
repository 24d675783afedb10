"""Who has signed in so far: each person has one name on record, from the first signing in on."""

import sqlalchemy as sa

from leukemia.attribution import MAX_WHO
from leukemia.storage import database

PEOPLE = sa.Table(
    "people",
    database.METADATA,
    sa.Column("subject_sha256", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(MAX_WHO), nullable=False, unique=True),
)


def has(connection: sa.Connection, name: str) -> bool:
    """Whether somebody is on record under a name."""
    return connection.scalar(sa.select(PEOPLE.c.name).where(PEOPLE.c.name == name)) is not None
