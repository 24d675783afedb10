"""Answers that were given outside of a case; their hash stands in an entry of the trail."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, and the guard that lets it only grow."""
    op.create_table(
        "answers",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("probability", sa.Double, nullable=True),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("error", sa.String(1000), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        call = "EXECUTE FUNCTION leukemia_only_grows()"
        op.execute(f"CREATE TRIGGER answers_no_change BEFORE UPDATE OR DELETE ON answers FOR EACH ROW {call}")
        op.execute(f"CREATE TRIGGER answers_no_truncate BEFORE TRUNCATE ON answers FOR EACH STATEMENT {call}")
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER answers_no_{verb.lower()} BEFORE {verb} ON answers "
            "BEGIN SELECT RAISE(ABORT, 'this record only grows'); END"
        )
