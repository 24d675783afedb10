"""Whether the file of a cell was compressed with loss: it then cannot be told if a model learned from it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; of cells that are there already it is not known."""
    op.add_column("cells", sa.Column("lossy", sa.Boolean, nullable=True))
