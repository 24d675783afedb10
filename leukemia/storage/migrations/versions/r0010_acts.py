"""What readers did by the keys under which it was sent: once each, also where it changed nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "acts",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("case_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
    )
