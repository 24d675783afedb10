"""Signed-in sessions, and the names of those who signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("began", sa.Double, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
    )
    op.create_table(
        "people",
        sa.Column("subject_sha256", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
    )
