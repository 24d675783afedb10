"""The model's honest record, and the threshold's slider."""

from collections.abc import Sequence

import streamlit as st

from leukemia.bundles import model_card
from leukemia.bundles.bundle import Bundle
from leukemia.classes import ALL, NORMAL
from leukemia.evaluation import formatting, metrics
from leukemia.evaluation.breakdown import source_words
from leukemia.inference import decisions
from leukemia.inference.classifier import Classifier
from leukemia.markdown import plain
from leukemia.plots.probabilities import histogram
from leukemia.reports import wording
from pages.components import charts, figures_by_source, model_in_service, threshold_slider

SHOWN = ("sensitivity", "specificity")


def warnings(bundle: Bundle) -> None:
    """Say what makes this model's answers or results worth less than they seem."""
    for text in wording.warnings(bundle):
        st.error(text, icon=":material/warning:")


def panel(classifier: Classifier, probabilities: Sequence[float]) -> float:
    """Lay out the model's record, the slider and the batch's chart; return the threshold in use."""
    bundle = classifier.bundle
    st.header("The model")
    st.markdown(f"**{plain(bundle.recipe)}** {plain(bundle.digest[:8])}")
    # The estimates stand above the slider that they depend on.
    estimates = st.container()
    threshold = _slider(bundle)
    with estimates:
        _record(classifier, threshold)
    if len(probabilities) > 1:
        charts.show(histogram(probabilities, threshold, bundle.band))
    if bundle.band:
        _abstains(bundle)
    st.caption(_origin(bundle))
    return threshold


def line(classifier: Classifier, threshold: float) -> str:
    """The record in one line of Markdown, for where the panel is folded away."""
    estimates = model_in_service.estimates(classifier, threshold)
    own = "the model's own" if threshold == classifier.bundle.threshold else "set by hand"
    rates = ", ".join(f"{name} {formatting.interval(estimates[name], True)}" for name in SHOWN)
    said = f"At threshold {threshold:.3f} ({own}): {rates} on {_tested_on(classifier.bundle)}."
    figures = figures_by_source.at(classifier.bundle, threshold)
    if figures is None or len(figures.sources) == 1:
        return said
    worst = "; ".join(filter(None, (source_words.worst_of(figures, name) for name in SHOWN)))
    return f"{said} Worst source: {plain(worst)}."


def _slider(bundle: Bundle) -> float:
    own = bundle.threshold
    key = f"threshold-{bundle.identity[:16]}"
    chosen = threshold_slider.show(own, key)

    def reset() -> None:
        st.session_state[key] = own

    st.button("Back to the model's own", on_click=reset, disabled=chosen == own, width="stretch")
    return chosen


def _record(classifier: Classifier, threshold: float) -> None:
    bundle, estimates = classifier.bundle, model_in_service.estimates(classifier, threshold)
    figures = figures_by_source.at(bundle, threshold)
    for column, name in zip(st.columns(2), SHOWN, strict=True):
        estimate = estimates[name]
        column.metric(name.capitalize(), formatting.number(estimate.value, True), help=metrics.MEANING[name])
        column.caption(formatting.ends(estimate, True))
    st.caption(f"With 95% intervals, on {_tested_on(bundle)}, each cell equal.")
    if figures is None:
        st.caption(source_words.UNKNOWN)
        return
    if len(figures.sources) == 1:
        st.caption(plain(source_words.worst(figures)[0]))
    else:
        worst = [source_words.worst_of(figures, name) for name in SHOWN]
        st.markdown("  \n".join(["**Worst source, each patient equal**", *map(plain, filter(None, worst))]))
    if short := figures_by_source.shortfalls(bundle, figures, threshold):
        where, _, details = short.partition(". ")
        st.caption(f":material/warning: **{plain(where)}**", help=plain(details))


def _abstains(bundle: Bundle) -> None:
    band = bundle.record.indeterminate
    st.caption(
        f"{band.low:.2f}–{band.high:.2f}: the model abstains (**{decisions.INDETERMINATE}**). Review "
        "these cells yourself.",
        help=(
            f"For a new patient, at most {band.missed:.0%} of ALL cells are expected below this range and "
            f"at most {band.alarmed:.0%} of normal cells above it (split-conformal prediction, by patient)."
        ),
    )


def _origin(bundle: Bundle) -> str:
    record, training = bundle.record, bundle.record.split.training
    kind = "synthetic" if bundle.synthetic else "real"
    each = " in each source" * (record.threshold.worst_source is not None)
    cells, groups = training.cells, training.patient_groups
    learned_from = " and ".join(
        f"{cells.get(label, 0):,} {word} cells of {groups.get(label, 0)} patients"
        for label, word in ((ALL, "ALL"), (NORMAL, "normal"))
    )
    return (
        f"Trained on {plain(record.created[:10])} on {kind} cells: {learned_from}. Its own threshold, "
        f"{bundle.threshold:.3f}, was chosen on {plain(wording.chosen_on(bundle))} to find "
        f"{record.threshold.target_recall:.0%} of the ALL cells{each}."
        + (f" {plain(model_card.engine(record.engine))}" if record.engine else "")
    )


def _tested_on(bundle: Bundle) -> str:
    unseen = "patients **also seen in training**" if bundle.leaky else "unseen patient groups"
    predictions = bundle.predictions
    people = predictions.drop_duplicates("patient_group")["label"].value_counts()
    return (
        f"{len(predictions):,} cells of {people.sum()} {unseen} "
        f"({people.get(ALL, 0)} with ALL, {people.get(NORMAL, 0)} healthy)"
    )
