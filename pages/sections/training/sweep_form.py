"""What a sweep varies: up to four settings, each with its range, and how many trials."""

import streamlit as st

from leukemia.errors import RecipeError
from leukemia.markdown import plain
from leukemia.recipes import definitions, search_space
from leukemia.recipes.search_space import Axis, SearchSpace
from leukemia.recipes.settings import FIELDS, Field, field
from pages.sections.training import setting_fields

MOST_AXES, MOST_TRIALS, TRIALS = 4, 60, 12
FIRST = "learning_rate"
# How long a training may take and when it stops are not what a sweep is for.
LEFT_OUT = ("patience", "epochs")
ABOUT = (
    "The first trial uses the recipe's defaults, if they lie within the ranges. Later trials use settings "
    "closer to those that did well (Optuna, TPE). A trial is scored by the AUROC of its best epoch on "
    "validation patients only; one that falls behind is stopped early. The best settings are then "
    "evaluated once on the test patients, and become a model version."
)


def show(recipe: str) -> SearchSpace | None:
    """Show the fields; return what is varied, or None where that is incomplete, which the page then says.

    Settings that are varied must not also be given a value.

    Parameters
    ----------
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
        help=f"Up to {MOST_AXES}: with more, a sweep needs a great many trials to show anything.",
        **setting_fields.KEEP,
    )
    ranges = [_range(recipe, field(name)) for name in names]
    trials = _trials(recipe)
    try:
        axes = search_space.axes(recipe, ranges)
    except RecipeError as error:
        st.error(plain(str(error)), icon=":material/error:")
        return None
    _show_notes(axes, trials)
    return SearchSpace(axes, int(min(trials, search_space.combinations(axes))))


def offered(recipe: str) -> list[str]:
    """Return the names of the settings that can be varied here."""
    uses = definitions.get(recipe).uses
    return [setting.name for setting in FIELDS if uses(setting.name) and setting.name not in LEFT_OUT]


def usual(recipe: str, setting: Field) -> tuple[float, float]:
    """Return the range to begin with: around the recipe's default, within the bounds."""
    default = getattr(definitions.get(recipe).training, setting.name)
    if setting.kind == "log":
        low, high = default / 10, default * 10
    elif setting.kind == "int":
        low, high = default // 2, max(default * 2, default + 2)
    else:
        low, high = default / 2, max(default * 2, 0.2 * min(setting.high, 1))
    low, high = max(low, setting.low), min(high, setting.high)
    if setting.kind == "int":
        return int(low), int(high)
    return setting_fields.rounded(low), setting_fields.rounded(high)


def _range(recipe: str, setting: Field) -> str:
    if setting.kind == "bool":
        st.caption(f"{setting.title}: both on and off are tried.")
        return f"{setting.name}={search_space.BOTH}"
    low, high = usual(recipe, setting)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        low, high = _end(recipe, setting, "from", low), _end(recipe, setting, "to", high)
    return f"{setting.name}={low!r}:{high!r}"


def _end(recipe: str, setting: Field, word: str, usual: float) -> float:
    key = f"sweep-{recipe}-{setting.name}-{word}"
    st.session_state.setdefault(key, usual if setting.kind == "int" else float(usual))
    meaning = f"{setting.help} Drawn on a logarithmic scale." if setting.kind == "log" else setting.help
    step = 1 if setting.kind == "int" else None
    return setting_fields.number(setting, f"{setting.title}: {word}", key, meaning, step)


def _trials(recipe: str) -> int:
    key = f"sweep-{recipe}-trials"
    st.session_state.setdefault(key, TRIALS)
    return st.number_input(
        "Trials",
        min_value=search_space.MIN_TRIALS,
        max_value=MOST_TRIALS,
        step=1,
        key=key,
        help=f"From {search_space.MIN_TRIALS} to {MOST_TRIALS}. Plan about ten for each setting you vary.",
        width=setting_fields.WIDTH,
        **setting_fields.KEEP,
    )


def _show_notes(axes: tuple[Axis, ...], trials: int) -> None:
    combinations = search_space.combinations(axes)
    if combinations <= trials:
        st.caption(f"There are only {int(combinations)} combinations of settings: each is tried once.")
    elif trials < 5 * len(axes):
        st.caption(
            f":material/info: {trials} trials are few for {len(axes)} "
            f"setting{'s' * (len(axes) > 1)}: the best one is then largely chance."
        )
