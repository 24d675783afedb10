"""The commands about model versions: ``versions``, ``promote``, ``rollback``.

Each function takes the parsed arguments and returns the exit status.
"""

import argparse
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia import settings

if TYPE_CHECKING:
    from leukemia.registry.promotion import Change
    from leukemia.registry.promotion_log import Event
    from leukemia.registry.versions import Version

SHOWN = ("sensitivity", "specificity", "auroc")
SHIPPED = "the built-in model"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the parser of all."""
    one = commands.add_parser("versions", help="list the model versions and who put which in service")
    _data(one)

    one = commands.add_parser("promote", help="put a model version in service")
    one.add_argument("version", type=int, metavar="VERSION", help="see: python -m leukemia versions")
    _who_and_why(one)

    one = commands.add_parser("rollback", help="put the version in service that was before, again")
    _who_and_why(one)


def command(name: str) -> Callable[[Namespace], int] | None:
    """The function of a command, or None where it is not one of these."""
    return {"versions": versions, "promote": promote, "rollback": rollback}.get(name)


def versions(options: Namespace) -> int:
    """List the model versions, the newest first, and what is in service."""
    from leukemia.registry import versions as registry

    found = registry.registered(options.data)
    for version in found:
        print("\n".join(_told(version)))
    if not found:
        print("No model version yet: each finished training becomes one.")
    if not any(version.in_service for version in found):
        print(f"In service: {SHIPPED}.")
    return 0


def promote(options: Namespace) -> int:
    """Put a version in service."""
    from leukemia.registry import promotion

    return _done(promotion.promote(options.data, options.version, options.by, options.reason))


def rollback(options: Namespace) -> int:
    """Put the earlier version in service again."""
    from leukemia.registry import promotion

    return _done(promotion.roll_back(options.data, options.by, options.reason))


def _told(version: "Version") -> list[str]:
    aliases = f" [{', '.join(version.aliases)}]" if version.aliases else ""
    estimates = ", ".join(
        f"{name} {_number(version.estimates[name])}" for name in SHOWN if name in version.estimates
    )
    return [
        f"{version.number}  {version.recipe}  {version.created:%Y-%m-%d %H:%M} UTC{aliases}",
        f"    {estimates}",
        *(f"    {_event(event)}" for event in version.events),
    ]


def _number(figure: dict[str, float | None]) -> str:
    value, low, high = (figure.get(key) for key in ("value", "low", "high"))
    if value is None:
        return "unknown"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.3f} to {high:.3f})"


def _event(event: "Event") -> str:
    return f"{event.action} {event.at} by {event.by}: {event.reason}"


def _done(change: "Change") -> int:
    for warning in change.warnings:
        print(f"Warning: {warning}")
    now = SHIPPED if change.event.version is None else f"version {change.event.version}"
    print(f"In service: {now} ({_event(change.event)}).")
    return 0


def _data(one: argparse.ArgumentParser) -> None:
    one.add_argument(
        "--data", type=Path, default=settings.load().data, help="the data folder (default: %(default)s)"
    )


def _who_and_why(one: argparse.ArgumentParser) -> None:
    one.add_argument("--by", required=True, metavar="NAME", help="who does it; kept with the version")
    one.add_argument("--reason", required=True, metavar="TEXT", help="why; kept with the version")
    _data(one)
