"""The command that tries settings: ``sweep``.

It takes the parsed arguments and returns the exit status.
"""

from argparse import Namespace

from leukemia.cli.arguments import Commands, whole
from leukemia.cli.training import (
    bundle_folder,
    import_keras,
    prepare_spread,
    recipe_of,
    spread_of,
    spread_options,
    training_options,
)
from leukemia.errors import RecipeError

TRIALS = 12


def add_to(commands: Commands) -> None:
    """Add the command to the parser of all."""
    command = commands.add_parser(
        "sweep", help="compare settings of a recipe on validation patients, then train with the best"
    )
    training_options(command)
    command.add_argument(
        "--vary",
        action="append",
        required=True,
        metavar="NAME=LOW:HIGH",
        help="a setting and its range, ends included; NAME=both for on and off; can be repeated",
    )
    command.add_argument(
        "--trials", type=whole(1), default=TRIALS, help="number of trials (default %(default)s)"
    )
    spread_options(command, "learn the first trials, which are drawn at random, side by side")
    command.set_defaults(run=sweep)


def sweep(options: Namespace) -> int:
    """Try settings, train the best ones, print the result."""
    from leukemia.recipes import search_space

    # What is wrong with the words is said before Keras is there.
    if not search_space.MIN_TRIALS <= options.trials <= search_space.MAX_TRIALS:
        raise RecipeError(
            f"A sweep has {search_space.MIN_TRIALS} to {search_space.MAX_TRIALS} trials, "
            f"not {options.trials}."
        )
    axes = search_space.axes(options.recipe, options.vary, _fixed(options))
    prepare_spread(options)
    import_keras()
    from leukemia.cli.console import Bar, print_bundle
    from leukemia.training import sweep as sweeps
    from leukemia.training.callbacks import on_error_stream
    from leukemia.training.plan import Plan

    recipe = recipe_of(options)
    plan = Plan(recipe, "patient", options.seed, options.target_recall)
    asked = sweeps.Sweep(plan, axes, options.trials)
    output = bundle_folder(options, f"{recipe.name}-sweep")
    spread = spread_of(options)
    with Bar("cells") as bar:
        bundle = sweeps.sweep(asked, options.data, output, on_error_stream(), progress=bar, spread=spread)
    print(f"Wrote {bundle.folder}")
    best = bundle.record.recipe.training
    print("Best settings: " + ", ".join(f"{axis.name}={best[axis.name]}" for axis in axes))
    print_bundle(bundle)
    return 0


def _fixed(options: Namespace) -> tuple[str, ...]:
    """Names of the settings that are given a value."""
    short = {"epochs": options.epochs, "cells_per_epoch": options.cells_per_epoch}
    named = [text.partition("=")[0].strip() for text in options.settings]
    return (*named, *(name for name, value in short.items() if value is not None))
