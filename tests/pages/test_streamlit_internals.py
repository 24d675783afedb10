"""Streamlit's private interfaces as this project uses them."""

import asyncio
import socket

import streamlit
import uvicorn
from streamlit.testing.v1 import AppTest

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
