"""PostgreSQL is restarted while readers give verdicts: each is saved once, as the browser sends it again."""

import threading
import time
from collections import Counter

import sqlalchemy as sa

from leukemia.audit import verify
from leukemia.cases import cells, verdicts
from leukemia.cases.tables import READINGS
from leukemia.errors import RecordsUnavailableError
from leukemia.storage import database
from tests.support.case_factory import make_case

# Of a case, those with a picture.
READERS, CELLS, ENOUGH = 6, 4, 40
PATIENCE = 300  # seconds


class Reader(threading.Thread):
    """Gives one verdict after another; sends one that was not saved again, under the same key."""

    def __init__(self, name, data, case_id, over):
        super().__init__()
        self.reader, self.data, self.case_id, self.over = name, data, case_id, over
        self.saved, self.refused, self.last = [], [], {}

    def run(self):
        number = 0
        while not self.over.is_set():
            cell, verdict = number % CELLS + 1, verdicts.VERDICTS[number % 3]
            key = f"{self.reader}-{number}"
            until(lambda cell=cell, verdict=verdict, key=key: self.give(cell, verdict, key))
            self.saved.append(key)
            self.last[cell] = verdict
            number += 1

    def give(self, cell, verdict, key):
        try:
            verdicts.give(self.data, self.case_id, [cell], verdict, reader=self.reader, key=key)
        except RecordsUnavailableError as error:
            self.refused.append(str(error))
            return False
        return True


def until(holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_restart_under_load_loses_no_verdict_and_doubles_none(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATABASE_URL", postgres.new_database())
    case, over = make_case(tmp_path), threading.Event()
    readers = [Reader(f"Reader {n}", tmp_path, case.id, over) for n in range(READERS)]
    for one in readers:
        one.start()
    try:
        until(lambda: all(len(one.saved) >= 3 for one in readers))
        # Not in order: connections are cut in the middle of what they do.
        postgres.stop()
        postgres.start()
        before = sum(len(one.saved) for one in readers)
        until(lambda: sum(len(one.saved) for one in readers) >= before + ENOUGH)
    finally:
        over.set()
        for one in readers:
            one.join()
    refused = [said for one in readers for said in one.refused]
    assert refused and all(said.startswith("Nothing was saved.") for said in refused)
    with database.reading(tmp_path) as connection:
        there = Counter(connection.scalars(sa.select(READINGS.c.key).where(READINGS.c.key.is_not(None))))
    assert there == Counter(key for one in readers for key in one.saved)
    found = cells.cells(tmp_path, case.id)
    for one in readers:
        assert one.last == {cell.number: cell.by(one.reader).verdict for cell in found if cell.by(one.reader)}
    assert verify.verify(tmp_path).is_whole
