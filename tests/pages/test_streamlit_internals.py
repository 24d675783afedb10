"""Streamlit's private interfaces as this project uses them."""

import asyncio
import socket
from types import SimpleNamespace

import pytest
import streamlit
import uvicorn
from streamlit.proto.BackMsg_pb2 import BackendOperationRequest
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest

from leukemia.errors import AccessError
from pages.components import streamlit_internals
from tests.support.app import PATIENCE
from tests.support.loop import run

CHECKED_WITH = "1.67.0"


def test_the_version_in_use_is_the_one_that_was_checked():
    assert streamlit.__version__ == CHECKED_WITH, (
        "pages/components/streamlit_internals.py was written for another Streamlit: read it beside the new "
        "one's source, open a page's own address right after a start, answer an upload, then name it here."
    )


def test_the_pages_folder_is_left_once(monkeypatch):
    from streamlit.runtime.pages_manager import PagesManager

    monkeypatch.setattr(PagesManager, "uses_pages_directory", True)
    assert streamlit_internals.leave_pages_folder()
    assert PagesManager.uses_pages_directory is False
    assert not streamlit_internals.leave_pages_folder()


def page_with_uploads():
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from pages.components import streamlit_internals

    files = st.file_uploader("Files", accept_multiple_files=True)
    if files:
        streamlit_internals.drop_uploads([files[0].file_id])
        context = get_script_run_ctx()
        ids = [file.file_id for file in files]
        held = context.uploaded_file_mgr.get_files(context.session_id, ids)
        st.text([(record.name, record.data) for record in held])


def test_the_bytes_of_an_upload_are_dropped_and_its_name_stays():
    page = AppTest.from_function(page_with_uploads, default_timeout=PATIENCE).run()
    page.file_uploader[0].set_value([("a.bmp", b"one", "image/bmp"), ("b.bmp", b"two", "image/bmp")]).run()
    assert not page.exception
    assert page.text[0].value == str([("a.bmp", b""), ("b.bmp", b"two")])


async def waits():
    """Whether the server's end of a connection waits, of a server that was handed a socket."""

    async def nothing(scope, receive, send):
        pass

    with socket.socket() as listener:
        listener.bind(("localhost", 0))
        listener.listen()
        config = uvicorn.Config(nothing, lifespan="off", log_config=None)
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup([listener])
        _, writer = await asyncio.open_connection(*listener.getsockname())
        while not server.server_state.connections:
            await asyncio.sleep(0.01)
        (connection,) = server.server_state.connections
        own = connection.transport.get_extra_info("socket")
        answer = not own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        writer.close()
        await server.shutdown()
        return answer


def test_the_server_holds_no_piece_of_an_answer_back(monkeypatch):
    monkeypatch.setattr(uvicorn.Server, "startup", uvicorn.Server.startup)
    assert run(waits()), "uvicorn does it itself: send_at_once is not needed"
    streamlit_internals.send_at_once()
    assert not run(waits())


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_part_of_a_page_runs_by_itself_only_while_its_user_may_see_it(monkeypatch, goes_on):
    runs = []

    def run(self, rerun_data):
        runs.append((rerun_data.fragment_id_queue, streamlit_internals.is_automatic_run()))

    monkeypatch.setattr(ScriptRunner, "_run_script", run)
    asked = []
    streamlit_internals.before_each_run(lambda claims: asked.append(claims) or goes_on)
    runner = SimpleNamespace(_user_info={"sub": "ada"})
    ScriptRunner._run_script(runner, RerunData(fragment_id_queue=["part"], is_auto_rerun=True))
    ScriptRunner._run_script(runner, RerunData())
    assert runs == [(["part"] if goes_on else [], True), ([], False)]
    # The whole page asks by itself.
    assert asked == [{"sub": "ada"}]


def page_that_counts():
    import streamlit as st

    from pages.components import streamlit_internals

    found = []
    for _ in range(3):
        streamlit_internals.once_a_run("it", lambda: found.append(1) or len(found))
    st.text(len(found))


def test_what_is_found_once_a_run_is_found_again_in_the_next():
    page = AppTest.from_function(page_that_counts, default_timeout=PATIENCE)
    for _ in range(2):
        page.run()
        assert page.text[0].value == "1"
    first, second = (streamlit_internals.once_a_run("it", object) for _ in range(2))
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
    streamlit_internals.tell_why_no_download()
    caplog.clear()
    refused = press(refuse)
    assert (refused.request_id, refused.error_msg) == ("1", "It is kept back.")
    assert "Traceback" not in caplog.text
    assert press(lambda: 1 / 0).error_msg == streamlit_internals.NO_DOWNLOAD
    assert "ZeroDivisionError" in caplog.text
    made = press(lambda: b"a,b")
    assert made.deferred_file.url.startswith("/media/") and not made.error_msg


def page_with_two_clicks_at_once():
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

    def clicked():
        context = get_script_run_ctx()
        # As of another click, which comes now.
        context.script_requests.request_rerun(RerunData(page_script_hash=context.page_script_hash))
        st.session_state["begun"] = True
        st.session_state["done"] = True

    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    st.button("Save", on_click=clicked)
    st.text(st.session_state.get("done", False))
    st.text(st.session_state["runs"])


def test_a_callback_runs_to_its_end_though_another_click_waits(monkeypatch):
    name = "_maybe_handle_execution_control_request"
    monkeypatch.setattr(ScriptRunner, name, getattr(ScriptRunner, name))

    def click():
        page = AppTest.from_function(page_with_two_clicks_at_once, default_timeout=PATIENCE).run()
        page.button[0].click().run()
        assert not page.exception
        return [text.value for text in page.text]

    assert click() == ["False", "2"], "Streamlit does it itself: finish_callbacks is not needed"
    streamlit_internals.finish_callbacks()
    # The click that waited is taken after it, once.
    assert click() == ["True", "2"]
