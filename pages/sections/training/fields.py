"""A recipe's settings as fields of a form: its own to begin with, and which of them were changed."""

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

# What is looked at first; the rest is folded away.
FIRST = {
    SCHEDULE: ("epochs", "cells_per_epoch", "batch", "learning_rate", "all_share"),
    AUGMENTATION: ("rotation", "flips", "brightness", "colour", "gamma", "blur", "zoom"),
    REGULARISATION: ("l2", "dropout"),
}
REST = ("patience", "warmup", "body_rate", "frozen", "weight_decay", "smoothing")
STEPS = {"cells_per_epoch": 500, "batch": 8, "l2": 1e-4, "weight_decay": 0.01, "blur": 0.5}
STEP, WIDTH = 0.05, 144
KEEP = {"persist_state": "session"}
Value = bool | int | float


def show(outline: Definition, without: tuple[str, ...] = ()) -> Training | None:
    """Lay the fields out; return the settings, or None where they are impossible, which is said.

    Parameters
    ----------
    outline : Definition
        The recipe.
    without : tuple of str, optional
        Settings that are not asked for here.
    """
    shown = [name for name in _all() if outline.uses(name) and name not in without]
    for group in GROUPS:
        if names := [name for name in FIRST[group] if name in shown]:
            st.markdown(f"**{group}**")
            _row(outline, names)
    with st.expander("More settings"):
        _row(outline, [name for name in REST if name in shown])
        if idle := [field(name).title for name in _all() if not outline.uses(name)]:
            st.caption(f"Not asked for, as nothing in this recipe heeds it: {', '.join(idle)}.")
    values = {name: _value(outline, field(name)) for name in shown}
    try:
        training = replace(outline.training, **values)
        _fits(training)
    except RecipeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    _differences(outline, training)
    return training


def changed(outline: Definition, training: Training) -> dict[str, Value]:
    """The settings that are not the recipe's own, in the form's order."""
    return {
        name: getattr(training, name)
        for name in _all()
        if getattr(training, name) != getattr(outline.training, name)
    }


def words(value: Value) -> str:
    """A setting's value for a reader."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def rounded(value: float) -> float:
    """A number as it was meant: steps of a twentieth add up to 0.15000000000000002."""
    return float(f"{value:.6g}")


def arguments(settings: dict[str, Value]) -> list[str]:
    """The same for a command line."""
    text = {name: words(value) if isinstance(value, bool) else str(value) for name, value in settings.items()}
    return [part for name, value in text.items() for part in ("--set", f"{name}={value}")]


def _all() -> list[str]:
    return [name for group in GROUPS for name in FIRST[group]] + list(REST)


def _fits(training: Training) -> None:
    if training.batch > training.cells_per_epoch:
        raise RecipeError(
            f"A batch of {training.batch:,} cells is more than the {training.cells_per_epoch:,} of an epoch: "
            "make the batch smaller, or the epoch larger."
        )


def _row(outline: Definition, names: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for name in names:
            _one(outline, field(name))


def _one(outline: Definition, one: Field) -> None:
    key, own = _key(outline, one), getattr(outline.training, one.name)
    st.session_state.setdefault(key, own)
    meaning = f"{one.help} The recipe's own: {words(own)}."
    if one.kind == "bool":
        st.checkbox(one.title, key=key, help=meaning, width=WIDTH, **KEEP)
        return
    kind = int if one.kind == "int" else float
    st.number_input(
        one.title,
        min_value=kind(one.low),
        max_value=kind(one.high),
        step=kind(_step(one, own)),
        format="%d" if kind is int else "%g",
        key=key,
        help=f"{meaning} From {words(kind(one.low))} to {words(kind(one.high))}.",
        width=WIDTH,
        **KEEP,
    )


def _step(one: Field, own: float) -> float:
    if one.kind == "log":
        return 10.0 ** math.floor(math.log10(own))
    return STEPS.get(one.name, 1 if one.kind == "int" else STEP)


def _value(outline: Definition, one: Field) -> Value:
    value = st.session_state[_key(outline, one)]
    if one.kind in ("float", "log"):
        return rounded(value)
    return value


def _differences(outline: Definition, training: Training) -> None:
    differ = changed(outline, training)
    if not differ:
        st.caption("All settings are the recipe's own.")
        return
    badges = " ".join(
        f":orange-badge[{plain(field(name).title)}: {plain(words(getattr(outline.training, name)))} → "
        f"{plain(words(value))}]"
        for name, value in differ.items()
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Changed: {badges}")
        st.button(
            "Back to the recipe's own",
            icon=":material/undo:",
            on_click=_back,
            args=(outline,),
        )


def _back(outline: Definition) -> None:
    for name in _all():
        st.session_state[_key(outline, field(name))] = getattr(outline.training, name)


def _key(outline: Definition, one: Field) -> str:
    return f"training-{outline.name}-{one.name}"
