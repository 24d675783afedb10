"""Jobs as a test writes them: a folder as jobs.py makes it, with a process that does nothing."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from leukemia import jobs
from leukemia.jobs import progress
from leukemia.jobs.job import LOG, RECORD
from leukemia.jobs.process import ProcessId, identify
from leukemia.storage.workspace import Workspace

# Seconds; they only matter where something hangs. Fewer show sooner what a change has broken.
PATIENCE = float(os.environ.get("LEUKEMIA_TEST_PATIENCE", "600"))
SLEEPER = "import time; time.sleep(600)"
# Quick, and told by its arguments alone: what a job of a test does when it is gone on with.
QUICK = ("recipes-of-nobody",)


def sleeper():
    process = subprocess.Popen([sys.executable, "-c", SLEEPER])
    return process, identify(process.pid)


def write(data, kind="train", title="A training", *, process=None, facts=None, end=None, ago=0, **more):
    """Write a job's folder; of a process that is gone where none is given."""
    at = datetime.now(UTC) - timedelta(seconds=ago)
    folder = Workspace(data.resolve()).jobs / f"{at.strftime('%Y%m%dT%H%M%S%f')}-{kind}-{len(title):06x}"
    folder.mkdir(parents=True)
    identity = process[1] if process else ProcessId(2**22 + 1, 0.0)
    record = {
        "folder": folder.name,
        "kind": kind,
        "title": title,
        "arguments": [kind, *QUICK],
        "process": vars(identity),
        "started": at.isoformat(timespec="seconds"),
        "by": more.get("by", ""),
        "waited": "",
    } | more.get("record", {})
    (folder / RECORD).write_text(json.dumps(record))
    (folder / LOG).write_text(more.get("log", ""))
    tell(folder, facts or {}, **more.get("told", {}))
    if end:
        status, message = end
        word = {"status": status, "message": message, "ended": at.isoformat(timespec="seconds")}
        (folder / progress.END).write_text(json.dumps(word))
    (job,) = [job for job in jobs.history(data) if job.folder == folder]
    return job


def tell(folder, facts, done=0, total=0, what=""):
    known = {"done": done, "total": total, "what": what, "counts": {}, "problems": [], "problem_count": 0}
    (folder / progress.PROGRESS).write_text(json.dumps(known | {"facts": facts}))


def queued(data, *titles, by=""):
    """Write trainings into the queue, the first one next."""
    entries = [
        {
            "id": f"id-{number}",
            "kind": "train",
            "title": title,
            "arguments": ["train", title],
            "asked": "2026-01-02T03:04:05+00:00",
            "by": by,
        }
        for number, title in enumerate(titles)
    ]
    Workspace(data).jobs.mkdir(exist_ok=True)
    Workspace(data).queue.write_text(json.dumps(entries))


def epoch(loss, **more):
    return {"loss": loss, "recall": 0.8, "specificity": 0.7, "seconds": 9.0} | more


def validated(loss, **more):
    return epoch(loss, val_loss=loss + 0.1, val_recall=0.75, val_specificity=0.65, val_auroc=0.8) | more
