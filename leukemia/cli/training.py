"""The commands that train: ``recipes``, ``train``, ``crossvalidate``, ``pace``, ``register``.

Each function takes the parsed arguments and returns the exit status.
"""

import argparse
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from leukemia.cli.arguments import at_least, data_option, share
from leukemia.errors import RecipeError

if TYPE_CHECKING:
    from leukemia.networks.recipe import Recipe


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the parser of all."""
    commands.add_parser("recipes", help="list the networks with parameters, input size, settings")

    one = commands.add_parser("train", help="train a network by patient and write a bundle")
    training_options(one)
    one.add_argument(
        "--split", choices=("patient", "image"), default="patient", help="image is leaky: to show the leak"
    )

    one = commands.add_parser("crossvalidate", help="judge a recipe on every patient, fold by fold")
    training_options(one)
    one.add_argument("--folds", type=at_least(4), default=5, help="of whole patients (default 5)")
    one.add_argument(
        "--views", type=int, choices=(1, 2, 4), default=4, help="sides of a cell averaged (default 4)"
    )

    one = commands.add_parser("pace", help="measure how long a recipe takes on this machine")
    one.add_argument("--recipe", required=True, metavar="NAME", help="see: python -m leukemia recipes")
    data_option(one, "--data", "the data folder, which keeps the figure")

    one = commands.add_parser("register", help="make a bundle from elsewhere a model version")
    one.add_argument("bundle", type=Path, metavar="BUNDLE", help="its folder")
    data_option(one, "--data", "the data folder")


def training_options(one: argparse.ArgumentParser) -> None:
    """Add what every training takes."""
    one.add_argument("--recipe", required=True, metavar="NAME", help="see: python -m leukemia recipes")
    data_option(one, "--data", "the prepared folder")
    where = one.add_mutually_exclusive_group()
    where.add_argument("--output", type=Path, help="bundle folder (default: in models, named by the recipe)")
    where.add_argument(
        "--in-registry", action="store_true", help="keep the bundle as a model version and nowhere else"
    )
    one.add_argument("--seed", type=at_least(0), default=0)
    one.add_argument("--target-recall", type=share, default=0.95, help="for the threshold (default 0.95)")
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="settings",
        help="a setting instead of the recipe's own; as often as needed",
    )
    one.add_argument("--epochs", type=at_least(1), help="the same as --set epochs=…")
    one.add_argument("--cells-per-epoch", type=at_least(2), help="the same as --set cells_per_epoch=…")


def command(name: str) -> Callable[[Namespace], int] | None:
    """The function of a command, or None where it is not one of these."""
    known = {
        "recipes": recipes,
        "train": train,
        "crossvalidate": crossvalidate,
        "pace": pace,
        "register": register,
    }
    return known.get(name)


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
    from leukemia.cli.commands import Bar, print_bundle
    from leukemia.training import run as training
    from leukemia.training import trainer
    from leukemia.training.progress_bar import Steps

    recipe = recipe_of(options)
    plan = trainer.Plan(recipe, options.split, options.seed, options.target_recall)
    suffix = "" if options.split == "patient" else "-image-split"
    output = _output(options, f"{recipe.name}{suffix}")
    with Bar("cells") as bar:
        bundle = training.train(
            plan,
            options.data,
            output,
            progress=bar,
            callbacks=[Steps()],
            on_epoch=lambda index, found: _say_epoch("", index, recipe.training.epochs, found),
        )
    print(f"Wrote {bundle.folder}")
    print_bundle(bundle)
    return 0


def crossvalidate(options: Namespace) -> int:
    """Judge a recipe on every patient, fold by fold, and write its bundle."""
    import_keras()
    from leukemia.cli.commands import Bar, print_bundle
    from leukemia.training import cross_validation, trainer
    from leukemia.training.progress_bar import Steps

    recipe = recipe_of(options)
    plan = trainer.Plan(recipe, "fold", options.seed, options.target_recall, folds=options.folds)
    output = _output(options, f"{recipe.name}-crossvalidated")
    with Bar("cells") as bar:
        bundle = cross_validation.crossvalidate(
            plan,
            options.data,
            output,
            views=options.views,
            progress=bar,
            callbacks=[Steps()],
            on_epoch=lambda fold, index, found: _say_epoch(f"{fold}, ", index, recipe.training.epochs, found),
        )
    print(f"Wrote {bundle.folder}")
    print_bundle(bundle)
    return 0


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


def register(options: Namespace) -> int:
    """Make a bundle that was trained elsewhere a model version."""
    from leukemia.bundles import bundle as bundles
    from leukemia.registry.import_bundle import import_bundle

    bundle = bundles.read(options.bundle)
    number = import_bundle(options.data, bundle)
    print(f"{bundle.name} is version {number}. To put it in service: python -m leukemia promote.")
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
    # TensorFlow greets on the error stream whatever its log level is; an error still raises.
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            import keras  # noqa: F401
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _output(options: Namespace, name: str) -> Path | None:
    return None if options.in_registry else options.output or Path("models") / name


def _say_epoch(fold: str, index: int, epochs: int, found: dict[str, float]) -> None:
    from tqdm import tqdm

    numbers = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
    tqdm.write(f"{fold}epoch {index + 1}/{epochs}: {numbers}", file=sys.stderr)
