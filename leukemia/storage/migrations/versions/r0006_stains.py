"""Cells of a case that were answered with their stain matched, and how."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "stains",
        sa.Column("case_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("distance_before", sa.Double, nullable=False),
        sa.Column("distance_limit", sa.Double, nullable=False),
        sa.Column("own", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["case_id", "number"], ["cells.case_id", "cells.number"]),
    )
