"""Monitoring: recent cases beside the record of the model that answered them, and what to do."""

from pathlib import Path

import pandas as pd
import streamlit as st

from leukemia.bundles import bundle as bundles
from leukemia.bundles.bundle import Bundle
from leukemia.errors import BundleError, DatasetError, RecordsError
from leukemia.evaluation.estimate import Estimate
from leukemia.markdown import plain
from leukemia.monitoring import alerts, colours, recent, watch
from leukemia.monitoring.control import State
from leukemia.monitoring.recent import Cells, Model
from leukemia.monitoring.watch import Report
from leukemia.plots import monitoring as charts_of
from leukemia.reports import monitoring_tables
from leukemia.reports import monitoring_wording as wording
from pages.components import charts, figures_by_source, model_in_service
from pages.sections.cases import address, answered_by

EMPTY = (
    "No case has cells yet. Once cases have cells, they are compared here with the patients of the model's "
    "record."
)
ALL_LEFT_OUT = "No cell counts yet."
SHOWN = {
    State.OK: (st.success, ":material/check_circle:"),
    State.WATCH: (st.warning, ":material/visibility:"),
    State.STOP: (st.error, ":material/front_hand:"),
    State.TOO_FEW: (st.info, ":material/hourglass_empty:"),
    State.UNKNOWN: (st.warning, ":material/help:"),
}
# Pixels: left to itself, the table measures the texts of the first rows only.
WIDTHS = {"State": 80, "Measure": 270, "Latest cases": 180, "Model's patients": 180}
MODEL, WINDOW, MEASURE = "monitoring-model", "monitoring-window", "monitoring-measure"


def show(data: Path) -> None:
    """Lay out the conclusion, the table, a chart of one measure, and the agreement of readers."""
    stamp = recent.stamp(data)
    found = _cells(data.resolve(), stamp)
    if not found.models:
        st.info(f"{ALL_LEFT_OUT} {_hidden(found)}" if found.hidden else EMPTY, icon=":material/monitoring:")
        return
    model, window = _choose(found)
    bundle = answered_by.bundle(data, model)
    known = (stamp, bundle.identity if bundle else "", colours.stamp(data))
    report = _report(data.resolve(), known, model, window, found, bundle)
    _conclude(report)
    _record(data, report)
    if report.lines:
        st.caption(plain(_source_words(report, bundle)))
        _table(report)
        for said in (wording.left_out(report, found), wording.to_measure(report)):
            if said:
                st.caption(plain(said))
        _odd(report)
        _chart(report, found)
    _readers(report)


def warn(data: Path) -> None:
    """Say above the list of cases that there is an alert about the model in service."""
    try:
        serving = model_in_service.bundle()
    except BundleError:
        return
    own = bundles.checksum(serving.folder / bundles.RECORD)
    said = [one for one in alerts.active(data) if one.record_sha256 == own]
    if said:
        what = plain(said[0].reason)
        st.error(f"**Monitoring: stop and check.** {what} See **Monitoring**.", icon=":material/front_hand:")


def _choose(found: Cells) -> tuple[Model, int]:
    # The one that answered last comes first.
    order = list(dict.fromkeys(reversed(found.table["model"].tolist())))
    left, right = st.columns(2)
    chosen = left.selectbox(
        "Answered by",
        order,
        format_func=lambda at: _called(found.models[at]),
        key=MODEL,
        help="Each version, and each pair of limits, is compared by itself.",
    )
    window = right.selectbox(
        "Describe the latest",
        watch.WINDOWS,
        index=watch.WINDOWS.index(watch.USUAL_WINDOW),
        format_func=lambda count: f"{count} cases",
        key=WINDOW,
        help="For the table and the charts. Whether there is an alert is decided over all cases.",
    )
    return found.models[chosen], window


def _called(model: Model) -> str:
    low, high = model.point.limits
    return f"{model.label} (limits {low:.3f} and {high:.3f})"


def _conclude(report: Report) -> None:
    concluded = wording.conclusion(report)
    box, icon = SHOWN[concluded.state]
    found = "  \n".join(map(plain, concluded.found))
    to_do = "".join(f"\n- {plain(one)}" for one in concluded.to_do)
    box(f"**{concluded.state}.** {found}\n{to_do}", icon=icon)


def _record(data: Path, report: Report) -> None:
    try:
        alerts.record(data, report, wording.sentences(report))
    except RecordsError as error:
        st.warning(plain(f"The alert could not be put on record. {error}"), icon=":material/warning:")


def _source_words(report: Report, bundle: Bundle | None) -> str:
    return wording.nearest(report, _figures(report, bundle) if bundle and report.source else None)


def _figures(report: Report, bundle: Bundle) -> dict[str, Estimate] | None:
    try:
        known = figures_by_source.at(bundle, report.model.point)
    except DatasetError:
        return None
    own = known.sources.get(report.source) if known else None
    return {name: own.estimates[name] for name in ("sensitivity", "specificity")} if own else None


def _table(report: Report) -> None:
    table = pd.DataFrame(monitoring_tables.rows(report), columns=list(monitoring_tables.HEADER))
    widths = {name: st.column_config.Column(width=width) for name, width in WIDTHS.items()}
    st.dataframe(table, hide_index=True, width="stretch", height="content", column_config=widths)
    st.caption(monitoring_tables.ABOUT)
    st.download_button(
        "Download the table as CSV",
        lambda: monitoring_tables.to_csv(report),
        file_name="monitoring.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _odd(report: Report) -> None:
    odd = report.odd_cases()
    if not odd:
        return
    with st.expander(f"Cases outside the limits of a case ({len(odd):,})", icon=":material/search:"):
        for place, names in list(odd.items())[:20]:
            number, identifier = report.cases.numbers[place], report.cases.identifiers[place]
            left, right = st.columns([1, 2], vertical_alignment="center")
            left.button(
                plain(identifier),
                key=f"monitoring-open-{number}",
                icon=":material/folder_open:",
                on_click=address.open_case,
                args=(number,),
                width="stretch",
            )
            right.markdown(plain(", ".join(wording.TITLES[name] for name in names)))


def _chart(report: Report, found: Cells) -> None:
    names, rank = list(report.lines), [State.STOP, State.WATCH]
    bad = [name for state in rank for name in names if report.lines[name].state == state]
    chosen = st.selectbox(
        "Chart of",
        names,
        index=names.index((bad or names)[0]),
        format_func=lambda name: f"{wording.TITLES[name]} ({report.lines[name].state})",
        key=MEASURE,
    )
    charts.show(charts_of.control_chart(report, found, chosen), key="monitoring-chart")


def _readers(report: Report) -> None:
    st.markdown("**Readers**")
    lines = wording.agreement(report.readers)
    if not lines:
        st.caption("Agreement is shown once cases are signed.")
        return
    for line in lines:
        st.markdown(plain(line))
    if any(one.with_model or one.between for one in report.readers.blocks):
        charts.show(charts_of.agreement_chart(report.readers), key="monitoring-agreement")


def _hidden(found: Cells) -> str:
    cases = "1 open case hides" if found.hidden == 1 else f"{found.hidden:,} open cases hide"
    return f"{cases} the model's answer and will be counted once signed."


# Numbers and identifiers of cases only, which everybody who is signed in may see; no picture.
@st.cache_resource(max_entries=2, show_spinner="Reading the cases …")
def _cells(data: Path, stamp: int) -> Cells:
    return recent.cells(data)


@st.cache_resource(max_entries=8, show_spinner="Comparing the cases …")
def _report(
    data: Path, known: tuple, model: Model, window: int, _found: Cells, _bundle: Bundle | None
) -> Report:
    learned = model_in_service.learned_from(_bundle).images if _bundle else ()
    return watch.of_model(data, _found, model, _bundle, learned=learned, window=window)
