"""Of what a session asks for and sends nothing is lost; each test says when Streamlit does it itself."""

import asyncio
import contextlib
from types import SimpleNamespace

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner.script_runner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests

from pages.components import streamlit_mends
from tests.support.loop import run


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
    monkeypatch.setattr(streamlit_mends, "get_script_run_ctx", lambda **_: context)


def test_a_page_that_runs_itself_anew_goes_where_somebody_asked_to_go_meanwhile(on_page_1):
    leaves = by_hand("2", "of=link"), by_itself("1")
    goes_back = by_hand("1", "of=back", is_history_navigation=True), by_itself("1")
    assert taken(*leaves).page_script_hash == "1", "Streamlit does it itself: go_where_asked is not needed"
    streamlit_mends.go_where_asked()
    assert (taken(*leaves).page_script_hash, taken(*leaves).query_string) == ("2", "of=link")
    assert (taken(*goes_back).query_string, taken(*goes_back).is_history_navigation) == ("of=back", True)
    # Of a click on the page itself, the address is the page's; and it goes where it leads itself.
    assert taken(by_hand("1", "of=click"), by_itself("1")).query_string == "of=page"
    assert taken(by_hand("3", "of=link"), by_itself("2")).page_script_hash == "2"
    assert taken(by_itself("1", "alone")).query_string == "alone"
    # A callback led away, and the rest of its page asks to be laid out.
    assert taken(by_itself("2", "of=callback"), by_itself("1")).query_string == "of=callback"


def test_a_click_before_an_automatic_run_is_somebodys(on_page_1):
    click, tick = by_hand("1"), by_hand("1", fragment_id="part", is_auto_rerun=True)
    assert taken(click, tick).is_auto_rerun, "Streamlit does it itself: go_where_asked is not needed"
    streamlit_mends.go_where_asked()
    assert not taken(click, tick).is_auto_rerun
    assert not taken(tick, click).is_auto_rerun
    # What the page asks for in an automatic run is not.
    assert taken(tick, by_itself("1")).is_auto_rerun
    assert taken(tick).is_auto_rerun


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
    streamlit_mends.take_clicks_once()
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
    streamlit_mends.send_whole_pages()
    assert sent() == (["of the part", *later], 0)

    # A run of the whole page begins anew.
    queue = ForwardMsgQueue()
    queue.enqueue(text("of the page", [0, 1]))
    queue.clear(retain_lifecycle_msgs=True)
    assert queue.is_empty()


class Runner:
    """A run that has ended, or one that takes what it is asked."""

    def __init__(self, *, has_ended):
        self.has_ended, self.asked = has_ended, []

    def request_rerun(self, data):
        if not self.has_ended:
            self.asked.append(data)
        return not self.has_ended


class BusySession(AppSession):
    """A session whose run has ended and whose messages are not taken over yet."""

    def __init__(self):
        self._state, self._event_loop = AppSessionState.APP_IS_RUNNING, asyncio.get_running_loop()
        self._scriptrunner = self.ended = Runner(has_ended=True)
        self.sent = []

    def __del__(self):
        pass

    def has_fragment(self, part):
        return part != "gone"

    def _enqueue_forward_msg(self, message):
        self.sent.append(message)

    def _settle_once_delivered(self):
        pass

    def asked(self, **asked):
        self.request_rerun(ClientState(**asked))

    def take_over(self, event, *message):
        self._handle_scriptrunner_event_on_event_loop(self.ended, event, *message)


def test_what_a_run_laid_out_is_taken_over_before_the_next_begins(as_before, monkeypatch):
    def begin(self, data):
        self._scriptrunner = Runner(has_ended=False)
        self._scriptrunner.request_rerun(data)

    async def busy():
        session, message = BusySession(), ForwardMsg()
        session.asked(query_string="first", fragment_id="part")
        session.asked(query_string="second")
        before = session._scriptrunner
        session.take_over(ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, message)
        session.take_over(ScriptRunnerEvent.SHUTDOWN)
        is_there = any(one is message for one in session.sent)
        return is_there, before is session.ended, [one.query_string for one in session._scriptrunner.asked]

    monkeypatch.setattr(AppSession, "_create_scriptrunner", begin)
    alone = run(busy())
    assert alone == (False, False, ["first", "second"]), "begin_after_the_end is not needed"
    streamlit_mends.begin_after_the_end()
    assert run(busy()) == (True, True, ["first", "second"])


def test_a_session_that_is_closed_begins_nothing_more(as_before, monkeypatch):
    async def closed():
        session = BusySession()
        session.asked()
        session._state = AppSessionState.SHUTDOWN_REQUESTED
        with contextlib.suppress(Exception):  # no runtime here whose files could be cleared
            session.take_over(ScriptRunnerEvent.SHUTDOWN)
        return session._scriptrunner

    monkeypatch.setattr(AppSession, "_create_scriptrunner", lambda self, data: pytest.fail("began"))
    streamlit_mends.begin_after_the_end()
    assert run(closed()) is None


def test_a_click_in_a_part_that_is_laid_out_elsewhere_by_now_is_not_dropped(as_before, monkeypatch):
    async def click(part, **more):
        session = BusySession()
        session._scriptrunner = runner = Runner(has_ended=False)
        session.asked(fragment_id=part, **more)
        return [one.fragment_id for one in runner.asked]

    assert run(click("gone")) == [], "Streamlit does it itself"
    streamlit_mends.lay_out_what_changes()
    assert run(click("gone")) == [None]
    assert run(click("there")) == ["there"]
    assert run(click("gone", is_auto_rerun=True)) == []
