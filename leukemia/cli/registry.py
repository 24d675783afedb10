"""The commands about model versions: ``versions``, ``promote``, ``rollback``, ``register``.

Each takes the parsed arguments and returns the exit status. Heavy libraries are imported by the command
that needs them.
"""

import argparse
from argparse import Namespace
from typing import TYPE_CHECKING

from leukemia import settings
from leukemia.attribution import attribute
from leukemia.cli.arguments import Commands, as_path, data_option, whole
from leukemia.errors import LeukemiaError, RegistryError

if TYPE_CHECKING:
    from leukemia.registry.promotion import Change
    from leukemia.registry.promotion_log import Event
    from leukemia.registry.versions import Version

SHOWN = ("sensitivity", "specificity", "auroc")


def add_to(commands: Commands) -> None:
    """Add the commands to the parser of all."""
    command = commands.add_parser(
        "versions", help=("list the model versions and the changes of the version in service")
    )
    data_option(command)
    command.set_defaults(run=versions)

    command = commands.add_parser("promote", help="put a model version in service")
    command.add_argument("version", type=whole(1), metavar="VERSION", help="see: python -m leukemia versions")
    _who_and_why(command)
    _read(command)
    command.set_defaults(run=promote)

    command = commands.add_parser("rollback", help="put the previous version back in service")
    _who_and_why(command)
    _read(command)
    command.set_defaults(run=rollback)

    command = commands.add_parser("register", help="register a bundle from elsewhere as a model version")
    command.add_argument("bundle", type=as_path, metavar="BUNDLE", help="the bundle's folder")
    data_option(command)
    command.set_defaults(run=register)


def versions(options: Namespace) -> int:
    """List the model versions, the newest first, and what is in service."""
    from leukemia.registry import versions as registry

    registered = registry.registered(options.data)
    for version in registered:
        print("\n".join(_lines(version)))
    if not registered:
        print("There are no model versions yet. Every finished training becomes one.")
    if not any(version.in_service for version in registered):
        print(f"In service: {settings.BUILT_IN}.")
    return 0


def promote(options: Namespace) -> int:
    """Put a version in service, once its warnings were read."""
    from leukemia.registry import promotion
    from leukemia.registry import versions as registry

    attribute(options.by, options.reason, RegistryError)
    warnings = promotion.warnings(options.data, registry.version(options.data, options.version))
    _must_be_read(warnings, options, "Not promoted.")
    return _print_change(promotion.promote(options.data, options.version, options.by, options.reason))


def rollback(options: Namespace) -> int:
    """Put the earlier version in service again, once its warnings were read."""
    from leukemia.registry import promotion

    attribute(options.by, options.reason, RegistryError)
    _must_be_read(promotion.rollback_warnings(options.data), options, "Not rolled back.")
    return _print_change(promotion.roll_back(options.data, options.by, options.reason))


def register(options: Namespace) -> int:
    """Make a bundle that was trained elsewhere a model version."""
    from leukemia.bundles import bundle as bundles
    from leukemia.registry.import_bundle import import_bundle

    bundle = bundles.read(options.bundle)
    number = import_bundle(options.data, bundle)
    print(f"{bundle.name} is version {number}. To put it in service: python -m leukemia promote.")
    return 0


def _must_be_read(warnings: tuple[str, ...], options: Namespace, otherwise: str) -> None:
    for warning in warnings:
        print(f"Warning: {warning}")
    if warnings and not options.read:
        raise LeukemiaError(f"{otherwise} Read the warnings above, then repeat the command with --read.")


def _lines(version: "Version") -> list[str]:
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


def _print_change(change: "Change") -> int:
    now = settings.BUILT_IN if change.event.version is None else f"version {change.event.version}"
    print(f"In service: {now} ({_event(change.event)}).")
    return 0


def _who_and_why(command: argparse.ArgumentParser) -> None:
    command.add_argument("--by", required=True, metavar="NAME", help="your name, recorded with the version")
    command.add_argument(
        "--reason", required=True, metavar="TEXT", help=("your reason, recorded with the version")
    )
    data_option(command)


def _read(command: argparse.ArgumentParser) -> None:
    command.add_argument("--read", action="store_true", help="you have read the warnings about this version")
