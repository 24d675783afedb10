"""Records in SQLite and in PostgreSQL, and a data folder with something of each kind."""

from tests.support.backed_up import data, empty_again  # noqa: F401
from tests.support.postgres import postgres, records  # noqa: F401
