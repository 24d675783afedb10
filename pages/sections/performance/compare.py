"""Versions side by side, on the cells that all of them held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from leukemia.evaluation import comparison, estimates
from leukemia.evaluation.breakdown import source_words
from leukemia.evaluation.comparison import Difference
from leukemia.markdown import plain
from leukemia.operating_point import WORDS, OperatingPoint
from leukemia.plots import comparison as curves
from leukemia.registry.versions import Version
from leukemia.reports import wording
from pages.components import cell_cards, cell_grid, cell_opener, cell_view, charts
from pages.sections.performance import resources
from pages.sections.performance.threshold_picker import Picked

KEY = "performance-others"
DRAWN = ("sensitivity", "specificity", "ppv", "auroc")  # what the charts show of a version
MOST = 4  # others at once: as many as the charts tell apart
FIRST = ("sensitivity", "specificity", "auroc", "brier")
SHOWN = 24
LEAKY = (
    "{} was tested on patients it was also trained on: a comparison with it says nothing about new patients."
)


def show(version: Version, picked: Picked, others: Sequence[Version]) -> None:
    """Lay out the choice of other versions, and this one beside them."""
    by_name = {str(one.folder): one for one in others if one.folder != version.folder}
    if not by_name:
        st.info(
            "There is only one version. Train another, or save another threshold as a version.",
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
        st.caption("Choose at least one version to compare with this one, on the same patients.")
        return
    others = [resources.fetched(by_name[folder]) for folder in chosen]
    for one in others:
        if one.bundle is None:
            st.error(plain(f"{resources.name(one)}: {one.problem}"), icon=":material/error:")
    together = [version, *(one for one in others if one.bundle)]
    if len(together) == 1:
        return
    points = [picked.point, *(one.bundle.operating_point for one in together[1:])]
    _beside(together, points)


def _beside(together: list[Version], points: list[OperatingPoint]) -> None:
    for one in together:
        if one.bundle.leaky:
            st.warning(LEAKY.format(plain(one.name)), icon=":material/warning:")
    pairs = paired(together, points)
    frame = pairs.of.frame
    names = [one.name for one in together]
    cohort = comparison.on_shared(frame, [one.bundle.predictions for one in together], names)
    st.caption(
        f"{plain(cohort)} 95% intervals come from 1,000 bootstrap resamples of patients. Thresholds: "
        f"{plain(names[0])} as chosen above, the others at their own: "
        + ", ".join(f"{plain(name)} {at.threshold:.4f}" for name, at in zip(names, points, strict=True))
        + ". Differences are paired: each resample draws the same patients for both."
    )
    by_source = comparison.by_source(pairs.of.by_source, points) if pairs.of.by_source else []
    for number, (name, against) in enumerate(zip(names[1:], pairs.against_first, strict=True)):
        st.markdown(f"**{plain(name)}** against {plain(names[0])}")
        st.markdown("  \n".join(marked(one) for one in against if one.name in FIRST))
        with st.expander(f"All metrics: {plain(name)}"):
            st.dataframe(table(against, names[0], name), hide_index=True)
        if by_source:
            rows = source_words.differences(by_source[number])
            st.dataframe(pd.DataFrame(rows, columns=list(source_words.DIFFERENCES)), hide_index=True)
    st.caption(source_words.PAIRED if by_source else source_words.UNKNOWN)
    _curves(names, pairs.of, pairs.columns)
    _disagreements(together, frame, points)


@dataclass(frozen=True)
class Paired:
    """Versions on the cells that all of them held out; see :mod:`leukemia.evaluation.comparison`.

    Attributes
    ----------
    of : resources.Shared
    columns : list of dict of str to numpy.ndarray
        Metrics of each version.
    against_first : list of list of Difference
        Of each version but the first, less the first.
    """

    of: resources.Shared
    columns: list[dict[str, np.ndarray]]
    against_first: list[list[Difference]]


def paired(together: Sequence[Version], points: Sequence[OperatingPoint]) -> Paired:
    """Metrics and paired differences of versions, each at its operating point; raises DatasetError."""
    of = resources.together([one.bundle for one in together])
    columns = [
        comparison.columns(one, at, ranking)
        for one, at, ranking in zip(of.cells, points, of.ranking, strict=True)
    ]
    return Paired(of, columns, [comparison.differences(columns[0], other) for other in columns[1:]])


def table(differences: list[Difference], first: str, second: str) -> pd.DataFrame:
    """Differences as they are read."""
    second = second if second != first else f"{second} (2)"
    return pd.DataFrame(
        {
            "metric": [comparison.WORDS[one.name] for one in differences],
            first: [wording.estimate(one.name, one.first) for one in differences],
            second: [wording.estimate(one.name, one.second) for one in differences],
            "difference (95%)": [one.sentence() for one in differences],
        }
    )


def marked(one: Difference) -> str:
    """A difference in words, in Markdown, with a mark that tells better from worse."""
    icon = {comparison.BETTER: "▲", comparison.WORSE: "▼"}.get(one.verdict, "○")
    return f"{icon} {plain(one.sentence())}"


def _curves(names: list[str], of: resources.Shared, columns: list[dict[str, np.ndarray]]) -> None:
    at = [estimates.estimates({name: own[name] for name in DRAWN}) for own in columns]
    left, right = st.columns(2, gap="medium")
    with left:
        charts.show(curves.rocs(names, of.roc, at))
    with right:
        share = float(of.cells[0].truth.mean())
        charts.show(curves.precision_recalls(names, of.precision_recall, at, share))


def _disagreements(together: list[Version], frame: pd.DataFrame, points: list[OperatingPoint]) -> None:
    cells = comparison.disagreements(frame, points)
    st.subheader(f"Cells on which they disagree: {len(cells):,} of {len(frame):,}")
    if cells.empty:
        st.caption("The versions agree on every cell.")
        return
    right = [int((cells[f"called_{number}"] == cells["label"]).sum()) for number in range(len(together))]
    scores = "; ".join(f"{plain(one.name)} {count:,}" for one, count in zip(together, right, strict=True))
    st.caption(f"Called correctly: {scores}. The {min(SHOWN, len(cells))} on which they differ most:")
    part = cells.head(SHOWN)
    known = resources.cells_with_facts(together[0].bundle).drop_duplicates("image_id").set_index("image_id")
    rows = part.assign(
        probability=part[0],
        path=part["image_id"].map(known["path"]),
        source=part["image_id"].map(known["source"]),
    )
    rows = rows[["image_id", "patient_group", "label", "probability", "path", "source"]]
    lines = {
        row["image_id"]: "; ".join(
            f"{together[number].name} {row[number]:.3f}: {WORDS[row[f'called_{number}']]}"
            for number in range(1, len(together))
        )
        for row in part.to_dict("records")
    }
    st.html(cell_grid.STYLE)
    spoken = "Cells on which the versions disagree, the most different first"
    st.html(cell_cards.grid(rows, points[0], spoken, lines))
    cell_opener.listen(f"{KEY}-opener", partial(cell_view.open_it, KEY))
    name = resources.name(together[0])
    cells = cell_cards.opened(rows, together[0].bundle, lines)
    cell_view.window(cells, together[0].bundle, points[0], place=KEY, version=name)
