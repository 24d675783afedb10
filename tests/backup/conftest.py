"""Records in SQLite and in PostgreSQL."""

from tests.support.postgres import postgres, records  # noqa: F401
