"""A new run: what to train, with which settings, from whom, and how long that takes here."""

from pathlib import Path

import streamlit as st

from leukemia import jobs, waiting
from leukemia.data.splits import SPLITS
from leukemia.errors import DatasetError, LeukemiaError
from leukemia.learning.catalogue import RECIPES, Outline, Training
from pages.parts import person
from pages.parts.text import plain
from pages.parts.training import fields, learned, pacing

ONE, FOLDS, SWEEP = "train", "crossvalidate", "sweep"
KINDS = {ONE: "One run", FOLDS: "Cross-validation", SWEEP: "Sweep"}
ABOUT = {
    ONE: "One network, judged on patients that were held out.",
    FOLDS: "The same recipe several times, so that every patient is held out once: the figures of few patients "
    "are uncertain, and this gets most out of them.",
    SWEEP: "Several runs that try out settings, each judged on patients held out for the choice.",
}
BY = {"patient": "By patient", "image": "By image (leaks)"}
KIND, RECIPE, WHO, SAID = "training-kind", "training-recipe", "training-who", "training-said"
FIRST = "reference-cnn"
KEEP = {"persist_state": "session"}
MOST_FOLDS, HIGHEST_SEED = 20, 2**31 - 1


# A press within runs this function again and not the page.
@st.fragment
def show(data: Path) -> None:
    """Lay the section out."""
    st.session_state.setdefault(KIND, ONE)
    kind = st.segmented_control(
        "What to run", list(KINDS), format_func=KINDS.get, key=KIND, required=True, **KEEP
    )
    st.caption(ABOUT[kind])
    outline = _recipe()
    if kind == SWEEP:
        from pages.parts.training import sweep_form

        sweep_form.show(data, outline.name)
        return
    try:
        training = fields.show(outline, leave_out=("patience",) if kind == FOLDS else ())
        chosen = _folds(data) if kind == FOLDS else _split(data)
        _time(data, outline, training, kind, chosen)
        why = ""
    except LeukemiaError as error:
        why = str(error)
        st.error(plain(why), icon=":material/error:")
    if start(data, disabled=bool(why)):
        title, words = _command(kind, outline, training, chosen)
        ask(data, kind, title, [kind, "--recipe", outline.name, *words, "--data", str(data), "--in-registry"])


def start(data: Path, *, disabled: bool = False) -> bool:
    """Lay out who asks, what is before them, and the button; whether it was pressed now."""
    if WHO not in st.session_state:
        st.session_state[WHO] = person.name()
    busy, ahead = jobs.running(data, jobs.CHANGE), len(waiting.queue(data))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Your name (optional)", key=WHO, max_chars=waiting.NAME, width=280)
        pressed = st.button(
            "Put it into the queue" if busy or ahead else "Start",
            key="training-start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=disabled,
        )
    if busy:
        before = f", and {ahead} {'waits' if ahead == 1 else 'wait'} before it" if ahead else ""
        st.caption(f"{plain(busy.title)} is at work{before}: one at a time works on a data folder.")
    if why := st.session_state.pop(SAID, ""):
        st.error(plain(why), icon=":material/error:")
    return pressed and not disabled


def ask(data: Path, kind: str, title: str, arguments: list[str]) -> None:
    """Start a run or queue it, and go where it is seen; where it cannot be, say why."""
    who = st.session_state.get(WHO, "").strip()
    person.remember(who)
    try:
        waiting.ask(data, kind, title, arguments, by=who)
    except LeukemiaError as error:
        st.session_state[SAID] = str(error)
    else:
        st.query_params.from_dict({"section": "now"})
    st.rerun()


def _recipe() -> Outline:
    if st.session_state.get(RECIPE) not in RECIPES:
        st.session_state[RECIPE] = FIRST
    outline = RECIPES[st.selectbox("Recipe", list(RECIPES), key=RECIPE, **KEEP)]
    st.caption(f"{plain(outline.summary)} It sees {outline.crop} × {outline.crop} pixels at native scale.")
    if outline.needs:
        st.caption(f":material/download: Needs {plain(outline.needs)}.")
    return outline


def _split(data: Path) -> dict[str, str]:
    st.markdown("**Split and threshold**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.session_state.setdefault("training-split", "patient")
        split = st.segmented_control(
            "Split", list(SPLITS), format_func=BY.get, key="training-split", required=True, **KEEP
        )
        common = _common()
    learned.one_run(data, split, int(common["--seed"]))
    return {"--split": split} | common


def _folds(data: Path) -> dict[str, str]:
    st.markdown("**Folds and threshold**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        folds = _number("Patient folds", "training-folds", 5, 4, MOST_FOLDS, 1, "Each is held out once.")
        st.session_state.setdefault("training-views", 4)
        views = st.segmented_control(
            "Views of a cell",
            [1, 2, 4],
            key="training-views",
            required=True,
            help="A cell is looked at from so many sides, and the answers are averaged.",
            **KEEP,
        )
        common = _common()
    learned.folds(data, folds)
    return {"--folds": str(folds), "--views": str(views)} | common


def _common() -> dict[str, str]:
    recall = _number(
        "Target recall",
        "training-recall",
        0.95,
        0.5,
        1.0,
        0.01,
        "The threshold is chosen so that this share of the ALL cells of patients held out is found.",
    )
    seed = _number(
        "Seed", "training-seed", 0, 0, HIGHEST_SEED, 1, "The same seed deals patients and draws cells alike."
    )
    return {"--seed": str(seed), "--target-recall": f"{recall:g}"}


def _number(label, key, own, low, high, step, meaning):
    st.session_state.setdefault(key, own)
    return st.number_input(
        label,
        min_value=low,
        max_value=high,
        step=step,
        key=key,
        help=meaning,
        width=fields.WIDTH,
        required=True,
        **KEEP,
    )


def _time(data: Path, outline: Outline, training: Training, kind: str, chosen: dict[str, str]) -> None:
    counts = {name[2:]: int(chosen[name]) for name in ("--folds", "--views") if name in chosen}
    pacing.note(data, outline, training, cells=learned.cells(data), kind=kind, **counts)


def _command(
    kind: str, outline: Outline, training: Training, chosen: dict[str, str]
) -> tuple[str, list[str]]:
    """What a reader is told it is, and the words of the command line."""
    how = f"{chosen['--folds']} patient folds" if kind == FOLDS else f"{chosen['--split']} split"
    told = [f"{outline.name} ({how}", f"seed {chosen['--seed']})"]
    if changed := fields.changes(outline, training):
        told.append("own settings: " + " ".join(f"{name}={fields.say(v)}" for name, v in changed.items()))
    words = [word for pair in chosen.items() for word in pair]
    return ", ".join(told), [*fields.arguments(outline, training), *words]
