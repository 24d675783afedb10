"""Streamlit's private interfaces of a page's runs as this project uses them."""

import contextlib
from types import SimpleNamespace

import pytest
from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value
from streamlit.proto.BackMsg_pb2 import BackendOperationRequest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from leukemia.errors import AccessError
from pages.components import streamlit_runs
from tests.support.app import PATIENCE
from tests.support.loop import run


@pytest.fixture
def as_before(monkeypatch):
    """Have what is changed in Streamlit changed for a test alone."""
    for owner, name in (
        (ScriptRunner, "_maybe_handle_execution_control_request"),
        (SafeSessionState, "on_script_will_rerun"),
        (ForwardMsgQueue, "clear"),
        (AppSession, "request_rerun"),
        (ScriptRequests, "_request_rerun_locked"),
        (ScriptRunContext, "reset"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_part_of_a_page_runs_by_itself_only_while_its_user_may_see_it(monkeypatch, goes_on):
    runs = []

    def run(self, rerun_data):
        runs.append((rerun_data.fragment_id_queue, streamlit_runs.is_automatic_run()))

    monkeypatch.setattr(ScriptRunner, "_run_script", run)
    asked = []
    streamlit_runs.before_each_run(lambda claims: asked.append(claims) or goes_on)
    runner = SimpleNamespace(_user_info={"sub": "ada"})
    of = WidgetStates()
    ScriptRunner._run_script(
        runner, RerunData(widget_states=of, fragment_id_queue=["part"], is_auto_rerun=True)
    )
    ScriptRunner._run_script(runner, RerunData(widget_states=of))
    assert runs == [(["part"] if goes_on else [], True), ([], False)]
    # The whole page asks by itself.
    assert asked == [{"sub": "ada"}]


def test_a_click_that_ends_an_automatic_run_is_no_automatic_run(as_before, monkeypatch):
    found = {"user": "as it was"}
    monkeypatch.setattr(streamlit_runs, "_found", lambda: found)

    def check(self):
        raise RerunException(RerunData(widget_states=WidgetStates(), is_auto_rerun=False))

    ScriptRunner._maybe_handle_execution_control_request = check
    streamlit_runs.finish_callbacks()
    monkeypatch.setattr(streamlit_runs._this_run, "is_automatic", True, raising=False)
    with pytest.raises(RerunException):
        ScriptRunner._maybe_handle_execution_control_request(SimpleNamespace())
    assert not streamlit_runs.is_automatic_run()
    # And it finds anew who sits before the page.
    assert found == {}


def test_a_page_that_runs_itself_anew_in_an_automatic_run_is_still_nobodys(as_before, monkeypatch):
    def check(self):
        raise RerunException(RerunData(widget_states=None))

    ScriptRunner._maybe_handle_execution_control_request = check
    streamlit_runs.finish_callbacks()
    monkeypatch.setattr(streamlit_runs._this_run, "is_automatic", True, raising=False)
    with pytest.raises(RerunException):
        ScriptRunner._maybe_handle_execution_control_request(SimpleNamespace())
    assert streamlit_runs.is_automatic_run()


def by_hand(page, query="", **more):
    return RerunData(query_string=query, page_script_hash=page, widget_states=WidgetStates(), **more)


def by_itself(page, query="of=page"):
    return RerunData(query_string=query, page_script_hash=page)


def taken(*asked):
    """What is taken of requests that come one after another while page 1 runs."""
    requests = ScriptRequests()
    for one in asked:
        assert requests.request_rerun(one)
    return requests.on_scriptrunner_ready().rerun_data


@pytest.fixture
def on_page_1(as_before, monkeypatch):
    context = SimpleNamespace(page_script_hash="1")
    monkeypatch.setattr(streamlit_runs, "get_script_run_ctx", lambda **_: context)


def test_a_page_that_runs_itself_anew_goes_where_somebody_asked_to_go_meanwhile(on_page_1):
    leaves = by_hand("2", "of=link"), by_itself("1")
    goes_back = by_hand("1", "of=back", is_history_navigation=True), by_itself("1")
    assert taken(*leaves).page_script_hash == "1", "Streamlit does it itself: go_where_asked is not needed"
    streamlit_runs.go_where_asked()
    assert (taken(*leaves).page_script_hash, taken(*leaves).query_string) == ("2", "of=link")
    assert (taken(*goes_back).query_string, taken(*goes_back).is_history_navigation) == ("of=back", True)
    # Of a click on the page itself, the address is the page's; and it goes where it leads itself.
    assert taken(by_hand("1", "of=click"), by_itself("1")).query_string == "of=page"
    assert taken(by_hand("3", "of=link"), by_itself("2")).page_script_hash == "2"
    assert taken(by_itself("1", "alone")).query_string == "alone"


def test_a_click_before_an_automatic_run_is_somebodys(on_page_1):
    click, tick = by_hand("1"), by_hand("1", fragment_id="part", is_auto_rerun=True)
    assert taken(click, tick).is_auto_rerun, "Streamlit does it itself: go_where_asked is not needed"
    streamlit_runs.go_where_asked()
    assert not taken(click, tick).is_auto_rerun
    assert not taken(tick, click).is_auto_rerun
    # What the page asks for in an automatic run is not.
    assert taken(tick, by_itself("1")).is_auto_rerun
    assert taken(tick).is_auto_rerun


def test_a_run_of_a_page_begins_at_its_top(as_before):
    def begin():
        context_dg_stack.set(("as a part left it",))
        context = SimpleNamespace()
        with contextlib.suppress(AttributeError):
            ScriptRunContext.reset(context)
        found = context_dg_stack.get()
        context_dg_stack.set(get_default_dg_stack_value())
        return found

    assert begin() == ("as a part left it",), "Streamlit does it itself: begin_at_the_top is not needed"
    streamlit_runs.begin_at_the_top()
    assert begin() == get_default_dg_stack_value()


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


def test_a_callback_runs_to_its_end_though_another_click_waits(as_before):
    def click():
        page = AppTest.from_function(page_with_two_clicks_at_once, default_timeout=PATIENCE).run()
        page.button[0].click().run()
        assert not page.exception
        return [text.value for text in page.text]

    assert click() == ["False", "2"], "Streamlit does it itself: finish_callbacks is not needed"
    streamlit_runs.finish_callbacks()
    # The click that waited is taken after it, once.
    assert click() == ["True", "2"]


def page_with_a_click():
    import streamlit as st

    def clicked():
        st.session_state["done"] = st.session_state.get("done", 0) + 1

    st.button("Save", on_click=clicked)
    st.text(st.session_state.get("done", 0))


def test_a_click_is_not_dropped_for_another_that_comes_before_its_callback_began(as_before, monkeypatch):
    begin = LocalScriptRunner._new_module

    def click():
        page = AppTest.from_function(page_with_a_click, default_timeout=PATIENCE).run()
        others = [RerunData()]

        def _new_module(self, name):
            # Right before the callbacks.
            if others:
                self._requests.request_rerun(others.pop())
            return begin(self, name)

        monkeypatch.setattr(LocalScriptRunner, "_new_module", _new_module)
        page.button[0].click().run()
        assert not page.exception
        assert not others
        return page.text[0].value

    assert click() == "0", "Streamlit does it itself: finish_callbacks is not needed"
    streamlit_runs.finish_callbacks()
    assert click() == "1"


def test_a_click_that_comes_along_with_an_automatic_run_is_not_done_with_it(as_before):
    class Session:
        _state, _scriptrunner = None, None

        def has_fragment(self, _):
            return True

        def _create_scriptrunner(self, data):
            self.asked = data

    def clicks(*, is_auto_rerun):
        state = ClientState(fragment_id="part", is_auto_rerun=is_auto_rerun)
        state.widget_states.widgets.add(id="button", trigger_value=True)
        state.widget_states.widgets.add(id="name", string_value="Ada")
        session = Session()
        AppSession.request_rerun(session, state)
        return [one.id for one in session.asked.widget_states.widgets]

    both = ["button", "name"]
    assert clicks(is_auto_rerun=True) == both, "Streamlit does it itself: take_clicks_once is not needed"
    streamlit_runs.take_clicks_once()
    assert clicks(is_auto_rerun=True) == ["name"]
    assert clicks(is_auto_rerun=False) == both


def test_a_part_that_runs_by_itself_takes_nothing_from_the_page_that_is_still_to_be_sent(as_before):
    def text(body, at, part=""):
        message = ForwardMsg()
        message.metadata.delta_path.extend(at)
        message.delta.fragment_id = part
        message.delta.new_element.text.body = body
        return message

    def sent():
        queue = ForwardMsgQueue()
        queue.enqueue(text("of the part", [0, 0], "part"))
        queue.enqueue(text("of the page", [0, 1]))
        queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=["part"])
        queue.enqueue(text("of the part, later", [0, 0], "part"))
        return [one.delta.new_element.text.body for one in queue.flush()], len(queue)

    later = ["of the page", "of the part, later"]
    assert sent() == (later, 0), "Streamlit does it itself: send_whole_pages is not needed"
    streamlit_runs.send_whole_pages()
    assert sent() == (["of the part", *later], 0)

    # A run of the whole page begins anew.
    queue = ForwardMsgQueue()
    queue.enqueue(text("of the page", [0, 1]))
    queue.clear(retain_lifecycle_msgs=True)
    assert queue.is_empty()
