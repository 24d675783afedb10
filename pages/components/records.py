"""The records' database as pages get it: a connection of Streamlit over the engine that the package opens."""

import hashlib
from pathlib import Path

import sqlalchemy as sa
import streamlit as st
from streamlit.connections import BaseConnection

from leukemia import settings
from leukemia.storage import database

NAME = "records"


class Records(BaseConnection[sa.Engine]):
    """The records of a data folder. Its engine is the package's own: there is no second pool beside it."""

    def _connect(self, *, data: str, database_sha256: str) -> sa.Engine:
        return database.engine(Path(data))

    @property
    def engine(self) -> sa.Engine:
        """The engine."""
        return self._instance

    @property
    def data(self) -> Path:
        """The data folder, by which functions of the package find the same engine."""
        return Path(self._kwargs["data"])


def connection() -> Records:
    """The connection for the settings as they are now; raises SettingError where they name no database."""
    data = settings.load().data
    # The address tells one database from another, and may carry a password: its hash does as well.
    address = hashlib.sha256(database.address(data).encode()).hexdigest()
    return st.connection(NAME, type=Records, data=str(data), database_sha256=address)


def data() -> Path:
    """The data folder whose records pages read and write, with the connection to them."""
    return connection().data
