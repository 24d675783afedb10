"""A new run: what to train, with which settings, from whose cells, and how long that takes here."""

from pathlib import Path

import streamlit as st

from leukemia.dataset import splits
from leukemia.markdown import plain
from leukemia.recipes.definitions import RECIPES, Definition
from leukemia.recipes.search_space import SearchSpace
from leukemia.recipes.settings import Training, field
from pages.sections.training import fields, learners, start, sweep_form, time_estimate

TRAIN, CROSSVALIDATE, SWEEP = "train", "crossvalidate", "sweep"
KINDS = {TRAIN: "One run", CROSSVALIDATE: "Cross-validation", SWEEP: "Sweep"}
ABOUT = {
    TRAIN: "Learns from some patients, chooses its best epoch and its threshold on others, and is judged on "
    "the rest.",
    CROSSVALIDATE: "Trains once a fold, so that every patient is judged by a network that has never seen "
    "them; then once more on all. Slower, and the surest judgement that few patients allow.",
    SWEEP: "Tries out settings, each judged on the patients held out for choosing, and keeps what does best.",
}
SPLITS = {"patient": "By patient", "image": "By image (leaks)"}
LEAKY = (
    "**This split leaks.** Cells of one patient stand on both sides, so that the network can come to know "
    "patients instead of the disease: its figures look better than they will be on new patients. It is here "
    "to show that leak; what it gives is no model for use."
)
KIND, RECIPE, FIRST = "training-kind", "training-recipe", "reference-cnn"
FEWEST_FOLDS, FOLDS, MOST_FOLDS = 4, 5, 20
HIGHEST_SEED = 2**31 - 1
Options = dict[str, str | int | float]


# A change within runs this function again and not the page.
@st.fragment
def show(data: Path) -> None:
    """Lay the section out."""
    st.session_state.setdefault(KIND, TRAIN)
    kind = st.segmented_control(
        "What to run", list(KINDS), format_func=KINDS.get, key=KIND, required=True, **fields.KEEP
    )
    st.caption(ABOUT[kind])
    outline = _recipe()
    vary = sweep_form.show(data, outline.name) if kind == SWEEP else None
    # All epochs of a fold are run: nothing is held out there to tell the best one by.
    training = fields.show(outline, without=("patience",) if kind == CROSSVALIDATE else _varied(vary))
    options = _options(kind, data)
    # A sweep is judged by patients, whatever was last chosen for a run.
    possible = learners.tell(data, kind, {"split": "patient"} | options) and training is not None
    possible = possible and (kind != SWEEP or vary is not None)
    if possible:
        counts = {name: int(options[name]) for name in ("folds", "views") if name in options}
        counts |= {"trials": vary.trials} if vary else {}
        time_estimate.show(data, outline, training, cells=learners.held(data).total, kind=kind, **counts)
    if start.pressed(data, disabled=not possible):
        arguments = _arguments(data, kind, outline, training, options)
        arguments += vary.arguments() if vary else []
        start.ask(data, kind, _title(kind, outline, training, vary), arguments)


def _varied(vary: SearchSpace | None) -> tuple[str, ...]:
    return tuple(axis.name for axis in vary.axes) if vary else ()


def _recipe() -> Definition:
    if st.session_state.get(RECIPE) not in RECIPES:
        st.session_state[RECIPE] = FIRST
    outline = RECIPES[st.selectbox("Recipe", list(RECIPES), key=RECIPE, **fields.KEEP)]
    st.caption(f"{plain(outline.summary)} It sees {outline.crop} × {outline.crop} pixels at native scale.")
    if outline.needs:
        st.caption(f":material/download: Needs {plain(outline.needs)}.")
    return outline


def _options(kind: str, data: Path) -> Options:
    """What is asked beside the recipe's settings, by the command line's words."""
    found: Options = {}
    st.markdown("**Patients and threshold**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if kind == CROSSVALIDATE:
            usual = max(FEWEST_FOLDS, min(FOLDS, learners.most_folds(data)))
            found["folds"] = _number(
                "Folds",
                "folds",
                usual,
                FEWEST_FOLDS,
                MOST_FOLDS,
                1,
                "Of whole patients; each is held out once.",
            )
            st.session_state.setdefault("training-views", 4)
            found["views"] = st.segmented_control(
                "Views",
                (1, 2, 4),
                key="training-views",
                required=True,
                help="Sides from which each held-out cell is looked at; their answers are averaged.",
                **fields.KEEP,
            )
        elif kind == TRAIN:
            st.session_state.setdefault("training-split", next(iter(SPLITS)))
            found["split"] = st.segmented_control(
                "Split",
                list(splits.SPLITS),
                format_func=SPLITS.get,
                key="training-split",
                required=True,
                **fields.KEEP,
            )
        found["seed"] = _number(
            "Seed", "seed", 0, 0, HIGHEST_SEED, 1, "The same seed deals patients and draws cells alike."
        )
        found["target-recall"] = _number(
            "Target recall",
            "recall",
            0.95,
            0.5,
            1.0,
            0.01,
            "Share of ALL cells that shall be found: the threshold is chosen for it, on patients held out.",
        )
    if found.get("split") == "image":
        st.warning(LEAKY, icon=":material/warning:")
    return found


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
        width=fields.WIDTH,
        **fields.KEEP,
    )
    return value if isinstance(own, int) else fields.rounded(value)


def _title(kind: str, outline: Definition, training: Training, vary: SearchSpace | None = None) -> str:
    """What a reader is told it is; one line that :mod:`leukemia.jobs.queue` shortens where it is too long."""
    what = {TRAIN: "Training", CROSSVALIDATE: "Cross-validation", SWEEP: "Sweep"}[kind]
    differ = fields.changed(outline, training)
    details = ", ".join(
        f"{field(name).title.lower()} {fields.words(value)}" for name, value in differ.items()
    )
    over = " over " + ", ".join(axis.field.title.lower() for axis in vary.axes) if vary else ""
    return f"{what} of {outline.name}{over}" + (f" ({details})" if details else "")


def _arguments(data: Path, kind: str, outline: Definition, training: Training, options: Options) -> list[str]:
    settings = fields.arguments(fields.changed(outline, training))
    given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    return [kind, "--recipe", outline.name, *settings, *given, "--data", str(data), "--in-registry"]
