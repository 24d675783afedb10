"""What a sweep varies: up to four settings, each with its range, and how many trials.

For the form: ``vary = show(data, recipe)`` lays the fields out; where it returns None, something that is
said on the page is missing, and nothing can be started. Else ``vary.arguments()`` goes behind ``sweep
--recipe R --set …`` on the command line, ``vary.trials`` is for the estimate of time, and settings in
``{axis.name for axis in vary.axes}`` must not be given by ``--set``.
"""

from pathlib import Path

import streamlit as st

from leukemia.errors import RecipeError
from leukemia.markdown import plain
from leukemia.recipes import definitions, search_space
from leukemia.recipes.search_space import Axis, SearchSpace
from leukemia.recipes.settings import FIELDS, Field, field
from pages.sections.training import fields

MOST_AXES, MOST_TRIALS, TRIALS = 4, 60, 12
FIRST = "learning_rate"
# How long a training may take and when it stops are not what a sweep is for.
LEFT_OUT = ("patience", "epochs")
ABOUT = (
    "The first trial has the recipe's own settings, where they lie in the ranges; the next ones are drawn, "
    "more and more often near those that did well (Optuna, TPE). A trial is judged by the AUROC of its best "
    "epoch on validation patients alone; one that lags behind is broken off. The best settings are then "
    "judged once on the test patients, and become a model version."
)


def show(data: Path, recipe: str) -> SearchSpace | None:
    """Lay the fields out; return what is varied, or None where that is not complete, which is said.

    Parameters
    ----------
    data : Path
        The data folder; not looked at.
    recipe : str
        Name of a recipe.
    """
    st.caption(ABOUT)
    key = f"sweep-{recipe}-names"
    st.session_state.setdefault(key, [FIRST])
    names = st.multiselect(
        "Settings to vary",
        offered(recipe),
        key=key,
        format_func=lambda name: field(name).title,
        max_selections=MOST_AXES,
        help=f"Up to {MOST_AXES}: with more, a sweep needs very many trials to say anything.",
        **fields.KEEP,
    )
    ends = [_range(recipe, field(name)) for name in names]
    key = f"sweep-{recipe}-trials"
    st.session_state.setdefault(key, TRIALS)
    trials = st.number_input(
        "Trials",
        min_value=search_space.MIN_TRIALS,
        max_value=MOST_TRIALS,
        step=1,
        key=key,
        help=f"From {search_space.MIN_TRIALS} to {MOST_TRIALS}. "
        "Ten for each setting that is varied say something.",
        width=fields.WIDTH,
        **fields.KEEP,
    )
    try:
        axes = search_space.axes(recipe, ends)
    except RecipeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    _say(axes, trials)
    return SearchSpace(axes, int(min(trials, search_space.combinations(axes))))


def offered(recipe: str) -> list[str]:
    """Names of the settings that may be varied here."""
    uses = definitions.get(recipe).uses
    return [one.name for one in FIELDS if uses(one.name) and one.name not in LEFT_OUT]


def usual(recipe: str, one: Field) -> tuple[float, float]:
    """The range to begin with: about the recipe's own value, within the bounds."""
    own = getattr(definitions.get(recipe).training, one.name)
    if one.kind == "log":
        low, high = own / 10, own * 10
    elif one.kind == "int":
        low, high = own // 2, max(own * 2, own + 2)
    else:
        low, high = own / 2, max(own * 2, 0.2 * min(one.high, 1))
    low, high = max(low, one.low), min(high, one.high)
    return (int(low), int(high)) if one.kind == "int" else (fields.rounded(low), fields.rounded(high))


def _range(recipe: str, one: Field) -> str:
    if one.kind == "bool":
        st.caption(f"{one.title}: on and off are both tried.")
        return f"{one.name}={search_space.BOTH}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        found = [
            _end(recipe, one, word, own) for word, own in zip(("from", "to"), usual(recipe, one), strict=True)
        ]
    return f"{one.name}={found[0]!r}:{found[1]!r}"


def _end(recipe: str, one: Field, word: str, own: float) -> float:
    kind = int if one.kind == "int" else float
    key = f"sweep-{recipe}-{one.name}-{word}"
    st.session_state.setdefault(key, kind(own))
    ends = (fields.words(kind(one.low)), fields.words(kind(one.high)))
    value = st.number_input(
        f"{one.title}: {word}",
        min_value=kind(one.low),
        max_value=kind(one.high),
        step=kind(1) if kind is int else None,
        format="%d" if kind is int else "%g",
        key=key,
        help=f"{one.help} From {ends[0]} to {ends[1]}."
        + (" Drawn by factors, not by differences." if one.kind == "log" else ""),
        width=fields.WIDTH,
        **fields.KEEP,
    )
    return value if kind is int else fields.rounded(value)


def _say(axes: tuple[Axis, ...], trials: int) -> None:
    different = search_space.combinations(axes)
    if different <= trials:
        st.caption(f"There are {int(different)} different settings: each is tried once.")
    elif trials < 5 * len(axes):
        st.caption(
            f":material/info: {trials} trials are few for {len(axes)} "
            f"setting{'s' * (len(axes) > 1)}: what is best is then largely chance."
        )
