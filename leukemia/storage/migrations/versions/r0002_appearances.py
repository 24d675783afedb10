"""What is measured of a cell's picture when it enters a case: colours and sharpness, for monitoring.

Cells that were in a case before have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "appearances",
        sa.Column("case_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("hue", sa.Double, nullable=False),
        sa.Column("saturation", sa.Double, nullable=False),
        sa.Column("brightness", sa.Double, nullable=False),
        sa.Column("sharpness", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["case_id", "number"], ["cells.case_id", "cells.number"]),
    )
