"""The trail, corrected labels, cases with their cells and verdicts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Tables whose rows are never changed or removed.
GROWING = ("trail", "corrections", "readings", "settlements")


def upgrade() -> None:
    """Make all tables, and the guards of those that only grow."""
    _trail()
    _corrections()
    _cases()
    _readings()
    guard = _guard_postgresql if op.get_bind().dialect.name == "postgresql" else _guard_sqlite
    guard()


def _trail() -> None:
    op.create_table(
        "trail",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("case_id", sa.Integer, nullable=True),
        sa.Column("cell", sa.Integer, nullable=True),
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("version", sa.String(200), nullable=False),
        sa.Column("record_sha256", sa.String(64), nullable=False),
        sa.Column("threshold", sa.Double, nullable=True),
        sa.Column("low", sa.Double, nullable=True),
        sa.Column("high", sa.Double, nullable=True),
        sa.Column("probability", sa.Double, nullable=True),
        sa.Column("old", sa.Text, nullable=False),
        sa.Column("new", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("key", sa.String(300), nullable=True),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("trail_of_case", "trail", ["case_id", "number"])
    op.create_index("trail_of_event", "trail", ["event", "number"])
    op.create_index("trail_key", "trail", ["key"], unique=True)
    head = op.create_table(
        "trail_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.bulk_insert(head, [{"id": 1, "count": 0, "hash": "0" * 64}])


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("original", sa.String(8), nullable=False),
        sa.Column("old", sa.String(8), nullable=False),
        sa.Column("new", sa.String(8), nullable=False),
        sa.Column("undoes", sa.Integer, nullable=True),
    )
    op.create_index("corrections_of_image", "corrections", ["image_id", "number"])


def _cases() -> None:
    op.create_table(
        "cases",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("identifier", sa.String(200), nullable=False, unique=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("created_by", sa.String(200), nullable=False),
        sa.Column("blind", sa.Boolean, nullable=False),
        sa.Column("hide_model", sa.Boolean, nullable=False),
        sa.Column("keep_names", sa.Boolean, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.String(32), nullable=False),
        sa.Column("signed_at", sa.String(32), nullable=True),
        sa.Column("signed_by", sa.String(200), nullable=True),
        sa.Column("signed_meaning", sa.String(2000), nullable=True),
    )
    op.create_table(
        "cells",
        sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("image_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("drawn", sa.Boolean, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("version", sa.Integer, nullable=True),
        sa.Column("record_sha256", sa.String(64), nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("low", sa.Double, nullable=False),
        sa.Column("high", sa.Double, nullable=False),
        sa.Column("probability", sa.Double, nullable=True),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("error", sa.String(1000), nullable=False),
        sa.Column("distance", sa.Double, nullable=True),
        sa.Column("area", sa.Integer, nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("input_size", sa.Integer, nullable=False),
        sa.Column("pixel_size", sa.Double, nullable=False),
        sa.Column("answered_at", sa.String(32), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
    )
    given = sa.text("image_id <> ''")
    op.create_index(
        "cell_once", "cells", ["case_id", "image_id"], unique=True, sqlite_where=given, postgresql_where=given
    )
    op.create_index("cells_of_image", "cells", ["image_id"])
    op.create_index("cells_by_state", "cells", ["case_id", "status", "decision"])
    op.create_table(
        "pictures",
        sa.Column("case_id", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("picture", sa.LargeBinary, nullable=False),
        sa.Column("thumbnail", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(["case_id", "number"], ["cells.case_id", "cells.number"]),
    )


def _readings() -> None:
    op.create_table(
        "readings",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("case_id", sa.Integer, nullable=False),
        sa.Column("cell", sa.Integer, nullable=False),
        sa.Column("reader", sa.String(200), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("act", sa.Integer, nullable=False),
        sa.Column("undoes", sa.Integer, nullable=True),
        sa.Column("key", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(["case_id", "cell"], ["cells.case_id", "cells.number"]),
    )
    op.create_index("readings_of_cell", "readings", ["case_id", "cell", "number"])
    op.create_index("readings_of_reader", "readings", ["case_id", "reader", "number"])
    op.create_index("reading_once", "readings", ["key", "case_id", "cell"], unique=True)
    op.create_table(
        "settlements",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("case_id", sa.Integer, nullable=False),
        sa.Column("cell", sa.Integer, nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["case_id", "cell"], ["cells.case_id", "cells.number"]),
    )
    op.create_index("settlements_of_cell", "settlements", ["case_id", "cell", "number"])


def _guard_sqlite() -> None:
    refuse = "SELECT RAISE(ABORT, 'this record only grows')"
    for table in GROWING:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} BEGIN {refuse}; END"
            )
    op.execute(f"CREATE TRIGGER trail_head_no_delete BEFORE DELETE ON trail_head BEGIN {refuse}; END")
    op.execute(
        "CREATE TRIGGER trail_head_grows BEFORE UPDATE ON trail_head "
        f"WHEN NEW.count <= OLD.count BEGIN {refuse}; END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION leukemia_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'this record only grows'; END $$"
    )
    call = "EXECUTE FUNCTION leukemia_only_grows()"
    for table in (*GROWING, "trail_head"):
        verbs = "DELETE" if table == "trail_head" else "UPDATE OR DELETE"
        op.execute(f"CREATE TRIGGER {table}_no_change BEFORE {verbs} ON {table} FOR EACH ROW {call}")
        op.execute(f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {call}")
    op.execute(
        "CREATE TRIGGER trail_head_grows BEFORE UPDATE ON trail_head FOR EACH ROW "
        f"WHEN (NEW.count <= OLD.count) {call}"
    )
