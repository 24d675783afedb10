"""The model's honest record, and the threshold's slider."""

import math
from collections.abc import Sequence

import streamlit as st

from leukemia.bundles.bundle import Bundle
from leukemia.evaluation import metrics
from leukemia.evaluation.estimates import Estimate
from leukemia.inference import decisions
from leukemia.inference.classifier import Classifier
from leukemia.markdown import plain
from pages.components import model_in_service, threshold_slider
from pages.sections.classify import chart

SHOWN = ("sensitivity", "specificity")
LEAKY = (
    "This model was judged on patients that it had learned from. Its figures are too good: on "
    "another patient it does worse."
)
SYNTHETIC = (
    "This model learned from drawn cells only. Its answers on real cells mean nothing in a clinic; "
    "it is here to try the program."
)


def warnings(bundle: Bundle) -> None:
    """Say what makes this model's answers or figures worth less than they look."""
    if bundle.synthetic:
        st.error(SYNTHETIC, icon=":material/warning:")
    if bundle.leaky:
        st.error(LEAKY, icon=":material/warning:")


def panel(classifier: Classifier, probabilities: Sequence[float]) -> float:
    """Lay out the model's record, the slider and the batch's chart; return the threshold in use."""
    bundle = classifier.bundle
    st.header("The model")
    st.markdown(f"**{plain(bundle.recipe)}** {plain(bundle.digest[:8])}")
    # The figures stand above the slider that they depend on.
    figures = st.container()
    at = _slider(bundle)
    with figures:
        _record(classifier, at)
    if len(probabilities) > 1:
        st.plotly_chart(chart.spread(probabilities, at, bundle.band), config={"displayModeBar": False})
    if bundle.band:
        st.caption(_silent(bundle))
    st.caption(_origin(bundle))
    return at


def line(classifier: Classifier, at: float) -> str:
    """The record in one line of Markdown, for where the panel is folded away."""
    found = model_in_service.estimates(classifier, at)
    own = "the model's own" if at == classifier.bundle.threshold else "set by hand"
    parts = ", ".join(f"{name} {_number(found[name].value)} ({_interval(found[name])})" for name in SHOWN)
    return f"At threshold {at:.3f} ({own}): {parts} on {_tested_on(classifier.bundle)}."


def _slider(bundle: Bundle) -> float:
    own = bundle.threshold
    key = f"threshold-{bundle.identity[:16]}"
    chosen = threshold_slider.show(own, key)

    def reset() -> None:
        st.session_state[key] = own

    st.button("Back to the model's own", on_click=reset, disabled=chosen == own, width="stretch")
    return chosen


def _record(classifier: Classifier, at: float) -> None:
    found = model_in_service.estimates(classifier, at)
    for column, name in zip(st.columns(2), SHOWN, strict=True):
        column.metric(name.capitalize(), _number(found[name].value), help=metrics.MEANING[name])
        column.caption(_interval(found[name]))
    st.caption(f"With 95 % intervals, on {_tested_on(classifier.bundle)}.")


def _silent(bundle: Bundle) -> str:
    band = bundle.record.indeterminate
    return (
        f"Between {band.low:.3f} and {band.high:.3f} it does not decide: "
        f"**{decisions.INDETERMINATE}, {decisions.NEEDED}**. Of a new patient's ALL cells at most "
        f"{band.missed:.0%} are expected below, of normal cells at most {band.alarmed:.0%} above "
        "(split-conformal, by patient)."
    )


def _origin(bundle: Bundle) -> str:
    record = bundle.record
    kind = "drawn" if bundle.synthetic else "real"
    parts = " and ".join(
        f"{record.split.training.cells.get(label, 0):,} {word} cells of "
        f"{record.split.training.patient_groups.get(label, 0)} patients"
        for label, word in (("ALL", "ALL"), ("Normal", "normal"))
    )
    chosen = record.threshold
    return (
        f"Made on {plain(record.created[:10])} from {kind} cells: learned from {parts}. Its own "
        f"threshold, {bundle.threshold:.3f}, was chosen on {plain(chosen.chosen_on)} to find "
        f"{chosen.target_recall:.0%} of the ALL cells."
    )


def _tested_on(bundle: Bundle) -> str:
    unseen = "patients **also seen in training**" if bundle.leaky else "unseen patient groups"
    predictions = bundle.predictions
    people = predictions.drop_duplicates("patient_group")["label"].value_counts()
    return (
        f"{len(predictions):,} cells of {people.sum()} {unseen} "
        f"({people.get('ALL', 0)} with ALL, {people.get('Normal', 0)} healthy)"
    )


def _number(value: float) -> str:
    return "not defined" if math.isnan(value) else f"{value:.3f}"


def _interval(figure: Estimate) -> str:
    return "not defined" if math.isnan(figure.low) else f"{figure.low:.3f} to {figure.high:.3f}"
