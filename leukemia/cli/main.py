"""The command line: ``python -m leukemia …``. Nothing heavy is imported before it is needed."""

import argparse
import contextlib
import errno
import logging
import os
import sys
from pathlib import Path

from leukemia import settings
from leukemia.cli import queue, registry, sweep, training
from leukemia.cli.arguments import at_least, data_option
from leukemia.errors import LeukemiaError
from leukemia.jobs import progress, signals

# Commands in files of their own.
GROUPS = (training, sweep, registry, queue)
ANSWERED, SOME_NOT, UNUSABLE, FAILED, STOPPED = 0, 1, 2, 70, 130


def parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="python -m leukemia",
        description="Read single white blood cells: normal, or like acute lymphoblastic leukemia (ALL).",
        epilog=settings.RESEARCH_USE,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser("prepare", help="import a downloaded C-NMC 2019 set")
    what = one.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "source", type=Path, nargs="?", metavar="SOURCE", help="the download: a folder or a .zip"
    )
    what.add_argument("--sample", action="store_true", help="draw the synthetic set and import that")
    data_option(one, "--output", "where the labelled set shall lie")

    one = commands.add_parser("sample", help="write a synthetic set in C-NMC's layout")
    one.add_argument("dest", type=Path, metavar="DEST", help="folder to make")
    one.add_argument("--patients", type=at_least(12), default=24, help="how many (default 24)")
    one.add_argument("--cells", type=at_least(4), default=30, help="a patient, on average (default 30)")
    one.add_argument("--seed", type=int, default=0)

    one = commands.add_parser("measure", help="measure cells' brightness and make their thumbnails, ahead")
    data_option(one, "--data", "the prepared folder")

    one = commands.add_parser("check", help="look through a prepared set for what is wrong with it")
    data_option(one, "--data", "the prepared folder")

    one = commands.add_parser("map", help="place the cells of a set by what the model sees in them")
    data_option(one, "--data", "the prepared folder")
    one.add_argument("--model", type=Path, metavar="BUNDLE", help="instead of the one in service")

    one = commands.add_parser("evaluate", help="print the figures of a bundle again, or compare several")
    one.add_argument("bundles", type=Path, nargs="+", metavar="BUNDLE", help="several make a table")
    one.add_argument("--data", type=Path, help="a prepared folder to judge the bundle on")
    one.add_argument("--mean", action="store_true", help="a row more for the mean of several by folds")

    one = commands.add_parser("classify", help="answer image files and folders")
    one.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="images, or folders of them")
    one.add_argument("--output", type=Path, required=True, metavar="FILE.csv", help="one row an image")
    one.add_argument("--model", type=Path, metavar="BUNDLE", help="instead of the one in service")
    for group in GROUPS:
        group.add_to(commands)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    if not progress.is_recorded():
        print(
            "leukemia: The program that started this job ended before it was recorded; the job does not run.",
            file=sys.stderr,
        )
        return STOPPED
    try:
        return _told(arguments)
    finally:
        if os.environ.get(progress.FOLDER):
            from leukemia.jobs import scheduler

            scheduler.after_me()


def _told(arguments: list[str] | None) -> int:
    """Run one command; where it is a job, tell how it ended."""
    try:
        options = parser().parse_args(arguments)
    except SystemExit as refused:
        if refused.code:
            progress.current().end(UNUSABLE, "The command was not understood; its log says why.")
        raise
    # TensorFlow's start-up chatter tells a user nothing.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    signals.stop_cleanly()
    try:
        status, message = _run(options)
    except BaseException:
        progress.current().end(FAILED, "Something went wrong in the program; its log has the details.")
        raise
    finally:
        signals.too_late_to_stop()
    progress.current().end(status, message)
    if message:
        # The log of a job may lie on a full disk.
        with contextlib.suppress(OSError):
            print(f"leukemia: {message}", file=sys.stderr)
    return status


def _run(options: argparse.Namespace) -> tuple[int, str]:
    """Exit status, and the sentence for the user where the command was broken off."""
    try:
        from leukemia.cli import commands

        found = [group.command(options.command) for group in GROUPS]
        run = next(filter(None, found), None) or getattr(commands, options.command)
        return run(options), ""
    except LeukemiaError as error:
        return UNUSABLE, " ".join(str(error).split())
    except KeyboardInterrupt:
        return (
            STOPPED,
            "Stopped. What is finished is kept; run the same command again to continue from there.",
        )
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return (
                UNUSABLE,
                "The disk is full. Free some space, then run the same command again to continue from there.",
            )
        where = f" ({error.filename})" if error.filename else ""
        return UNUSABLE, f"{error.strerror or error}{where}."
