"""The model's honest record, and the slider of its limits."""

from collections.abc import Sequence

import streamlit as st

from leukemia.bundles import model_card
from leukemia.bundles.bundle import Bundle
from leukemia.classes import ALL, NORMAL
from leukemia.evaluation import formatting, three_way
from leukemia.evaluation.breakdown import patients, source_words
from leukemia.inference.classifier import Classifier
from leukemia.markdown import plain
from leukemia.operating_point import INDETERMINATE, WORDS, OperatingPoint
from leukemia.plots.probabilities import histogram
from leukemia.reports import wording
from pages.components import charts, figures_by_source, limits_slider, model_in_service

WRONG = ("missed", "alarmed")  # what is said of the worst source


def warnings(bundle: Bundle) -> None:
    """Say what makes this model's answers or results worth less than they seem."""
    for text in wording.warnings(bundle):
        st.error(text, icon=":material/warning:")


def panel(classifier: Classifier, probabilities: Sequence[float]) -> OperatingPoint:
    """Lay out the model's record, the slider and the batch's chart; return the operating point in use."""
    bundle = classifier.bundle
    st.header("The model")
    st.markdown(f"**{plain(bundle.recipe)}** {plain(bundle.digest[:8])}")
    # The figures stand above the slider that they depend on.
    shares = st.container()
    point = _slider(bundle)
    with shares:
        _shares(bundle, point)
    if point.abstains:
        _abstains(bundle, point)
    if len(probabilities) > 1:
        charts.show(histogram(probabilities, point))
    _worst(bundle, point)
    st.caption(_origin(bundle))
    return point


def line(classifier: Classifier, point: OperatingPoint) -> str:
    """The record in one line of Markdown, for where the panel is folded away."""
    bundle = classifier.bundle
    own = "These are the model's own limits." if point == bundle.operating_point else "You set these limits."
    shares = " ".join(three_way.sentences(model_in_service.shares(bundle, point)))
    said = f"{point} {own} On {_tested_on(bundle)}, with cells weighted equally: {shares}"
    figures = figures_by_source.at(bundle, point)
    if figures is None or len(figures.sources) == 1:
        return said
    worst = "; ".join(filter(None, (source_words.worst_of(figures, name) for name in WRONG)))
    return f"{said} Worst source, patients weighted equally: {plain(worst)}."


def _slider(bundle: Bundle) -> OperatingPoint:
    own = bundle.operating_point
    key = f"limits-{bundle.identity[:16]}"
    chosen = limits_slider.show(own, key)

    def reset() -> None:
        st.session_state[key] = own.limits

    st.button("Back to the model's own", on_click=reset, disabled=chosen == own, width="stretch")
    return chosen


def _shares(bundle: Bundle, point: OperatingPoint) -> None:
    lines = []
    for label, own in three_way.rows(model_in_service.shares(bundle, point)).items():
        lines.append(f"**Of {'ALL' if label == ALL else 'normal'} cells**")
        lines += [
            f"{formatting.interval(value, True)} {WORDS[call]}"
            for call, value in own.items()
            if point.abstains or call != INDETERMINATE
        ]
    st.markdown("  \n".join(lines))
    st.caption(f"Shares with 95% intervals, on {_tested_on(bundle)}, cells weighted equally.")


def _worst(bundle: Bundle, point: OperatingPoint) -> None:
    figures = figures_by_source.at(bundle, point)
    if figures is None:
        st.caption(source_words.UNKNOWN)
        return
    if len(figures.sources) == 1:
        st.caption(plain(source_words.worst(figures)[0]))
    else:
        worst = filter(None, (source_words.worst_of(figures, name) for name in WRONG))
        lines = [plain(one[:1].upper() + one[1:]) for one in worst]
        st.markdown("  \n".join(["**Worst source, patients weighted equally**", *lines]))
    if short := wording.shortfalls(bundle, figures, point):
        where, _, details = short.partition(". ")
        st.caption(f":material/warning: **{plain(where)}**", help=plain(details))


def _abstains(bundle: Bundle, point: OperatingPoint) -> None:
    st.caption(
        f"{point.low:.2f}–{point.high:.2f}: the model abstains (**{INDETERMINATE}**). Review these cells "
        "yourself.",
        help=wording.promise(bundle, point),
    )


def _origin(bundle: Bundle) -> str:
    record, training = bundle.record, bundle.record.split.training
    kind = "synthetic" if bundle.synthetic else "real"
    each = f" {source_words.EACH_SOURCE}" * (record.threshold.worst_source is not None)
    cells, groups = training.cells, training.patient_groups
    learned_from = " and ".join(
        f"{cells.get(label, 0):,} {word} cells of {groups.get(label, 0)} patient groups"
        for label, word in ((ALL, "ALL"), (NORMAL, "normal"))
    )
    return (
        f"Trained on {plain(record.created[:10])} on {kind} cells: {learned_from}. If it had to call every "
        f"cell, it would do so at {bundle.threshold:.3f}, chosen on {plain(wording.chosen_on(bundle))} to "
        f"find {record.threshold.target_recall:.0%} of the ALL cells{each}."
        + (f" {plain(model_card.engine(record.engine))}" if record.engine else "")
    )


def _tested_on(bundle: Bundle) -> str:
    seen = "**also seen in training**" if bundle.leaky else "not seen in training"
    predictions = bundle.predictions
    return f"{len(predictions):,} cells of {patients.count(predictions)} {seen}"
