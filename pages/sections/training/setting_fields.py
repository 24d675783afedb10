"""A recipe's settings as fields of a form: its defaults to begin with, and which of them were changed."""

import math
from dataclasses import replace

import streamlit as st

from leukemia.errors import RecipeError
from leukemia.markdown import plain
from leukemia.recipes.definitions import Definition
from leukemia.recipes.settings import (
    AUGMENTATION,
    GROUPS,
    REGULARISATION,
    SCHEDULE,
    Field,
    Training,
    field,
)

# What is shown at once; the rest is collapsed.
FIRST = {
    SCHEDULE: ("epochs", "cells_per_epoch", "batch", "learning_rate", "all_share"),
    AUGMENTATION: ("rotation", "flips", "brightness", "colour", "gamma", "blur", "zoom", "jpeg"),
    REGULARISATION: ("l2", "dropout"),
}
REST = ("patience", "warmup", "body_rate", "frozen", "weight_decay", "smoothing", "penalty")
NAMES = (*(name for group in GROUPS for name in FIRST[group]), *REST)
STEPS = {"cells_per_epoch": 500, "batch": 8, "l2": 1e-4, "weight_decay": 0.01, "blur": 0.5}
STEP, WIDTH = 0.05, 144
KEEP = {"persist_state": "session"}
Value = bool | int | float


def show(recipe: Definition, without: tuple[str, ...] = ()) -> Training | None:
    """Show the fields; return the settings, or None where they are impossible, which the page then says.

    Parameters
    ----------
    recipe : Definition
        Whose settings they are.
    without : tuple of str, optional
        Settings that are not asked for here.
    """
    shown = [name for name in NAMES if recipe.uses(name) and name not in without]
    for group in GROUPS:
        if names := [name for name in FIRST[group] if name in shown]:
            st.markdown(f"**{group}**")
            _row(recipe, names)
    with st.expander("More settings"):
        _row(recipe, [name for name in REST if name in shown])
        if unused := [field(name).title for name in NAMES if not recipe.uses(name)]:
            st.caption(f"This recipe does not use: {', '.join(unused)}.")
    values = {name: _value(recipe, field(name)) for name in shown}
    try:
        training = replace(recipe.training, **values)
        _check_batch(training)
    except RecipeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    _show_changes(recipe, training)
    return training


def changed(recipe: Definition, training: Training) -> dict[str, Value]:
    """Return the settings that differ from the recipe's defaults, in the form's order."""
    return {
        name: getattr(training, name)
        for name in NAMES
        if getattr(training, name) != getattr(recipe.training, name)
    }


def in_words(value: Value) -> str:
    """Put a setting's value in words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def rounded(value: float) -> float:
    """Undo what adding up steps does: three of 0.05 make 0.15000000000000002."""
    return float(f"{value:.6g}")


def arguments(settings: dict[str, Value]) -> list[str]:
    """Return settings as arguments of the command line."""
    text = {
        name: in_words(value) if isinstance(value, bool) else str(value) for name, value in settings.items()
    }
    return [part for name, value in text.items() for part in ("--set", f"{name}={value}")]


def number(setting: Field, title: str, key: str, meaning: str, step: float | None) -> float:
    """Show a field for a number within a setting's bounds, and return it.

    Parameters
    ----------
    setting : Field
        Of a kind other than ``"bool"``.
    title, key, meaning : str
        Of the widget; the bounds are added to its meaning.
    step : float or None
        What the widget's buttons add; None for its own choice.
    """
    kind = int if setting.kind == "int" else float
    low, high = kind(setting.low), kind(setting.high)
    value = st.number_input(
        title,
        min_value=low,
        max_value=high,
        step=None if step is None else kind(step),
        format="%d" if kind is int else "%g",
        key=key,
        help=f"{meaning} From {in_words(low)} to {in_words(high)}.",
        width=WIDTH,
        **KEEP,
    )
    return value if kind is int else rounded(value)


def _check_batch(training: Training) -> None:
    if training.batch > training.cells_per_epoch:
        raise RecipeError(
            f"A batch of {training.batch:,} cells is larger than an epoch of {training.cells_per_epoch:,}: "
            "make the batch smaller, or the epoch larger."
        )


def _row(recipe: Definition, names: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name in names:
            _field(recipe, field(name))


def _field(recipe: Definition, setting: Field) -> None:
    key, default = _key(recipe, setting), getattr(recipe.training, setting.name)
    st.session_state.setdefault(key, default)
    meaning = f"{setting.help} Recipe default: {in_words(default)}."
    if setting.kind == "bool":
        st.checkbox(setting.title, key=key, help=meaning, width=WIDTH, **KEEP)
    else:
        number(setting, setting.title, key, meaning, _step(setting, default))


def _step(setting: Field, default: float) -> float:
    if setting.kind == "log":
        return 10.0 ** math.floor(math.log10(default))
    return STEPS.get(setting.name, 1 if setting.kind == "int" else STEP)


def _value(recipe: Definition, setting: Field) -> Value:
    value = st.session_state[_key(recipe, setting)]
    return rounded(value) if setting.kind in ("float", "log") else value


def _show_changes(recipe: Definition, training: Training) -> None:
    changes = changed(recipe, training)
    if not changes:
        st.caption("All settings are the recipe's defaults.")
        return
    badges = " ".join(
        f":orange-badge[{plain(field(name).title)}: {plain(in_words(getattr(recipe.training, name)))} → "
        f"{plain(in_words(value))}]"
        for name, value in changes.items()
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Changed: {badges}")
        st.button("Reset to defaults", icon=":material/undo:", on_click=_reset, args=(recipe,))


def _reset(recipe: Definition) -> None:
    for name in NAMES:
        st.session_state[_key(recipe, field(name))] = getattr(recipe.training, name)


def _key(recipe: Definition, setting: Field) -> str:
    return f"training-{recipe.name}-{setting.name}"
