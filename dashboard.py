"""The front door: page config, navigation, the research-use notice.

Start it with ``make run``, or ``streamlit run server.py``.
"""

import logging
from pathlib import Path

import streamlit as st

from leukemia.access import acting, permissions
from leukemia.access.permissions import Action
from leukemia.errors import LeukemiaError
from leukemia.markdown import plain
from leukemia.settings import RESEARCH_USE
from pages.components import pending, service_change, sign_in, tour

acting.ask(sign_in.user)
# A named icon would be fetched from the internet.
COMPONENTS = Path(__file__).parent / "pages" / "components"
ICON = COMPONENTS / "icon.svg"
UNEXPECTED = "Something went wrong. Reload the page. The details are in the server's log."

st.set_page_config(page_title="Leukemia: classify cells", page_icon=str(ICON), layout="wide")
page = st.navigation(
    [
        st.Page("pages/classify.py", title="Classify", icon=":material/biotech:", default=True),
        st.Page("pages/cases.py", title="Cases", icon=":material/folder_shared:"),
        st.Page("pages/dataset.py", title="Dataset", icon=":material/dataset:"),
        st.Page("pages/performance.py", title="Performance", icon=":material/monitoring:"),
        st.Page("pages/training.py", title="Training", icon=":material/model_training:"),
    ],
    position="top",
)
st.html(COMPONENTS / "theme.css")
bar = st.bottom.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
bar.caption(f"**{RESEARCH_USE}**", width="content")
if not sign_in.gate():
    st.stop()
try:
    permissions.require(Action.VIEW)
    sign_in.show(bar)
    tour.show()
    service_change.show()
    # In a process that a page starts, this runs without a browser, and there is no page.
    pending.leave(getattr(page, "title", ""))
    page.run()
except LeukemiaError as error:
    st.error(plain(str(error)), icon=":material/error:")
except Exception:
    logging.getLogger("leukemia.dashboard").exception("page %s failed", page.title)
    st.error(UNEXPECTED, icon=":material/error:")
