"""The command line: ``python -m leukemia …``. Nothing heavy is imported before it is needed."""

import argparse
import contextlib
import errno
import logging
import os
import sys
from pathlib import Path

from leukemia import settings
from leukemia.cli import (
    audit,
    backup,
    dataset,
    inference,
    monitoring,
    queue,
    registry,
    reports,
    segmentation,
    service,
    sweep,
    terminal,
    training,
    verify,
)
from leukemia.cli.arguments import LOCAL, RAY
from leukemia.errors import LeukemiaError
from leukemia.storage import atomic

GROUPS = (
    dataset,
    inference,
    segmentation,
    training,
    sweep,
    registry,
    verify,
    queue,
    monitoring,
    reports,
    audit,
    service,
    backup,
)
ANSWERED, SOME_NOT, UNUSABLE, FAILED, STOPPED = 0, 1, 2, 70, 130
# Commands that write to the data folder more than can be computed again; each notes its settings where they
# changed. Not restore: what it puts back is the backup's record, and whatever runs there next notes its own.
WRITERS = frozenset(
    {"prepare", "classify", "verify", "verify-stated", "accept", "train", "crossvalidate", "sweep", "queue"}
    | {"promote", "rollback", "register", "monitor", "serve", "keys", "send", "add-slide"}
)
# Commands that go on where they were broken off; on Ray each does.
RESUMED = frozenset({"prepare", "measure", "train", "crossvalidate", "sweep", "add-slide"})
CONTINUE, AGAIN = "run the same command again to resume", "run the command again"


def parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="python -m leukemia",
        description=(
            "Classify single white blood cells as ALL-like (acute lymphoblastic leukemia) or Normal-like."
        ),
        epilog=settings.RESEARCH_USE,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for group in GROUPS:
        group.add_to(commands)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    with terminal.streams():
        if os.environ.get(settings.JOB_FOLDER):
            status, message = _run_job(arguments)
        else:
            status, message = _run(arguments)
        if message:
            # The log of a job may lie on a full disk.
            with contextlib.suppress(OSError):
                print(terminal.plain(f"leukemia: {message}", sys.stderr.encoding), file=sys.stderr)
        return status


def _run_job(arguments: list[str] | None) -> tuple[int, str]:
    """Run one command as a job: it reports how it ended, and starts what waits for its end."""
    from leukemia.jobs import progress, scheduler, signals

    if not progress.is_recorded():
        return STOPPED, (
            "The program that started this job ended before the job was recorded. The job was not run."
        )
    job = progress.current()
    try:
        signals.stop_cleanly()
        try:
            status, message = _run(arguments)
        except SystemExit as refused:
            if refused.code:
                job.end(UNUSABLE, "The command is not valid. See the job's log for the reason.")
            raise
        except BaseException:
            # A request to stop that breaks into a library's import may come out of it as another error.
            if signals.asked_to_stop():
                job.end(STOPPED, "Stopped.")
            else:
                job.end(FAILED, "Something went wrong. See the job's log for the details.")
            raise
        finally:
            signals.too_late_to_stop()
        job.end(status, message)
        return status, message
    finally:
        scheduler.after_me()


def _run(arguments: list[str] | None) -> tuple[int, str]:
    """Exit status, and the sentence for the user where the command was interrupted or refused."""
    # TensorFlow's start-up chatter tells a user nothing.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    options = argparse.Namespace(command="")
    try:
        # Defaults come from the environment, which may be wrong.
        options = parser().parse_args(arguments)
        if data := getattr(options, "data", None):
            atomic.sweep(data)
        if options.command not in WRITERS:
            return options.run(options), ""
        noted = _record_settings(data)
        try:
            return options.run(options), ""
        finally:
            if not noted:  # the command may have made the folder
                _record_settings(data)
    except LeukemiaError as error:
        return UNUSABLE, " ".join(str(error).split())
    except BrokenPipeError:
        # What is still in the buffer would raise again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE, "The program that reads the output ended before all of it was written."
    except KeyboardInterrupt as stopped:
        kept = f" Finished work is kept; {CONTINUE}." if _is_resumed(options) else ""
        return STOPPED, str(stopped) or f"Stopped.{kept}"
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            then = CONTINUE if _is_resumed(options) else AGAIN
            return UNUSABLE, f"The disk is full. Free some space, then {then}."
        where = f" ({error.filename})" if error.filename else ""
        return UNUSABLE, f"{error.strerror or error}{where}."


def _is_resumed(options: argparse.Namespace) -> bool:
    return options.command in RESUMED or getattr(options, "executor", LOCAL) == RAY


def _record_settings(data: Path | None) -> bool:
    """Put settings that changed on record, and say whether there is a place for it: none is made by the way.

    A command does not depend on it.
    """
    given = settings.load()
    folder = data or given.data
    if not (given.database_url or folder.is_dir()):
        return False
    from leukemia.audit import settings_log
    from leukemia.jobs import progress
    from leukemia.storage import database

    try:
        if database.is_read_only(folder):
            return True
        settings_log.record_changes(folder, settings_log.COMMAND_LINE, who=progress.who())
    except (LeukemiaError, OSError) as error:
        print(
            terminal.plain(f"leukemia: The settings are not on record. {error}", sys.stderr.encoding),
            file=sys.stderr,
        )
    return True
