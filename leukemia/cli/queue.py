"""The command about waiting trainings: ``queue``.

It takes the parsed arguments and returns the exit status.
"""

from argparse import Namespace
from datetime import datetime

from leukemia.cli.arguments import Commands, data_option, whole


def add_to(commands: Commands) -> None:
    """Add the command to the parser of all."""
    command = commands.add_parser(
        "queue", help="list the waiting trainings; start the next one if none is running"
    )
    change = command.add_mutually_exclusive_group()
    change.add_argument(
        "--drop", type=whole(1), metavar="PLACE", help="first remove the training at this position"
    )
    change.add_argument(
        "--first",
        type=whole(1),
        metavar="PLACE",
        help="first move the training at this position to the front",
    )
    data_option(command)
    command.set_defaults(run=queue)


def queue(options: Namespace) -> int:
    """List what is running and what waits, and start the next one where nothing is running."""
    from leukemia import jobs
    from leukemia.errors import JobError

    place = options.drop if options.drop is not None else options.first
    if place is not None:
        waiting = jobs.waiting(options.data)
        if not 0 < place <= len(waiting):
            raise JobError(f"No training is waiting at position {place}.")
        if options.drop is not None:
            jobs.drop(options.data, waiting[place - 1].id)
        else:
            jobs.move(options.data, waiting[place - 1].id, -place)
    try:
        jobs.advance(options.data)
    finally:
        if job := jobs.running(options.data, jobs.Lane.CHANGE):
            print(f"Running: {job.title} (since {_when(job.started)}{_who(job.by)})")
        waiting = jobs.waiting(options.data)
        for place, training in enumerate(waiting, 1):
            print(f"{place:>3}  {training.title} (queued {_when(training.asked)}{_who(training.by)})")
        if not waiting:
            print("No training is waiting.")
    return 0


def _when(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"


def _who(name: str) -> str:
    return f" by {name}" if name else ""
