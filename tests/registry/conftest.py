"""A PostgreSQL of our own."""

from tests.support.postgres import postgres  # noqa: F401
