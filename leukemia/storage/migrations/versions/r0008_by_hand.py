"""Fields of a case are corrected by hand: what cells are answered with later, and who removed which."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ONCE = sa.text("image_id <> '' AND removed_at IS NULL")


def upgrade() -> None:
    """Add the columns, the table, and what keeps a cell that was removed from being counted."""
    op.add_column("cells", sa.Column("removed_at", sa.String(32), nullable=True))
    op.add_column("cells", sa.Column("removed_by", sa.String(200), nullable=True))
    op.drop_index("cell_once", "cells")
    op.create_index(
        "cell_once",
        "cells",
        ["case_id", "image_id"],
        unique=True,
        sqlite_where=ONCE,
        postgresql_where=ONCE,
    )
    op.drop_index("cells_by_state", "cells")
    op.create_index("cells_by_state", "cells", ["case_id", "removed_at", "status", "decision"])
    op.add_column("fields", sa.Column("pixel_size", sa.Double, nullable=True))
    op.add_column("fields", sa.Column("scale_origin", sa.String(200), nullable=True))
    op.add_column("fields", sa.Column("scale_known", sa.Boolean, nullable=True))
    op.add_column("fields", sa.Column("lossy", sa.Boolean, nullable=True))
    op.add_column("places", sa.Column("by_hand", sa.Boolean, nullable=True))
    op.create_table(
        "field_changes",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("case_id", sa.Integer, nullable=False),
        sa.Column("field", sa.Integer, nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("removed", sa.Integer, nullable=True),
        sa.Column("added", sa.Integer, nullable=True),
        sa.Column("undoes", sa.Integer, nullable=True),
        sa.ForeignKeyConstraint(["case_id", "field"], ["fields.case_id", "fields.number"]),
    )
    op.create_index("changes_of_field", "field_changes", ["case_id", "field", "number"])
    if op.get_bind().dialect.name == "postgresql":
        call = "EXECUTE FUNCTION leukemia_only_grows()"
        made = "CREATE TRIGGER field_changes_no"
        op.execute(f"{made}_change BEFORE UPDATE OR DELETE ON field_changes FOR EACH ROW {call}")
        op.execute(f"{made}_truncate BEFORE TRUNCATE ON field_changes FOR EACH STATEMENT {call}")
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER field_changes_no_{verb.lower()} BEFORE {verb} ON field_changes "
            "BEGIN SELECT RAISE(ABORT, 'this record only grows'); END"
        )
