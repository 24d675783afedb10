"""Trainings in the queue, asked for and waited for; in their place drawings of cells, which are quick."""

import time

from leukemia import jobs
from tests.support.job_factory import PATIENCE

SHORT = ("--patients", "12", "--cells", "4")
LONG = ("--patients", "24", "--cells", "200")


def ask(data, name, options=SHORT, **more):
    return jobs.submit(data, "train", name, ["sample", str(data / name), *options], **more)


def titles(data):
    return [one.title for one in jobs.waiting(data)]


def ended(data, title, seconds=PATIENCE):
    """Wait for the end of the newest job of a title, whoever started it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = [job for job in jobs.history(data, jobs.TRAININGS) if job.title == title]
        if found and not jobs.state(found[0]).active:
            return found[0], jobs.state(found[0])
        time.sleep(0.1)
    raise AssertionError(f"{title} has not ended: {found}")
