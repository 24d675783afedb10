"""Of the runs of a page nothing is lost; each test says when Streamlit does it itself."""

import contextlib
from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from pages.components import streamlit_mends, streamlit_runs
from tests.support.app import PATIENCE


def test_a_click_that_ends_an_automatic_run_is_no_automatic_run(as_before, monkeypatch):
    found = {"user": "as it was"}
    monkeypatch.setattr(streamlit_runs, "_found", lambda: found)

    def check(self):
        raise RerunException(RerunData(widget_states=WidgetStates(), is_auto_rerun=False))

    ScriptRunner._maybe_handle_execution_control_request = check
    streamlit_mends.finish_callbacks()
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
    streamlit_mends.finish_callbacks()
    monkeypatch.setattr(streamlit_runs._this_run, "is_automatic", True, raising=False)
    with pytest.raises(RerunException):
        ScriptRunner._maybe_handle_execution_control_request(SimpleNamespace())
    assert streamlit_runs.is_automatic_run()


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
    streamlit_mends.finish_callbacks()
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
    streamlit_mends.finish_callbacks()
    assert click() == "1"


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
    streamlit_mends.begin_at_the_top()
    assert begin() == get_default_dg_stack_value()


def page_with_a_part():
    import streamlit as st

    def count(what):
        st.session_state[what] = st.session_state.get(what, 0) + 1

    @st.fragment
    def inner():
        st.button("Deep in it", key="deep")

    @st.fragment
    def part():
        count("runs of the part")
        st.button("In it", key="inside")
        inner()

    for what in ("done", "seen"):
        st.session_state.setdefault(what, 0)
    count("runs")
    part()
    if st.button("Outside", key="outside", on_click=count, args=("done",)):
        count("seen")
    st.text_input("Outside", key="name")


@pytest.mark.parametrize(
    ("asks", "clicks", "types", "alone", "mended"),
    [
        ("part", ("inside",), "", (1, 2, 0, 0), (1, 2, 0, 0)),
        ("part", ("inside", "deep"), "", (1, 2, 0, 0), (1, 2, 0, 0)),
        ("part", ("inside", "outside"), "", (1, 2, 1, 0), (2, 2, 1, 1)),
        ("part", ("inside",), "Ada", (1, 2, 0, 0), (2, 2, 0, 0)),
        ("page", ("inside", "outside"), "Ada", (2, 2, 1, 1), (2, 2, 1, 1)),
        ("gone", ("outside",), "", (1, 1, 1, 0), (2, 2, 1, 1)),
    ],
)
def test_what_changes_at_once_in_a_part_and_outside_of_it_is_laid_out(
    as_before, monkeypatch, asks, clicks, types, alone, mended
):
    run_script = ScriptRunner._run_script

    def change():
        monkeypatch.setattr(ScriptRunner, "_run_script", run_script)
        page = AppTest.from_function(page_with_a_part, default_timeout=PATIENCE).run()
        part, _inner = page._fragment_storage._fragments
        queue = {"part": [part], "page": [], "gone": ["gone"]}[asks]
        monkeypatch.setattr(
            ScriptRunner,
            "_run_script",
            lambda self, data: run_script(self, replace(data, fragment_id_queue=queue)),
        )
        for key in clicks:
            page.button(key).click()
        page.text_input("name").input(types)
        page.run()
        assert not page.exception
        counted = ("runs", "runs of the part", "done", "seen")
        return tuple(page.session_state[what] for what in counted)

    assert change() == alone, "lay_out_what_changes is not needed"
    streamlit_mends.lay_out_what_changes()
    assert change() == mended
