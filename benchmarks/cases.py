"""How long a case takes to open and a verdict to be saved; and whether many readers at once lose any.

    python -m benchmarks.cases [--cells 500] [--seconds 300] [--readers 20] [--rate 10]

Cases of drawn cells, in SQLite and in a PostgreSQL that is started here: opened with all cells, their
counts and small pictures; then verdicts one after another. Last, so many readers on PostgreSQL, in two
processes as on two servers, give so many verdicts a second for so long; every tenth is sent twice, as after a
lost connection. With ``--seconds 0`` that is left out.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from leukemia.audit import verify
from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cases import cells, signing, summary, verdicts, worklist
from leukemia.cases.tables import READINGS
from leukemia.dataset.synthetic import sample_writer
from leukemia.imaging.cell import crop_cell, measure_cell
from leukemia.inference.answer import Answer, Source
from leukemia.inference.batch import Batch, Item, Result
from leukemia.inference.classifier import Classifier
from leukemia.settings import SHIPPED
from leukemia.storage import database
from leukemia.storage.workspace import Workspace
from tests.support import postgres

OPEN_LIMIT, VERDICT_LIMIT = 1_000, 50  # ms
VERDICTS, DRAWN, PAGE, TIMES = 300, 10, 60, 9
PROCESSES = 2
AGAIN = 10


class Given(NamedTuple):
    """One verdict: its key, how long it took, why it was not saved, how late it began; in milliseconds."""

    key: str
    taken: float
    why: str
    late: float


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, default in (("cells", 500), ("seconds", 300), ("readers", 20), ("rate", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; cases of {options.cells} cells\n")
    bundle = bundles.read(SHIPPED)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.pop("LEUKEMIA_DATABASE_URL", None)
        results = answered_cells(bundle, options.cells)
        _one_reader("SQLite", Path(scratch), bundle, results)
        if reason := postgres.why_not():
            print(f"PostgreSQL is left out: {reason}")
            return
        with postgres.running(fsync=True) as server:
            os.environ["LEUKEMIA_DATABASE_URL"] = server.new_database()
            case_id = _one_reader("PostgreSQL", Path(scratch), bundle, results)
            if options.seconds:
                _many_readers(Path(scratch), case_id, options)


def _one_reader(where: str, data: Path, bundle: bundles.Bundle, results: list[Result]) -> int:
    case = cases.create(data, "P-1", who="Ada")
    began = time.perf_counter()
    cells.add(data, case.id, results, bundle, bundle.operating_point, who="Ada")
    print(f"{where}: {len(results)} cells added in {time.perf_counter() - began:.1f} s")
    if where == "SQLite":
        print(f"  {Workspace(data).records.stat().st_size / 1e6:.0f} MB on disk before the log is emptied")
    _row("open: cells, counts, what is missing", TIMES, OPEN_LIMIT, lambda _: _open(data, case.id))
    _row(
        f"{PAGE} small pictures",
        TIMES,
        OPEN_LIMIT,
        lambda _: cells.thumbnails(data, case.id, range(1, PAGE + 1)),
    )
    _row("one picture, large", TIMES, OPEN_LIMIT, lambda number: cells.picture(data, case.id, number + 1))
    _row("a verdict", VERDICTS, VERDICT_LIMIT, partial(_give, data, case.id, "Ada", len(results)))
    _row("100 verdicts at once", TIMES, OPEN_LIMIT, partial(_give_many, data, case.id))
    _row("the worklist", TIMES, OPEN_LIMIT, lambda _: worklist.worklist(data))
    return case.id


def _open(data: Path, case_id: int) -> None:
    found = cells.cells(data, case_id, reader="Ada")
    summary.summarise(found)
    signing.missing(found, cases.find(data, case_id))


def _give(data: Path, case_id: int, reader: str, count: int, number: int) -> None:
    verdict = verdicts.VERDICTS[(number // count + number) % 3]
    verdicts.give(data, case_id, [number % count + 1], verdict, reader=reader)


def _give_many(data: Path, case_id: int, number: int) -> None:
    verdicts.give(data, case_id, range(1, 101), verdicts.VERDICTS[number % 3], reader="Ben")


def _row(what: str, times: int, limit: int, work: Callable[[int], object]) -> None:
    taken = []
    for number in range(times):
        began = time.perf_counter()
        work(number)
        taken.append(1_000 * (time.perf_counter() - began))
    print(f"  {what:40}{_spread(taken)}; limit {limit}")


def _spread(taken: list[float]) -> str:
    p95 = np.percentile(taken, 95)
    return f"{statistics.median(taken):7.1f} ms (first {taken[0]:.0f}, p95 {p95:.1f}, worst {max(taken):.0f})"


def answered_cells(bundle: bundles.Bundle, count: int) -> list[Result]:
    """Answered cells: a few drawn ones, as the classifier gives them, in copies with ids of their own."""
    rng = np.random.default_rng(0)
    batch = Batch(picture=cells.PICTURE)
    drawn = [sample_writer.draw_cell(rng, ("ALL", "Normal")[n % 2]) for n in range(DRAWN)]
    files = [sample_writer.encode(pixels, "PNG") for pixels in drawn]
    batch.add(Item(str(n), Source(f"{n}.png", lambda n=n: files[n])) for n in range(DRAWN))
    classifier = Classifier(bundle)
    while batch.waiting:
        batch.work(classifier)
    answers = [one.answer for one in batch.results if one.answer.image_id]
    size = statistics.median(len(answer.picture) for answer in answers)
    side = crop_cell(measure_cell(drawn[0]), cells.PICTURE).shape[0]
    print(f"the picture of a cell: {side} pixels a side, {size / 1_000:.0f} kB")
    return [Result(str(n), _copy(answers[n % len(answers)], n, rng.random())) for n in range(count)]


def _copy(answer: Answer, number: int, probability: float) -> Answer:
    return Answer(
        f"{number}.png",
        probability if number % 20 else None,
        "" if number % 20 else "Unlike the cells the model was trained on.",
        image_id=f"{number:064x}",
        area=answer.area,
        thumbnail=answer.thumbnail,
        picture=answer.picture,
        distance=answer.distance,
    )


def _many_readers(data: Path, case_id: int, options: argparse.Namespace) -> None:
    print(
        f"\n{options.readers} readers in {PROCESSES} processes, {options.rate} verdicts a second, "
        f"{options.seconds} s:"
    )
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    shares = np.array_split(np.arange(options.readers), PROCESSES)
    start = time.time() + 10
    workers = [
        context.Process(target=_server, args=(data, case_id, share.tolist(), options, start, results))
        for share in shares
    ]
    for worker in workers:
        worker.start()
    given = [one for _ in workers for one in results.get()]
    for worker in workers:
        worker.join()
    failed = [one.why for one in given if one.why]
    saved = {one.key for one in given if not one.why}
    with database.reading(data) as connection:
        there = Counter(connection.scalars(sa.select(READINGS.c.key).where(READINGS.c.key.is_not(None))))
    checked = verify.verify(data)
    print(f"  {'a verdict':40}{_spread([one.taken for one in given])}; limit {VERDICT_LIMIT}")
    # On a busy machine whoever slept wakes late: so much of the above is the machine's.
    late = f"load {os.getloadavg()[0]:.1f}"
    print(f"  {'the machine: a wake-up is late by':40}{_spread([one.late for one in given])}; {late}")
    print(
        f"  {len(saved):,} saved in {options.seconds} s ({len(saved) / options.seconds:.1f} a second), "
        f"{len(failed)} refused; lost {len(saved - there.keys())}, doubled "
        f"{sum(count > 1 for count in there.values())}, not asked for {len(there.keys() - saved)}"
    )
    print(f"  the trail: {checked.count:,} entries, {'whole' if checked.is_whole else checked.problem}")


def _server(
    data: Path,
    case_id: int,
    readers: list[int],
    options: argparse.Namespace,
    start: float,
    results: "multiprocessing.Queue[list[Given]]",
) -> None:
    """One process as a server is: its readers in threads."""
    given: list[Given] = []
    threads = [
        threading.Thread(target=_reader, args=(data, case_id, reader, options, start, given))
        for reader in readers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(given)


def _reader(
    data: Path,
    case_id: int,
    reader: int,
    options: argparse.Namespace,
    start: float,
    given: list[Given],
) -> None:
    """Give a verdict each time that it is this reader's turn, on the next cell."""
    every = options.readers / options.rate
    for number in range(int(options.seconds / every)):
        due = start + (number + reader / options.readers) * every
        time.sleep(max(0.0, due - time.time()))
        late = 1_000 * (time.time() - due)
        key = f"{reader}-{number}"
        began, why = time.perf_counter(), ""
        for _ in range(2 if number % AGAIN == 0 else 1):
            try:
                verdicts.give(
                    data,
                    case_id,
                    [number % options.cells + 1],
                    verdicts.VERDICTS[(number // options.cells + number) % 3],
                    reader=f"Reader {reader}",
                    key=key,
                )
            except Exception as error:
                why = str(error)
        given.append(Given(key, 1_000 * (time.perf_counter() - began), why, late))


if __name__ == "__main__":
    main()
