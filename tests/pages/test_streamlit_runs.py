"""Streamlit's private interfaces of a page's runs as this project uses them."""

from types import SimpleNamespace

import pytest
from streamlit.proto.BackMsg_pb2 import BackendOperationRequest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest

from leukemia.errors import AccessError
from pages.components import streamlit_runs
from tests.support.app import PATIENCE
from tests.support.loop import run


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_part_of_a_page_runs_by_itself_only_while_its_user_may_see_it(monkeypatch, goes_on):
    runs = []

    def run(self, rerun_data):
        runs.append((rerun_data.fragment_id_queue, streamlit_runs.is_automatic_run()))

    monkeypatch.setattr(ScriptRunner, "_run_script", run)
    asked = []
    streamlit_runs.before_each_run(lambda claims: asked.append(claims) or goes_on)
    streamlit_runs.note_each_run()
    runner = SimpleNamespace(_user_info={"sub": "ada"})
    of = WidgetStates()
    ScriptRunner._run_script(
        runner, RerunData(widget_states=of, fragment_id_queue=["part"], is_auto_rerun=True)
    )
    ScriptRunner._run_script(runner, RerunData(widget_states=of))
    assert runs == [(["part"] if goes_on else [], True), ([], False)]
    # The whole page asks by itself.
    assert asked == [{"sub": "ada"}]


def page_that_counts():
    import streamlit as st

    from pages.components import streamlit_runs

    found = []
    for _ in range(3):
        streamlit_runs.once_a_run("it", lambda: found.append(1) or len(found))
    st.text(len(found))


def test_what_is_found_once_a_run_is_found_again_in_the_next():
    page = AppTest.from_function(page_that_counts, default_timeout=PATIENCE)
    for _ in range(2):
        page.run()
        assert page.text[0].value == "1"
    first, second = (streamlit_runs.once_a_run("it", object) for _ in range(2))
    assert first is not second


def test_a_download_that_cannot_be_made_says_why_and_others_say_where_to_look(monkeypatch, caplog):
    monkeypatch.setattr(DeferredFileHandler, "handle", DeferredFileHandler.handle)
    files = MediaFileManager(MemoryMediaFileStorage("/media"))

    def press(make):
        asked = BackendOperationRequest(request_id="1")
        asked.deferred_file.file_id = files.add_deferred(make, "text/csv", "button")
        return run(DeferredFileHandler(lambda: files).handle(asked, "session"))

    def refuse():
        raise AccessError("It is kept back.")

    assert press(refuse).error_msg != "It is kept back.", "Streamlit says it itself"
    streamlit_runs.tell_why_no_download()
    caplog.clear()
    refused = press(refuse)
    assert (refused.request_id, refused.error_msg) == ("1", "It is kept back.")
    assert "Traceback" not in caplog.text
    assert press(lambda: 1 / 0).error_msg == streamlit_runs.NO_DOWNLOAD
    assert "ZeroDivisionError" in caplog.text
    made = press(lambda: b"a,b")
    assert made.deferred_file.url.startswith("/media/") and not made.error_msg
