import gc
import shutil

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.testing.v1.element_tree import ElementTree

from tests.support.app import open_dashboard, open_page


@pytest.fixture(scope="module", autouse=True)
def _little_to_collect():
    """Streamlit collects garbage twice a run: what was there before is not looked through each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def app(tiny_bundle, monkeypatch):
    """Start the dashboard in this process with a bundle, by default the tiny one; return its first page."""

    def start(bundle=tiny_bundle):
        monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle))
        return open_dashboard()

    return start


@pytest.fixture
def dataset(looked_through, tmp_path):
    return shutil.copytree(looked_through, tmp_path / "data")


@pytest.fixture
def open_dataset(dataset, drawn_bundle, monkeypatch):
    def start(section, bundle=drawn_bundle, data=dataset, **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle))
        return open_page("dataset", section=section, **query)

    return start


@pytest.fixture
def as_before(monkeypatch):
    """Have what is changed in Streamlit changed for a test alone."""
    for owner, name in (
        (ScriptRunner, "_run_script"),
        (ScriptRunner, "_maybe_handle_execution_control_request"),
        (SafeSessionState, "on_script_will_rerun"),
        (ForwardMsgQueue, "clear"),
        (AppSession, "request_rerun"),
        (AppSession, "_create_scriptrunner"),
        (AppSession, "_handle_scriptrunner_event_on_event_loop"),
        (ScriptRequests, "_request_rerun_locked"),
        (ScriptRunContext, "reset"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))


@pytest.fixture(params=["as laid out", "the other way round"])
def either_order(request, monkeypatch):
    """Have what changed at once sent in this order, and in the other."""
    sent = ElementTree.get_widget_states

    def in_that_order(self):
        widgets = sent(self).widgets
        return WidgetStates(widgets=widgets if request.param == "as laid out" else reversed(widgets))

    monkeypatch.setattr(ElementTree, "get_widget_states", in_that_order)
    return request.param
