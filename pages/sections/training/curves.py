"""Curves of a training with what to notice in them: of the one at work, and of those that were."""

from typing import Any

import pandas as pd
import streamlit as st

from pages.sections.training import live_charts, notices
from pages.sections.training.live_charts import Seen


def show(seen: Seen) -> None:
    """Lay out loss, and recall with specificity, epoch by epoch."""
    left, right = st.columns(2, gap="medium")
    with left:
        _chart(*live_charts.loss(seen), notices.loss(seen.history, seen.step))
    with right:
        _chart(*live_charts.rates(seen), notices.rates(seen.history))


def _chart(rows: pd.DataFrame, chart: dict[str, Any], notice: str) -> None:
    st.vega_lite_chart(rows, chart)
    st.caption(notice)
