"""Versions side by side, on the cells that all of them held out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from leukemia.evaluation import comparison, estimates, wording
from leukemia.evaluation.comparison import Difference
from leukemia.evaluation.estimates import Estimate
from leukemia.markdown import plain
from leukemia.registry.versions import Version
from pages.components import cell_grid as look
from pages.sections.performance import cell_cards, charts, resources
from pages.sections.performance.operating_point import chart, people
from pages.sections.performance.threshold_picker import Picked

KEY = "performance-others"
MOST = 4  # others at once: as many as the charts tell apart
FIRST = ("sensitivity", "specificity", "auroc", "brier")
SHOWN = 24
LEAKY = (
    "{} was judged on patients that it had learned from: a difference from it says nothing of new patients."
)


def show(version: Version, picked: Picked, others: Sequence[Version]) -> None:
    by_name = {str(one.folder): one for one in others if one.folder != version.folder}
    if not by_name:
        st.info(
            "There is one version only: train another, or save another threshold as a version.",
            icon=":material/info:",
        )
        return
    chosen = st.multiselect(
        "Compare with",
        list(by_name),
        max_selections=MOST,
        format_func=lambda folder: resources.name(by_name[folder]),
        key=KEY,
        placeholder="Choose one to four versions",
    )
    if not chosen:
        st.caption("Choose at least one version to see it beside this one, on the same patients.")
        return
    others = [resources.fetched(by_name[folder]) for folder in chosen]
    for one in others:
        if one.bundle is None:
            st.error(plain(f"{resources.name(one)}: {one.problem}"), icon=":material/error:")
    together = [version, *(one for one in others if one.bundle)]
    if len(together) == 1:
        return
    thresholds = [picked.value, *(one.bundle.threshold for one in together[1:])]
    _beside(together, thresholds)


def _beside(together: list[Version], thresholds: list[float]) -> None:
    for one in together:
        if one.bundle.leaky:
            st.warning(LEAKY.format(plain(one.name)), icon=":material/warning:")
    found = paired(together, thresholds)
    frame = found.of.frame
    names = [one.name for one in together]
    st.caption(
        f"On {people(frame)} Thresholds: {plain(names[0])} as picked above, the others their own: "
        + ", ".join(f"{plain(name)} {at:.4f}" for name, at in zip(names, thresholds, strict=True))
        + ". Differences are paired: each resample draws the same patients for both."
    )
    for name, against in zip(names[1:], found.against_first, strict=True):
        st.markdown(f"**{plain(name)}** against {plain(names[0])}")
        st.markdown("  \n".join(marked(one) for one in against if one.name in FIRST))
        with st.expander(f"All figures: {plain(name)}"):
            st.dataframe(table(against, names[0], name), hide_index=True)
    _curves(names, found.of, found.columns)
    _disagreements(together, frame, thresholds)


@dataclass(frozen=True)
class Paired:
    """Versions on the cells that all of them held out; see :mod:`leukemia.evaluation.comparison`.

    Attributes
    ----------
    of : opened.Shared
    columns : list of dict of str to numpy.ndarray
        Figures of each version.
    against_first : list of list of Difference
        Of each version but the first, less the first.
    """

    of: resources.Shared
    columns: list[dict[str, np.ndarray]]
    against_first: list[list[Difference]]


def paired(together: Sequence[Version], thresholds: Sequence[float]) -> Paired:
    """Figures and paired differences of versions, each at its threshold; raises DatasetError."""
    of = resources.together([one.bundle for one in together])
    columns = [
        estimates.all_columns(one, at, ranking)
        for one, at, ranking in zip(of.cells, thresholds, of.ranking, strict=True)
    ]
    return Paired(of, columns, [comparison.differences(columns[0], other) for other in columns[1:]])


def table(found: list[Difference], first: str, second: str) -> pd.DataFrame:
    """Differences as they are read."""
    second = second if second != first else f"{second} (2)"
    return pd.DataFrame(
        {
            "figure": [comparison.WORDS[one.name] for one in found],
            first: [wording.interval(one.first) for one in found],
            second: [wording.interval(one.second) for one in found],
            "difference (95 %)": [one.sentence() for one in found],
        }
    )


def marked(one: Difference) -> str:
    """A difference in words, in Markdown, with a mark that tells better from worse."""
    icon = {comparison.BETTER: "▲", comparison.WORSE: "▼"}.get(one.verdict, "○")
    return f"{icon} {plain(one.sentence())}"


def _curves(names: list[str], of: resources.Shared, columns) -> None:
    labels = [f"{number}: {name}" for number, name in enumerate(names, 1)]
    at: list[dict[str, Estimate]] = [
        {name: estimates.estimate(values[name]) for name in ("sensitivity", "specificity", "ppv", "auroc")}
        for values in columns
    ]
    left, right = st.columns(2, gap="medium")
    with left:
        found = dict(zip(labels, zip(of.roc, at, strict=True), strict=True))
        told = "; ".join(f"{name} {own['auroc'].value:.3f}" for name, own in zip(names, at, strict=True))
        chart(charts.rocs(found), f"The higher curve is better. Areas: {plain(told)}.")
    with right:
        found = dict(zip(labels, zip(of.precision_recall, at, strict=True), strict=True))
        share = float(of.cells[0].truth.mean())
        notice = "Marks are the thresholds in use: the farther up and right, the better."
        chart(charts.precision_recalls(found, share), notice)


def _disagreements(together: list[Version], frame: pd.DataFrame, thresholds: list[float]) -> None:
    found = comparison.disagreements(frame, thresholds)
    st.subheader(f"Cells on which they disagree: {len(found):,} of {len(frame):,}")
    if found.empty:
        st.caption("They call every cell the same.")
        return
    right = [int((found[f"called_{number}"] == found["label"]).sum()) for number in range(len(together))]
    said = "; ".join(
        f"{plain(one.name)} is right on {count:,}" for one, count in zip(together, right, strict=True)
    )
    st.caption(f"{said}. The {min(SHOWN, len(found))} that they see most differently:")
    part = found.head(SHOWN)
    known = resources.known(together[0].bundle).drop_duplicates("image_id").set_index("image_id")
    rows = part.assign(
        probability=part[0],
        path=part["image_id"].map(known["path"]),
        source=part["image_id"].map(known["source"]),
    )
    rows = rows[["image_id", "patient_group", "label", "probability", "path", "source"]]
    lines = {
        row["image_id"]: "; ".join(
            f"{together[number].name} {row[number]:.3f}: {row[f'called_{number}']}-like"
            for number in range(1, len(together))
        )
        for row in part.to_dict("records")
    }
    st.html(look.STYLE)
    spoken = "Cells on which the versions disagree, the most different first"
    st.html(cell_cards.grid(rows, thresholds[0], spoken, lines))
