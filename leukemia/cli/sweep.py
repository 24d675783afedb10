"""The command that tries settings: ``sweep``.

It takes the parsed arguments and returns the exit status.
"""

import argparse
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from leukemia.cli.training import import_keras, recipe_of, training_options
from leukemia.errors import RecipeError

TRIALS = 12


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of all."""
    one = commands.add_parser("sweep", help="try settings of a recipe on validation patients; train the best")
    training_options(one)
    one.add_argument(
        "--vary",
        action="append",
        required=True,
        metavar="NAME=LOW:HIGH",
        help="a setting that is varied, ends included; NAME=both for on and off; as often as needed",
    )
    one.add_argument("--trials", type=int, default=TRIALS, help="how many (default %(default)s)")


def command(name: str) -> Callable[[Namespace], int] | None:
    """The function of a command, or None where it is not one of these."""
    return {"sweep": sweep}.get(name)


def sweep(options: Namespace) -> int:
    """Try settings, train the best ones, print what came of it."""
    from leukemia.recipes import search_space

    # What is wrong with the words is said before Keras is there.
    if not search_space.MIN_TRIALS <= options.trials <= search_space.MAX_TRIALS:
        raise RecipeError(
            f"A sweep has {search_space.MIN_TRIALS} to {search_space.MAX_TRIALS} trials, "
            f"not {options.trials}."
        )
    axes = search_space.axes(options.recipe, options.vary, _fixed(options))
    import_keras()
    from leukemia.cli.commands import Bar, print_bundle
    from leukemia.training import sweep as sweeps
    from leukemia.training import trainer
    from leukemia.training.progress_bar import Steps

    recipe = recipe_of(options)
    plan = trainer.Plan(recipe, "patient", options.seed, options.target_recall)
    asked = sweeps.Sweep(plan, axes, options.trials)
    output = None if options.in_registry else options.output or Path("models") / f"{recipe.name}-sweep"
    with Bar("cells") as bar:
        bundle = sweeps.sweep(
            asked, options.data, output, progress=bar, callbacks=[Steps()], on_epoch=_say_epoch
        )
    print(f"Wrote {bundle.folder}")
    found = bundle.record.recipe.training
    print("Best settings: " + ", ".join(f"{axis.name}={found[axis.name]}" for axis in axes))
    print_bundle(bundle)
    return 0


def _fixed(options: Namespace) -> tuple[str, ...]:
    """Names of the settings that are given a value."""
    short = {"epochs": options.epochs, "cells_per_epoch": options.cells_per_epoch}
    named = [text.partition("=")[0].strip() for text in options.settings]
    return (*named, *(name for name, value in short.items() if value is not None))


def _say_epoch(part: str, index: int, found: dict[str, float]) -> None:
    from tqdm import tqdm

    numbers = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
    tqdm.write(f"{part}, epoch {index + 1}: {numbers}", file=sys.stderr)
