"""The tables of cases, as the migrations make them."""

import sqlalchemy as sa

from leukemia.storage.database import METADATA

_NUMBER = {"primary_key": True, "autoincrement": False}

CASES = sa.Table(
    "cases",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("identifier", sa.String(200), nullable=False, unique=True),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("created_by", sa.String(200), nullable=False),
    *(sa.Column(name, sa.Boolean, nullable=False) for name in ("blind", "hide_model", "keep_names")),
    # Number and time of the last entry of the trail about it.
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("changed_at", sa.String(32), nullable=False),
    sa.Column("signed_at", sa.String(32), nullable=True),
    sa.Column("signed_by", sa.String(200), nullable=True),
    sa.Column("signed_meaning", sa.String(2000), nullable=True),
)
_WITH_PICTURE = sa.text("image_id <> '' AND removed_at IS NULL")
CELLS = sa.Table(
    "cells",
    METADATA,
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), primary_key=True),
    sa.Column("number", sa.Integer, **_NUMBER),
    sa.Column("image_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(300), nullable=False),
    sa.Column("drawn", sa.Boolean, nullable=False),
    sa.Column("model", sa.String(200), nullable=False),
    sa.Column("version", sa.Integer, nullable=True),
    sa.Column("record_sha256", sa.String(64), nullable=False),
    *(sa.Column(name, sa.Double, nullable=False) for name in ("threshold", "low", "high")),
    sa.Column("probability", sa.Double, nullable=True),
    sa.Column("decision", sa.String(20), nullable=False),
    sa.Column("error", sa.String(1000), nullable=False),
    sa.Column("distance", sa.Double, nullable=True),
    sa.Column("area", sa.Integer, nullable=False),
    sa.Column("note", sa.String(1000), nullable=False),
    sa.Column("input_size", sa.Integer, nullable=False),
    sa.Column("pixel_size", sa.Double, nullable=False),
    sa.Column("answered_at", sa.String(32), nullable=False),
    # What follows from readings and settlements; written with them.
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("verdict", sa.String(20), nullable=False),
    # Of a cell of a field that was removed, or replaced, by hand: it stays on record and counts nowhere.
    sa.Column("removed_at", sa.String(32), nullable=True),
    sa.Column("removed_by", sa.String(200), nullable=True),
    # Whether its file was compressed with loss; of cells from before this was kept, it is not known.
    sa.Column("lossy", sa.Boolean, nullable=True),
    sa.Index(
        "cell_once",
        "case_id",
        "image_id",
        unique=True,
        sqlite_where=_WITH_PICTURE,
        postgresql_where=_WITH_PICTURE,
    ),
    sa.Index("cells_of_image", "image_id"),
    # All that the worklist counts.
    sa.Index("cells_by_state", "case_id", "removed_at", "status", "decision"),
)
# Of a cell that was not removed by hand.
STANDS = CELLS.c.removed_at.is_(None)
PICTURES = sa.Table(
    "pictures",
    METADATA,
    sa.Column("case_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, **_NUMBER),
    sa.Column("picture", sa.LargeBinary, nullable=False),
    sa.Column("thumbnail", sa.LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["case_id", "number"], ["cells.case_id", "cells.number"]),
)
# Measured once, as a cell enters a case; those that entered before this table was made have no row.
APPEARANCES = sa.Table(
    "appearances",
    METADATA,
    sa.Column("case_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, **_NUMBER),
    *(
        sa.Column(name, sa.Double, nullable=False)
        for name in ("hue", "saturation", "brightness", "sharpness")
    ),
    sa.ForeignKeyConstraint(["case_id", "number"], ["cells.case_id", "cells.number"]),
)
# Fields of a smear that cells were found in, and where in them each lies; in pixels of the field.
FIELDS = sa.Table(
    "fields",
    METADATA,
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, **_NUMBER),
    sa.Column("image_id", sa.String(64), nullable=False),
    sa.Column("name", sa.String(300), nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("note", sa.String(1000), nullable=False),
    sa.Column("picture", sa.LargeBinary, nullable=False),
    # With which a cell of it can be answered later; fields that were added before this was kept have none.
    sa.Column("pixel_size", sa.Double, nullable=True),
    sa.Column("scale_origin", sa.String(200), nullable=True),
    sa.Column("scale_known", sa.Boolean, nullable=True),
    sa.Column("lossy", sa.Boolean, nullable=True),
    sa.UniqueConstraint("case_id", "image_id", name="field_once"),
)
PLACES = sa.Table(
    "places",
    METADATA,
    sa.Column("case_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, **_NUMBER),
    sa.Column("field", sa.Integer, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    *(sa.Column(name, sa.Double, nullable=False) for name in ("x", "y", "width", "height", "confidence")),
    sa.Column("edge", sa.Boolean, nullable=False),
    sa.Column("ring", sa.Text, nullable=False),  # JSON
    # Whether the cell was outlined by hand: its confidence is then none, and stands as 0.
    sa.Column("by_hand", sa.Boolean, nullable=True),
    sa.ForeignKeyConstraint(["case_id", "number"], ["cells.case_id", "cells.number"]),
    sa.ForeignKeyConstraint(["case_id", "field"], ["fields.case_id", "fields.number"]),
)
# Changes of a field by hand. It only grows; its numbers are those of the trail's entries.
FIELD_CHANGES = sa.Table(
    "field_changes",
    METADATA,
    sa.Column("number", sa.Integer, **_NUMBER),
    sa.Column("case_id", sa.Integer, nullable=False),
    sa.Column("field", sa.Integer, nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("removed", sa.Integer, nullable=True),  # a cell
    sa.Column("added", sa.Integer, nullable=True),  # a cell
    sa.Column("undoes", sa.Integer, nullable=True),  # a change
    sa.ForeignKeyConstraint(["case_id", "field"], ["fields.case_id", "fields.number"]),
    sa.Index("changes_of_field", "case_id", "field", "number"),
)
# Of cells that were answered with their stain matched; own and target are JSON.
STAINS = sa.Table(
    "stains",
    METADATA,
    sa.Column("case_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, **_NUMBER),
    sa.Column("distance_before", sa.Double, nullable=False),
    sa.Column("distance_limit", sa.Double, nullable=False),
    sa.Column("own", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["case_id", "number"], ["cells.case_id", "cells.number"]),
)
# Both only grow. Their numbers are those of the trail's entries: one order for all of them.
READINGS = sa.Table(
    "readings",
    METADATA,
    sa.Column("number", sa.Integer, **_NUMBER),
    sa.Column("case_id", sa.Integer, nullable=False),
    sa.Column("cell", sa.Integer, nullable=False),
    sa.Column("reader", sa.String(200), nullable=False),
    sa.Column("verdict", sa.String(20), nullable=False),  # empty: none any more
    sa.Column("reason", sa.String(2000), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.Column("act", sa.Integer, nullable=False),  # the first number of those given, and undone, at once
    sa.Column("undoes", sa.Integer, nullable=True),  # an act
    sa.Column("key", sa.String(64), nullable=True),
    sa.ForeignKeyConstraint(["case_id", "cell"], ["cells.case_id", "cells.number"]),
    sa.Index("readings_of_cell", "case_id", "cell", "number"),
    sa.Index("readings_of_reader", "case_id", "reader", "number"),
    sa.Index("reading_once", "key", "case_id", "cell", unique=True),
)
# What readers did by the key under which it was sent, also where it changed nothing; and what it was.
ACTS = sa.Table(
    "acts",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("case_id", sa.Integer, sa.ForeignKey("cases.id"), primary_key=True, autoincrement=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)
SETTLEMENTS = sa.Table(
    "settlements",
    METADATA,
    sa.Column("number", sa.Integer, **_NUMBER),
    sa.Column("case_id", sa.Integer, nullable=False),
    sa.Column("cell", sa.Integer, nullable=False),
    sa.Column("verdict", sa.String(20), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("reason", sa.String(2000), nullable=False),
    sa.Column("at", sa.String(32), nullable=False),
    sa.ForeignKeyConstraint(["case_id", "cell"], ["cells.case_id", "cells.number"]),
    sa.Index("settlements_of_cell", "case_id", "cell", "number"),
)
