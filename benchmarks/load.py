"""Twenty people at work for minutes: is each answer right, how long do they wait, what memory do they take.

    python -m benchmarks.load [--people 20] [--minutes 10] [--cells 50] [--images FOLDER]

A dashboard is started, and people come and go on it, each in a tab of their own by Streamlit's messages.
They drop cells on Classify, wait for the answers, read for a while, clear the page, and begin again; every
few turns they close the tab and come back. Every fourth makes a case of each batch and gives verdicts in it.
Each answer is held against the classifier's in this process, to the digit, and each verdict against the
records. Memory is the server's own: at rest after a first visitor, at its peak, and once Streamlit keeps no
closed tabs any more for whoever reconnects. Cells are drawn ones, or those of a folder.
"""

import argparse
import asyncio
import csv
import io
import json
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil

from benchmarks.sessions import cells as read_cells
from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.cases import cells, verdicts
from leukemia.inference import decisions, learned
from leukemia.inference.answer import Answer, Source
from leukemia.inference.classifier import Classifier
from tests.support.browser import Server
from tests.support.tab import Tab, open_tab

# Seconds that somebody reads before the next step; verdicts follow one another more quickly.
READS, GIVES = (3.0, 15.0), (0.5, 2.0)
VERDICTS, TURNS = 5, (2, 5)  # in a case; until the tab is closed
EVERY_READER = 4  # so many people, one of whom makes cases
KEPT = 200.0  # Streamlit keeps a closed tab for two minutes; the server looks once a minute
EVERY = 0.5  # seconds between two readings of the memory
MB = 1e6
WHEN = "classified_at"
GRID = ("bidi_component", "leukemia.review")


@dataclass
class Record:
    """What all people found together; seconds."""

    sent: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)
    answers: int = 0
    tabs: int = 0
    wrong: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    # By case: who read it, and each number's verdict.
    given: dict[int, tuple[str, dict[int, str]]] = field(default_factory=dict)


class Expected:
    """Cells, and the rows of the export that the classifier of this process has for them."""

    def __init__(self, files: list[tuple[str, bytes]], data: Path) -> None:
        self._bundle = bundles.read(settings.SHIPPED)
        self._known = learned.of(self._bundle, data)
        self.files = files
        sources = [Source(name, lambda content=content: content) for name, content in files]
        self._answers = list(Classifier(self._bundle).classify(sources))

    def rows(self, named: dict[str, int]) -> dict[str, dict[str, str]]:
        """Rows by the name that a person gave a cell; ``named`` has its place among the files."""
        answers = [replace(self._answers[place], name=name) for name, place in named.items()]
        return by_name(self._csv(answers))

    def _csv(self, answers: list[Answer]) -> str:
        return decisions.to_csv(answers, self._bundle.operating_point, self._bundle, self._known)


class Person:
    """Somebody who comes, works and goes, until the time is over."""

    def __init__(self, number: int, url: str, cells: int, expected: Expected, record: Record) -> None:
        self._name, self._url, self._cells = f"Person {number}", url, cells
        self._expected, self._record = expected, record
        self._chance = random.Random(number)
        self._is_reader = number % EVERY_READER == 1
        self._turn = 0

    async def work(self, until: float) -> None:
        """Open tabs and close them; what fails is on record, and the next tab is opened."""
        await asyncio.sleep(self._chance.uniform(0, READS[1]))
        while time.monotonic() < until:
            try:
                async with open_tab(self._url) as tab:
                    self._record.tabs += 1
                    for _ in range(self._chance.randint(*TURNS)):
                        if time.monotonic() < until:
                            await self._once(tab)
                    self._record.errors += tab.faults
            except Exception as error:
                self._record.errors.append(f"{self._name}: {type(error).__name__}: {error}")
                await self._pause(READS)

    async def _once(self, tab: Tab) -> None:
        self._turn += 1
        places = self._chance.sample(range(len(self._expected.files)), self._cells)
        named = {f"{self._name} {self._turn} {n}.bmp": place for n, place in enumerate(places)}
        files = [(name, self._expected.files[place][1]) for name, place in named.items()]
        offered = await tab.offer(files)
        began = time.monotonic()
        await tab.drop(files, offered)
        self._record.sent.append(time.monotonic() - began)
        await tab.wait(lambda: tab.answered > 0)
        self._record.first.append(time.monotonic() - began)
        await tab.wait(lambda: tab.answered >= len(files))
        self._record.last.append(time.monotonic() - began)
        await tab.rest()
        found = by_name((await tab.download("Download CSV")).decode())
        self._compare(found, self._expected.rows(named))
        await self._pause(READS)
        if self._is_reader:
            await self._read_case(tab)
        await tab.press("Clear")
        await self._pause(READS)

    def _compare(self, found: dict[str, dict[str, str]], expected: dict[str, dict[str, str]]) -> None:
        self._record.answers += len(found)
        for name in found.keys() | expected.keys():
            if found.get(name) != expected.get(name):
                self._record.wrong.append(f"{found.get(name)} and not {expected.get(name)}")

    async def _read_case(self, tab: Tab) -> None:
        """Make a case of the batch, give verdicts in it one after another, and go back to the batch."""
        tab.fill("Identifier", f"{self._name} {self._turn}")
        tab.fill("Your name", self._name)
        await tab.press("Make the case")
        await tab.wait(lambda: GRID in tab.shown)
        case_id, there = self._grid(tab)["case"], [one["number"] for one in self._grid(tab)["cells"]]
        acts, given = [], {}
        for number in self._chance.sample(there, VERDICTS):
            await self._pause(GIVES)
            given[number] = self._chance.choice(verdicts.VERDICTS[:3])
            act = {"kind": "give", "numbers": [number], "verdict": given[number], "reader": self._name}
            acts.append(act | {"key": f"{case_id}-{number}"})
            began = time.monotonic()
            await tab.set_state(GRID[1], json.dumps({"queue": {"tries": len(acts), "acts": acts}}))
            await tab.wait(lambda: self._grid(tab)["done"].get(acts[-1]["key"]) == "")
            self._record.saved.append(time.monotonic() - began)
            await tab.rest()
        self._record.given[case_id] = self._name, given
        await tab.go_back()

    def _grid(self, tab: Tab) -> dict:
        sent = tab.shown[GRID].element
        return json.loads(sent.mixed.json or sent.json)

    async def _pause(self, between: tuple[float, float]) -> None:
        await asyncio.sleep(self._chance.uniform(*between))


class Memory:
    """The memory of a process, read again and again."""

    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self.peak = 0.0

    def now(self) -> float:
        """The process's own, in MB: what it shares with others by mapping a file is left out."""
        return self._process.memory_full_info().uss / MB

    async def watch(self) -> None:
        """Note the highest, until cancelled."""
        while True:
            self.peak = max(self.peak, self.now())
            await asyncio.sleep(EVERY)


def by_name(text: str) -> dict[str, dict[str, str]]:
    """The rows of an export by file, without the time of the answer."""
    rows = csv.DictReader(io.StringIO(text))
    return {row["file"]: {name: value for name, value in row.items() if name != WHEN} for row in rows}


def main() -> None:
    """Measure, print; a wrong answer or verdict, or an error, ends with status 1."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        data, log = Path(scratch) / "data", Path(scratch) / "log.txt"
        expected = Expected(read_cells(options.images), data)
        record, before = Record(), os.getloadavg()[0]
        server = Server(settings.SHIPPED, log, data)
        try:
            server.wait()
            asyncio.run(_all(server, options, expected, record))
        finally:
            server.stop()
        lost = _verdicts_that_differ(data, record)
        record.errors += ["the server's log has a traceback"] * (
            "Traceback" in log.read_text(errors="replace")
        )
    print(f"load of the machine before {before:.1f}, {os.cpu_count()} cores")
    _report(record, lost)
    sys.exit(1 if record.wrong or record.errors or lost else 0)


async def _all(server: Server, options: argparse.Namespace, expected: Expected, record: Record) -> None:
    memory, alone = Memory(server.process.pid), Record()
    started = memory.now()
    await Person(0, server.url, options.cells, expected, alone).work(time.monotonic() + READS[1] + 1)
    record.wrong, record.errors = alone.wrong, alone.errors
    print(f"memory: {started:.0f} MB as started, {memory.now():.0f} MB after a first visitor", flush=True)
    rest, watching = memory.now(), asyncio.create_task(memory.watch())
    people = [
        Person(number, server.url, options.cells, expected, record) for number in range(1, options.people + 1)
    ]
    until = time.monotonic() + 60 * options.minutes
    await asyncio.gather(*(one.work(until) for one in people))
    watching.cancel()
    took = memory.peak - rest
    print(f"load at the end {os.getloadavg()[0]:.1f}")
    print(f"memory: {memory.peak:.0f} MB at the peak, {took / len(people):.1f} MB for each of {len(people)}")
    await asyncio.sleep(KEPT)
    left = memory.now()
    back = f"{(memory.peak - left) / took:.0%} of what they took" if took > 0 else "they took nothing"
    print(f"memory: {left:.0f} MB after all have left and were forgotten ({back} is given back)")


def _verdicts_that_differ(data: Path, record: Record) -> list[str]:
    """Verdicts that are not on record as they were given."""
    out = []
    for case_id, (reader, given) in record.given.items():
        found = cells.cells(data, case_id)
        there = {cell.number: cell.by(reader).verdict for cell in found if cell.by(reader)}
        out += [f"case {case_id}: {there} and not {given}"] * (there != given)
    return out


def _report(record: Record, lost: list[str]) -> None:
    turns, verdicts_given = len(record.last), sum(len(given) for _, given in record.given.values())
    print(f"{record.answers:,} answers in {turns} turns and {record.tabs} tabs: {len(record.wrong)} wrong")
    print(
        f"{verdicts_given} verdicts in {len(record.given)} cases: {len(lost)} cases differ from the records"
    )
    print(f"{len(record.errors)} errors")
    for what, taken in (
        ("all files sent", record.sent),
        ("the first answer", record.first),
        ("all answers", record.last),
        ("a verdict saved", record.saved),
    ):
        if taken:
            middle, p95 = np.percentile(taken, (50, 95))
            print(
                f"{what} after {middle:.2f} s at the median, 95% within {p95:.2f} s, {max(taken):.2f} at most"
            )
    for one in [*record.wrong[:5], *lost[:5], *record.errors[:5]]:
        print(f"  {one}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--cells", type=int, default=50, help="of each batch")
    parser.add_argument("--images", type=Path, help="a folder of cells, in place of drawn ones")
    return parser.parse_args()


if __name__ == "__main__":
    main()
