"""Long work as processes of their own: one door, one queue.

``submit`` starts, refuses or queues a command by its kind; the rest reads how jobs stand, and changes
what waits.
"""

from leukemia.jobs.job import (
    TRAININGS,
    Job,
    JobKind,
    JobState,
    JobStatus,
    Lane,
    ended_at,
    history,
    latest,
    log_tail,
    running,
    state,
)
from leukemia.jobs.queue import WaitingJob, drop, move, waiting
from leukemia.jobs.scheduler import advance, cancel, resubmit, submit, time_to_stop

__all__ = [
    "TRAININGS",
    "Job",
    "JobKind",
    "JobState",
    "JobStatus",
    "Lane",
    "WaitingJob",
    "advance",
    "cancel",
    "drop",
    "ended_at",
    "history",
    "latest",
    "log_tail",
    "move",
    "resubmit",
    "running",
    "state",
    "submit",
    "time_to_stop",
    "waiting",
]
