"""Fields of a smear that cells of a case were found in, and where in them each cell lies."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "fields",
        sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("picture", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("case_id", "image_id", name="field_once"),
    )
    op.create_table(
        "places",
        sa.Column("case_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("field", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("x", sa.Double, nullable=False),
        sa.Column("y", sa.Double, nullable=False),
        sa.Column("width", sa.Double, nullable=False),
        sa.Column("height", sa.Double, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("edge", sa.Boolean, nullable=False),
        sa.Column("ring", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["case_id", "number"], ["cells.case_id", "cells.number"]),
        sa.ForeignKeyConstraint(["case_id", "field"], ["fields.case_id", "fields.number"]),
    )
