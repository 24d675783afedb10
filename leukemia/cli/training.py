"""The commands that train: ``recipes``, ``train``, ``crossvalidate``, ``pace``.

Each takes the parsed arguments and returns the exit status. Heavy libraries are imported by the command
that needs them.
"""

import argparse
import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia import settings
from leukemia.cli.arguments import (
    RAY,
    Commands,
    as_path,
    check_executor,
    data_option,
    executor_option,
    seed,
    share,
    whole,
)
from leukemia.errors import RecipeError
from leukemia.jobs import progress
from leukemia.scale import threads

if TYPE_CHECKING:
    from leukemia.networks.recipe import Recipe
    from leukemia.training.on_ray import Spread


def add_to(commands: Commands) -> None:
    """Add the commands to the parser of all."""
    command = commands.add_parser(
        "recipes", help=("list the networks with their parameters, input size and settings")
    )
    command.set_defaults(run=recipes)

    command = commands.add_parser("train", help="train a network, split by patient, and write a bundle")
    training_options(command)
    command.add_argument(
        "--split",
        choices=("patient", "image"),
        default="patient",
        help=("a split by image leaks: use it only to demonstrate the leak"),
    )
    command.set_defaults(run=train)

    command = commands.add_parser("crossvalidate", help="evaluate a recipe on every patient, fold by fold")
    training_options(command)
    command.add_argument(
        "--leave",
        choices=("patients", "source", "both"),
        default="patients",
        help=(
            "what each fold holds out: some patients, or a whole source; both, one after the other "
            "(default patients)"
        ),
    )
    command.add_argument(
        "--folds",
        type=whole(4, 1_000),
        default=5,
        help=("number of folds, each of whole patients (default 5)"),
    )
    command.add_argument(
        "--views",
        type=int,
        choices=(1, 2, 4, 8),
        default=4,
        help=("number of orientations of each cell to average (default 4)"),
    )
    spread_options(command, "learn the folds side by side, each by as many cores as --threads says")
    command.set_defaults(run=crossvalidate)

    command = commands.add_parser("pace", help="measure how fast a recipe trains on this machine")
    command.add_argument("--recipe", required=True, metavar="NAME", help="see: python -m leukemia recipes")
    data_option(command, meaning="the data folder, where the result is stored")
    command.set_defaults(run=pace)


def training_options(command: argparse.ArgumentParser) -> None:
    """Add what every training takes."""
    command.add_argument("--recipe", required=True, metavar="NAME", help="see: python -m leukemia recipes")
    data_option(command, meaning="the prepared folder")
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--output", type=as_path, help="bundle folder (default: in models, named by the recipe)"
    )
    where.add_argument(
        "--in-registry",
        action="store_true",
        help=("store the bundle only as a model version, in no other folder"),
    )
    command.add_argument("--seed", type=seed, default=0)
    command.add_argument(
        "--target-recall",
        type=share,
        default=0.95,
        help=("sensitivity (recall) the threshold must reach (default 0.95)"),
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="change a setting of the recipe; can be repeated",
    )
    command.add_argument("--epochs", type=whole(1), help="the same as --set epochs=…")
    command.add_argument("--cells-per-epoch", type=whole(2), help="the same as --set cells_per_epoch=…")


def recipes(options: Namespace) -> int:
    """List the networks."""
    import_keras()
    from leukemia.networks.recipe import RECIPES

    for recipe in RECIPES.values():
        print(f"{recipe.name}\n  {recipe.summary}")
        print(
            f"  {recipe.build().count_params():,} parameters, {recipe.crop}-pixel RGB crops at native scale"
        )
        print("  " + ", ".join(f"{key}={value}" for key, value in vars(recipe.training).items()))
    return 0


def train(options: Namespace) -> int:
    """Train a network and write its bundle."""
    import_keras()
    from leukemia.cli.console import Bar, print_bundle
    from leukemia.training import run as training
    from leukemia.training.callbacks import on_error_stream
    from leukemia.training.plan import Plan

    recipe = recipe_of(options)
    plan = Plan(recipe, options.split, options.seed, options.target_recall)
    suffix = "" if options.split == "patient" else "-image-split"
    output = bundle_folder(options, f"{recipe.name}{suffix}")
    with Bar("cells") as bar:
        bundle = training.train(plan, options.data, output, on_error_stream(), progress=bar)
    print(f"Wrote {bundle.folder}")
    print_bundle(bundle)
    return 0


def crossvalidate(options: Namespace) -> int:
    """Evaluate a recipe on every patient, fold by fold, and write its bundle."""
    prepare_spread(options)
    import_keras()
    from leukemia.cli.console import Bar, print_bundle
    from leukemia.training import cross_validation
    from leukemia.training.callbacks import on_error_stream
    from leukemia.training.plan import Plan

    recipe = recipe_of(options)
    plan = Plan(recipe, "fold", options.seed, options.target_recall, folds=options.folds)
    suffix = "sources-left-out" if options.leave == cross_validation.SOURCE else "crossvalidated"
    output = bundle_folder(options, f"{recipe.name}-{suffix}")
    with Bar("cells") as bar:
        bundle = cross_validation.crossvalidate(
            plan,
            options.data,
            output,
            on_error_stream(),
            leave=options.leave,
            views=options.views,
            progress=bar,
            spread=spread_of(options),
        )
    print(f"Wrote {bundle.folder}")
    print_bundle(bundle)
    return 0


def spread_options(command: argparse.ArgumentParser, what: str) -> None:
    """Add what a training takes that may be spread over cores and machines."""
    command.add_argument(
        "--threads",
        type=whole(1, settings.MOST_WORKERS),
        help="threads that a network learns with; its last digits hang on them (default: a thread a core)",
    )
    executor_option(command, what)


def prepare_spread(options: Namespace) -> None:
    """Set the threads, before what computes is imported."""
    check_executor(options)
    if options.threads:
        threads.limit(options.threads)


def spread_of(options: Namespace) -> "Spread | None":
    """Where on Ray parts are learned; None for here, one by one."""
    from leukemia.training.on_ray import Spread

    if options.executor != RAY:
        return None
    return Spread(options.cluster, options.threads or os.cpu_count() or 1)


def pace(options: Namespace) -> int:
    """Measure how fast a recipe trains on this machine, for estimates of time."""
    import_keras()
    from leukemia.training import throughput_benchmark

    throughput = throughput_benchmark.measure(options.data, options.recipe)
    print(
        f"{options.recipe}: {1 / throughput.training:.0f} cells per second in training, "
        f"{1 / throughput.prediction:.0f} in prediction."
    )
    return 0


def recipe_of(options: Namespace) -> "Recipe":
    """The recipe with the settings that the arguments change."""
    from leukemia.networks import recipe as recipes
    from leukemia.recipes import settings

    changes = {}
    for text in options.settings:
        name, equals, value = text.partition("=")
        if not equals:
            raise RecipeError(f"--set takes NAME=VALUE, not {text!r}.")
        changes[name.strip()] = settings.parse(name.strip(), value)
    short = {"epochs": options.epochs, "cells_per_epoch": options.cells_per_epoch}
    changes |= {name: value for name, value in short.items() if value is not None}
    return recipes.get(options.recipe).with_training(**changes)


def import_keras() -> None:
    """Import Keras without TensorFlow's greeting."""
    progress.current().step("Loading TensorFlow")
    # TensorFlow greets on the error stream whatever its log level is; an error still raises.
    stderr = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            import keras  # noqa: F401
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def bundle_folder(options: Namespace, name: str) -> Path | None:
    """Where the bundle shall lie, None for only in the registry; refused where something else lies there."""
    if options.in_registry:
        return None
    from leukemia.bundles.bundle import FILES
    from leukemia.storage import output

    folder = options.output or Path("models") / name
    output.folder(folder, FILES, "model bundle")
    return folder
