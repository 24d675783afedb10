"""Where recall sinks: by cell size, brightness and source."""

import pandas as pd
import streamlit as st

from leukemia.evaluation import subgroups, wording
from leukemia.evaluation.estimates import Estimate
from leukemia.markdown import plain
from leukemia.registry.versions import Version
from pages.sections.performance import more_charts, resources
from pages.sections.performance.operating_point import chart
from pages.sections.performance.threshold_picker import Picked

BY = (subgroups.SIZE, subgroups.BRIGHTNESS, subgroups.SOURCE)


def show(version: Version, picked: Picked) -> None:
    known = resources.known(version.bundle)
    for by in BY:
        part = subgroups.split(known, by)
        st.subheader(by)
        if not part.notna().any():
            st.info(absent(by), icon=":material/help:")
            continue
        found = subgroups.table(known, part, picked.value)
        chart(more_charts.parts(found, by), notice(found, by))
        st.dataframe(shown(found), hide_index=True)
        if (left_out := int(part.isna().sum())) > 0:
            st.caption(f"{left_out:,} cells are left out: not measured or not in this data folder.")


def absent(by: str) -> str:
    return f"{by} is not known: these cells are not in this data folder" + (
        ", or not measured yet (the Dataset page measures)." if by == subgroups.BRIGHTNESS else "."
    )


def notice(found: pd.DataFrame, by: str) -> str:
    row = subgroups.worst(found)
    if row is None:
        return f"Too few parts with at least {subgroups.ENOUGH} ALL cells to say where recall sinks."
    best = found[found["all_cells"] >= subgroups.ENOUGH]["sensitivity"].max()
    low = found.loc[found["specificity"].idxmin()] if found["specificity"].notna().any() else None
    said = f"Recall is lowest in {plain(row['part'])}: {row['sensitivity']:.1%}, against {best:.1%} at best."
    if low is not None:
        said += f" Specificity is lowest in {plain(low['part'])}: {low['specificity']:.1%}."
    return said


def shown(found: pd.DataFrame) -> pd.DataFrame:
    """The table as it is read."""
    out = {"part": found["part"], "ALL cells": found["all_cells"], "normal cells": found["normal_cells"]}
    out["patients"] = found["patients"]
    for name, title in (("sensitivity", "recall"), ("specificity", "specificity"), ("auroc", "AUROC")):
        out[f"{title} (95 %)"] = [_interval(row, name) for row in found.to_dict("records")]
    return pd.DataFrame(out)


def _interval(row: dict, name: str) -> str:
    figure = Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])
    return wording.interval(figure, percent=name != "auroc")
