"""Who has signed in so far: each person has one name on record, from the first signing in on."""

import sqlalchemy as sa

from leukemia.attribution import MAX_WHO, clean
from leukemia.storage import database

PEOPLE = sa.Table(
    "people",
    database.METADATA,
    sa.Column("subject_sha256", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(MAX_WHO), nullable=False, unique=True),
)


def has(connection: sa.Connection, name: str) -> bool:
    """Whether somebody is on record under a name."""
    return bool(as_written(connection, PEOPLE.c.name, name))


def as_written(
    connection: sa.Connection,
    column: sa.ColumnElement[str],
    name: str,
    within: sa.ColumnElement[bool] | None = None,
) -> list[str]:
    """All ways in which a column of names has one name.

    Earlier programs kept letters as they were typed, unlike :func:`leukemia.attribution.clean`, and what is
    on record stays.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    column : sqlalchemy.ColumnElement
    name : str
    within : sqlalchemy.ColumnElement, optional
        Which rows count; all, by default.
    """
    there = sa.select(column).where(sa.true() if within is None else within).distinct()
    kept = clean(name)
    return [one for one in connection.scalars(there) if clean(one) == kept]


def is_called(
    connection: sa.Connection,
    column: sa.ColumnElement[str],
    name: str,
    within: sa.ColumnElement[bool] | None = None,
) -> sa.ColumnElement[bool]:
    """The condition that a column of names has one name, in whatever way; as :func:`as_written`."""
    return column.in_(as_written(connection, column, name, within))
