"""A new run: what to train, with which settings, on whose cells, how long that takes here, and its start."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from leukemia import jobs, settings
from leukemia.dataset import splits
from leukemia.errors import LeukemiaError
from leukemia.jobs import queue
from leukemia.markdown import plain
from leukemia.plots.run_table import KINDS
from leukemia.recipes.definitions import RECIPES, Definition
from leukemia.recipes.search_space import SearchSpace
from leukemia.recipes.settings import Training, field
from pages.components import flash, identity, job_status, pending
from pages.sections.training import setting_fields, sweep_form, time_estimate, training_cells

TRAIN, CROSSVALIDATE, SWEEP = "train", "crossvalidate", "sweep"
ABOUT = {
    TRAIN: "Trains on some patients, chooses its best epoch and its threshold on others, and is evaluated on "
    "the rest.",
    CROSSVALIDATE: "Trains once per fold, so that every patient is evaluated by a network that has never "
    "seen them; then once more on all patients. Slower, but the most reliable evaluation with few patients.",
    SWEEP: "Tries different settings, compares them on validation patients and keeps the best.",
}
PATIENTS, SOURCE, BOTH = "patients", "source", "both"
LEAVE = {PATIENTS: "Patients, fold by fold", SOURCE: "One source at a time", BOTH: "Both"}
SPLITS = {"patient": "By patient", "image": "By image (leaks)"}
LEAKY = (
    "**This split leaks.** Cells of the same patient are used for training and for testing, so the network "
    "can learn to recognise patients instead of the disease, and its results look better than they will be "
    "on new patients. Use it only to demonstrate the leak, never for a model in service."
)
KIND, RECIPE, FIRST = "training-kind", "training-recipe", "reference-cnn"
WHO = "training-who"
NAME, OPTIONAL_NAME = "Your name", "Your name (optional)"
NEEDED = "Not started. Please give your name: a sweep keeps the machine busy for long, and others will ask."
FEWEST_FOLDS, FOLDS, MOST_FOLDS = 4, 5, 20
Options = dict[str, str | int | float]


# A change within runs this function again and not the page.
@st.fragment
def show(data: Path) -> None:
    """Show the form, and start or queue what it asks for."""
    st.session_state.setdefault(KIND, TRAIN)
    kind = st.segmented_control(
        "What to run", list(ABOUT), format_func=KINDS.get, key=KIND, required=True, **setting_fields.KEEP
    )
    st.caption(ABOUT[kind])
    recipe = _recipe()
    space = sweep_form.show(recipe.name) if kind == SWEEP else None
    # A fold runs all its epochs: nothing is held out there to tell the best one by.
    without = ("patience",) if kind == CROSSVALIDATE else space.names if space else ()
    training = setting_fields.show(recipe, without=without)
    options = _options(kind, data)
    # A sweep splits by patient, whatever was last chosen for a run.
    possible = training_cells.show(data, kind, {"split": "patient"} | options)
    possible = possible and training is not None and (kind != SWEEP or space is not None)
    if possible:
        counts = {name: int(options[name]) for name in ("folds", "views") if name in options}
        if options.get("leave") in (SOURCE, BOTH):
            counts["folds"] = counts.get("folds", 0) + training_cells.trainings_by_source(data)
        counts |= {"trials": space.trials} if space else {}
        cells = training_cells.labelled(data).total
        time_estimate.show(data, recipe, training, cells=cells, kind=kind, **counts)
    if _started(data, possible=possible, named=kind == SWEEP):
        arguments = _arguments(data, kind, recipe, training, options)
        arguments += space.arguments() if space else []
        _submit(data, kind, _title(kind, recipe, training, space), arguments)


def _recipe() -> Definition:
    if st.session_state.get(RECIPE) not in RECIPES:
        st.session_state[RECIPE] = FIRST
    recipe = RECIPES[st.selectbox("Recipe", list(RECIPES), key=RECIPE, **setting_fields.KEEP)]
    st.caption(f"{plain(recipe.summary)} Input: {recipe.crop} × {recipe.crop} pixels at native scale.")
    if recipe.needs:
        st.caption(f":material/download: Needs {plain(recipe.needs)}.")
    return recipe


def _options(kind: str, data: Path) -> Options:
    """Ask for what is not a setting of the recipe; return it by the command line's words."""
    options: Options = {}
    st.markdown("**Patients and threshold**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if kind == CROSSVALIDATE:
            options["leave"] = _leave()
            if options["leave"] != SOURCE:
                options["folds"] = _folds(data)
            options["views"] = _views()
        elif kind == TRAIN:
            st.session_state.setdefault("training-split", next(iter(SPLITS)))
            options["split"] = st.segmented_control(
                "Split",
                list(splits.SPLITS),
                format_func=SPLITS.get,
                key="training-split",
                required=True,
                **setting_fields.KEEP,
            )
        meaning = "The same seed gives the same split of patients and the same draw of cells."
        options["seed"] = _number("Seed", "seed", 0, 0, settings.MAX_SEED, 1, meaning)
        meaning = "Share of ALL cells to find. The threshold is chosen to reach it on held-out patients."
        options["target-recall"] = _number(
            "Target sensitivity (recall)", "recall", 0.95, 0.5, 1.0, 0.01, meaning
        )
    if options.get("split") == "image":
        st.warning(LEAKY, icon=":material/warning:")
    return options


def _leave() -> str:
    st.session_state.setdefault("training-leave", PATIENTS)
    return st.segmented_control(
        "Hold out",
        list(LEAVE),
        format_func=LEAVE.get,
        key="training-leave",
        required=True,
        help="A source held out as a whole shows how well the model does on cells of another laboratory.",
        **setting_fields.KEEP,
    )


def _folds(data: Path) -> int:
    usual = max(FEWEST_FOLDS, min(FOLDS, training_cells.most_folds(data)))
    meaning = "Groups of whole patients; each is held out once."
    return _number("Folds", "folds", usual, FEWEST_FOLDS, MOST_FOLDS, 1, meaning)


def _views() -> int:
    st.session_state.setdefault("training-views", 4)
    return st.segmented_control(
        "Views",
        (1, 2, 4, 8),
        key="training-views",
        required=True,
        help="Orientations in which each held-out cell is predicted; the predictions are averaged.",
        **setting_fields.KEEP,
    )


def _number(title: str, name: str, own: float, low: float, high: float, step: float, meaning: str) -> float:
    key = f"training-{name}"
    st.session_state.setdefault(key, own)
    value = st.number_input(
        title,
        min_value=low,
        max_value=high,
        step=step,
        format="%d" if isinstance(own, int) else "%g",
        key=key,
        help=f"{meaning} From {low:,} to {high:,}.",
        width=setting_fields.WIDTH,
        **setting_fields.KEEP,
    )
    return value if isinstance(own, int) else setting_fields.rounded(value)


def _title(kind: str, recipe: Definition, training: Training, space: SearchSpace | None) -> str:
    """Name the run for a reader in one line; the queue shortens it where it is too long."""
    what = {TRAIN: "Training", CROSSVALIDATE: "Cross-validation", SWEEP: "Sweep"}[kind]
    changed = setting_fields.changed(recipe, training)
    details = ", ".join(
        f"{field(name).title.lower()} {setting_fields.in_words(value)}" for name, value in changed.items()
    )
    over = " over " + ", ".join(axis.field.title.lower() for axis in space.axes) if space else ""
    return f"{what} of {recipe.name}{over}" + (f" ({details})" if details else "")


def _arguments(data: Path, kind: str, recipe: Definition, training: Training, options: Options) -> list[str]:
    settings = setting_fields.arguments(setting_fields.changed(recipe, training))
    given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [kind, "--recipe", recipe.name, *settings, *given, "--data", str(data), "--in-registry"]


def _started(data: Path, *, possible: bool, named: bool) -> bool:
    """Show name and button; return whether the button was pressed, after all fields were read.

    Where it must be ``named``, nothing is started without a name.
    """
    if WHO not in st.session_state:
        st.session_state[WHO] = identity.name()
    running = jobs.running(data, jobs.Lane.CHANGE)
    ahead = len(jobs.waiting(data))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        identity.field(
            st,
            NAME if named else OPTIONAL_NAME,
            key=WHO,
            max_chars=queue.NAME,
            width=260,
            help="Everyone can see who started it.",
        )
        st.button(
            "Add to the queue" if running or ahead else "Start",
            key="training-start",
            type="primary",
            icon=":material/playlist_add:" if running or ahead else ":material/play_arrow:",
            disabled=not possible,
            on_click=_press,
        )
    if running or ahead:
        first = f"{plain(running.title)} is running" if running else "another is about to start"
        more = f", and {ahead} more {'is' if ahead == 1 else 'are'} waiting" if ahead else ""
        st.caption(f"One training runs at a time: {first}{more}. This one will start automatically in turn.")
    pressed = st.session_state.pop(pending.START, False) and possible
    if pressed and named and not st.session_state[WHO].strip():
        flash.put(job_status.FLASH, flash.ERROR, NEEDED)
        pressed = False
    flash.show(job_status.FLASH)
    flash.show(pending.START)
    return pressed


def _press() -> None:
    # Not started in here: this is called before what was typed at the same moment is read.
    st.session_state[pending.START] = True


def _submit(data: Path, kind: str, title: str, arguments: Sequence[str]) -> None:
    who = st.session_state.get(WHO, "")
    identity.remember(who)
    try:
        jobs.submit(data, kind, title, arguments, by=who)
    except LeukemiaError as error:
        flash.put(job_status.FLASH, flash.ERROR, str(error))
    else:
        st.query_params.from_dict({"section": "now"})
    st.rerun()
