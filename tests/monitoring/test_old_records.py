"""Records made before the colours of cells were kept: nothing of them is lost, and they are monitored."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from leukemia.cases import tables
from leukemia.monitoring import recent
from leukemia.storage import database, databases
from leukemia.storage.workspace import Workspace
from tests.support.monitoring_factory import add_cases, record


def test_cells_of_older_records_are_kept_and_have_no_colours(tmp_path, data):
    bundle = record(tmp_path / "bundle", data)
    add_cases(tmp_path / "new", bundle, 2, cells=3)
    file = Workspace(data).records
    engine = sa.create_engine(databases.url(file))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(database.MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        with database.reading(tmp_path / "new") as there:
            for table in (tables.CASES, tables.CELLS):
                names = {one["name"] for one in sa.inspect(connection).get_columns(table.name)}
                found = there.execute(sa.select(table)).mappings()
                rows = [{name: row[name] for name in names} for row in found]
                connection.execute(table.insert(), rows)
        assert not sa.inspect(connection).has_table("appearances")
    engine.dispose()
    found = recent.cells(data)
    assert found.table["cell_area"].notna().all()
    assert len(found.table) == 6
    assert found.table["hue"].isna().all()
    (new,) = add_cases(data, bundle, 1, seed=2, cells=3)
    table = recent.cells(data).table
    assert table.loc[table["case_id"] == new, "hue"].notna().all()
