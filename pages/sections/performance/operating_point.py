"""What a threshold costs: the confusion matrix, the curves, and a threshold kept as a new version."""

import pandas as pd
import streamlit as st

from leukemia import attribution, settings
from leukemia.bundles.schema import Change
from leukemia.errors import LeukemiaError
from leukemia.evaluation import estimates, metrics, wording
from leukemia.evaluation.comparison import WORDS
from leukemia.evaluation.estimates import Estimate
from leukemia.markdown import plain
from leukemia.plots import confusion_matrix
from leukemia.registry import rethreshold
from leukemia.registry.versions import Version
from pages.components import flash, identity
from pages.sections.performance import charts, resources
from pages.sections.performance.threshold_picker import Picked

FLASH, NEXT = "performance", "performance-next"
WHO, WHY = "performance-who", "performance-why"


def show(version: Version, picked: Picked) -> None:
    bundle = version.bundle
    cells, lines = resources.cells(bundle), resources.lines(bundle)
    found = estimates.at_threshold(cells, picked.value)
    st.html(confusion_matrix.STYLE)
    left, right = st.columns([6, 5], gap="medium")
    with left:
        st.markdown("**Confusion matrix**: counts of cells and shares, with 95 % intervals over patients")
        st.html(confusion_matrix.html(metrics.confusion(bundle.predictions, picked.value), found))
    with right:
        st.markdown(f"**{wording.matrix(found['sensitivity'].value, found['specificity'].value)}**")
        st.caption(people(bundle.predictions))
        if bundle.band:
            st.caption(within(bundle.predictions, bundle.band))
        with st.expander("All figures at this threshold"):
            st.dataframe(every(found | lines.ranking), hide_index=True)
    chart(charts.against_threshold(lines.against_threshold, picked.value, found), by_threshold(found))
    left, right = st.columns(2, gap="medium")
    with left:
        share = float(cells.truth.mean())
        figure = charts.precision_recall(lines.precision_recall, lines.precision_recall_band, found, share)
        chart(figure, about_precision(found, lines.ranking["average_precision"], share))
    with right:
        chart(charts.roc(lines.roc, lines.roc_band, found), about_roc(lines.ranking["auroc"]))
    _save(version, picked, found)


def chart(figure, notice: str) -> None:
    """A chart and what to notice in it."""
    st.plotly_chart(figure, config={"displayModeBar": False})
    st.caption(notice)


def people(predictions: pd.DataFrame) -> str:
    """Whose cells these are."""
    who = predictions.drop_duplicates(["patient_group", "label"])["label"].value_counts()
    return (
        f"{len(predictions):,} held-out cells of {who.sum()} patient groups ({who.get('ALL', 0)} with ALL, "
        f"{who.get('Normal', 0)} healthy). Intervals come from 1,000 bootstrap resamples of patients."
    )


def within(predictions: pd.DataFrame, band: tuple[float, float]) -> str:
    """How many cells the model leaves to a haematologist."""
    inside = predictions["probability"].between(*band, inclusive="left")
    return (
        f"In Classify this model does not decide between {band[0]:.3f} and {band[1]:.3f}: "
        f"{inside.sum():,} of these cells ({inside.mean():.0%}) lie there. The matrix "
        "calls them all the same."
    )


def every(found: dict[str, Estimate]) -> pd.DataFrame:
    """A table of all figures: name, value with interval, meaning."""
    return pd.DataFrame(
        {
            "figure": [WORDS[name] for name in found],
            "value (95 %)": [wording.interval(figure) for figure in found.values()],
            "meaning": [metrics.MEANING[name] for name in found],
        }
    )


def by_threshold(found: dict[str, Estimate]) -> str:
    recall, cleared = found["sensitivity"], found["specificity"]
    return (
        f"At the dashed line recall is {wording.interval(recall, True)} and specificity "
        f"{wording.interval(cleared, True)}: moving it to the left finds more ALL cells and raises more "
        "false alarms. Bands are 95 % over patients."
    )


def about_roc(auroc: Estimate) -> str:
    return (
        f"The area under the curve is {wording.interval(auroc)}: the chance that an ALL cell gets a higher "
        "probability than a normal one."
    )


def about_precision(found: dict[str, Estimate], average: Estimate, share: float) -> str:
    return (
        f"Of the cells called ALL-like at the picked threshold, {wording.interval(found['ppv'], True)} are "
        f"ALL; the average precision is {wording.interval(average)}. Both depend on the {share:.0%} of ALL "
        "among these cells: see Prevalence."
    )


def _save(version: Version, picked: Picked, found: dict[str, Estimate]) -> None:
    own = picked.value == version.bundle.threshold
    with st.expander(
        "Save this threshold as a new version", icon=":material/save:", expanded=flash.waits(FLASH)
    ):
        flash.show(FLASH)
        for change in version.bundle.record.changes:
            st.markdown(_line(change))
        st.caption(
            "The network stays the same; threshold, figures and card become those of the picked threshold. "
            f"{plain(version.name)} stays as it is, and so does the model in service."
        )
        if version.number:
            st.page_link(
                "pages/training.py",
                label=f"Put version {version.number} in service on the page Training",
                icon=":material/publish:",
                query_params={"section": "runs", "run": version.run_id},
            )
        if own:
            st.caption("Pick another threshold than the version's own to save it.")
        with st.form("performance-save", border=False):
            st.session_state.setdefault(WHO, identity.name())
            left, right = st.columns([2, 3])
            left.text_input("Your name", key=WHO, max_chars=attribution.MAX_WHO)
            right.text_input("Reason", key=WHY, max_chars=attribution.MAX_WHY)
            target = picked.target or round(found["sensitivity"].value, 4)
            st.form_submit_button(
                f"Save {picked.value:.4f} as a new version",
                icon=":material/save:",
                disabled=own,
                on_click=_keep,
                args=(version, picked, target),
            )


def _line(change: Change) -> str:
    when = change.at[:16].replace("T", " ")
    return (
        f"{plain(when)} UTC, **{plain(change.who)}**: {change.old:.4f} → {change.new:.4f}, "
        f"{plain(change.chosen)}. {plain(change.reason)}"
    )


def _keep(version: Version, picked: Picked, target: float) -> None:
    state = st.session_state
    data = settings.load().data.resolve()
    given = {"who": state[WHO], "reason": state[WHY], "chosen": picked.how, "target": target}
    try:
        number = rethreshold.save(data, version, picked.value, **given)
    except LeukemiaError as error:
        flash.put(FLASH, flash.ERROR, f"Not saved. {error}")
        return
    resources.look_again()
    identity.remember(state[WHO])
    state[WHY] = ""
    state[NEXT] = str(number)
    flash.put(FLASH, flash.SUCCESS, f"Saved as version {number}, with your name and reason.")
