"""The command about trainings that wait: ``queue``.

It takes the parsed arguments and returns the exit status.
"""

import argparse
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from leukemia import jobs, settings


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of all."""
    one = commands.add_parser("queue", help="list the trainings that wait; start the next where none runs")
    what = one.add_mutually_exclusive_group()
    what.add_argument("--drop", type=int, metavar="PLACE", help="first take the one at this place out")
    what.add_argument("--first", type=int, metavar="PLACE", help="first put the one at this place in front")
    one.add_argument(
        "--data", type=Path, default=settings.load().data, help="the data folder (default: %(default)s)"
    )


def command(name: str) -> Callable[[Namespace], int] | None:
    """The function of a command, or None where it is not one of these."""
    return {"queue": queue}.get(name)


def queue(options: Namespace) -> int:
    """List what works and what waits, and start the next one where nothing works."""
    from leukemia.errors import JobError

    place = options.drop if options.drop is not None else options.first
    if place is not None:
        found = jobs.waiting(options.data)
        if not 0 < place <= len(found):
            raise JobError(f"Nothing waits at place {place}.")
        if options.drop is not None:
            jobs.drop(options.data, found[place - 1].id)
        else:
            jobs.move(options.data, found[place - 1].id, -place)
    try:
        jobs.advance(options.data)
    finally:
        _tell(jobs.running(options.data, jobs.Lane.CHANGE), jobs.waiting(options.data))
    return 0


def _tell(running, found) -> None:  # noqa: ANN001 (their types would import what is not needed for help)
    if running:
        print(f"At work: {running.title} (since {_when(running.started)}{_who(running.by)})")
    for place, one in enumerate(found, 1):
        print(f"{place:>3}  {one.title} (asked {_when(one.asked)}{_who(one.by)})")
    if not found:
        print("No training waits.")


def _when(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"


def _who(name: str) -> str:
    return f" by {name}" if name else ""
