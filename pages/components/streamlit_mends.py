"""What Streamlit loses of clicks and of pages, where runs of a page follow closely on a busy server: mended.

By its private interfaces, with the version that the test of :mod:`pages.components.streamlit_internals`
names; each mend's test says when Streamlit does it itself.
"""

import threading
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner, ScriptRunnerEvent
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import (
    RerunData,
    ScriptRequests,
    ScriptRequestType,
    _coalesce_replay_trigger_states,
    _has_active_trigger_value,
)
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import SessionState

from pages.components import streamlit_runs

_this_run = threading.local()  # each page runs on a thread of its own


def lose_nothing() -> None:
    """Have each click done once, and all of a page laid out and sent, from now on in this process."""
    streamlit_runs.note_each_run()
    begin_at_the_top()
    finish_callbacks()
    take_clicks_once()
    lay_out_what_changes()
    go_where_asked()
    begin_after_the_end()
    send_whole_pages()


def finish_callbacks() -> None:
    """Have what was clicked done to its end, from now on in this process.

    Streamlit drops a click where another one waits before its callback began, and ends a callback half-way,
    at its next access to the session's state, where another waits by then; what was left to do is never
    done. The click that waits is taken right after the callbacks.
    """
    apply, check = SafeSessionState.on_script_will_rerun, ScriptRunner._maybe_handle_execution_control_request

    def on_script_will_rerun(self: SafeSessionState, *states: Any, **options: Any) -> None:
        _this_run.is_applied = False
        try:
            apply(self, *states, **options)
        finally:
            _this_run.is_applied = True

    def _maybe_handle_execution_control_request(self: ScriptRunner) -> None:
        if not getattr(_this_run, "is_applied", True):
            return
        try:
            check(self)
        except RerunException as other:
            streamlit_runs.begin(other.rerun_data)  # it goes on with this, in the same call of _run_script
            raise

    SafeSessionState.on_script_will_rerun = on_script_will_rerun
    ScriptRunner._maybe_handle_execution_control_request = _maybe_handle_execution_control_request


def begin_at_the_top() -> None:
    """Have each run of a page lay out from its top, from now on in this process.

    What follows the run of a part, or of a window, goes on where that was laid out: Streamlit starts each run
    of a whole page anew only where runs do not come one after another.
    """
    reset = ScriptRunContext.reset

    def _reset(self: ScriptRunContext, *given: Any, **options: Any) -> None:
        context_dg_stack.set(get_default_dg_stack_value())
        reset(self, *given, **options)

    ScriptRunContext.reset = _reset


def take_clicks_once() -> None:
    """Have a click done once where a part of the page asks to run by itself right after it, from now on.

    The browser then sends the click along with what that part asks, and sends it by itself as well.
    """
    request = AppSession.request_rerun

    def request_rerun(self: AppSession, client_state: ClientState | None) -> None:
        if client_state and client_state.is_auto_rerun:
            widgets = client_state.widget_states.widgets
            no_clicks = [one for one in widgets if not _has_active_trigger_value(one)]
            del widgets[:]
            widgets.extend(no_clicks)
        request(self, client_state)

    AppSession.request_rerun = request_rerun


def lay_out_what_changes() -> None:
    """Have the whole page laid out where more than one part changed at once, from now on in this process.

    The browser asks for one part where something in it and something else was changed within a moment: both
    is done, and the rest of the page goes on showing what it showed. Streamlit drops what was changed in a
    part that another run has just laid out elsewhere.
    """
    request, apply = AppSession.request_rerun, SafeSessionState.on_script_will_rerun

    def request_rerun(self: AppSession, client_state: ClientState | None) -> None:
        part = client_state.fragment_id if client_state and not client_state.is_auto_rerun else ""
        if part and not self.has_fragment(part):
            client_state.fragment_id = ""
        request(self, client_state)

    def on_script_will_rerun(
        self: SafeSessionState, fresh_widget_states: WidgetStates | None, **options: Any
    ) -> None:
        apply(self, fresh_widget_states, **options)
        context = get_script_run_ctx(suppress_warning=True)
        parts = context.fragment_ids_this_run if context else None
        if parts and fresh_widget_states is not None and _changes_more(self._state, context, parts):
            clicks = WidgetStates(widgets=filter(_has_active_trigger_value, fresh_widget_states.widgets))
            earlier = options.get("replay_trigger_states")
            whole = replace(
                self._state._build_full_app_rerun(context),
                replay_trigger_states=_coalesce_replay_trigger_states(earlier, clicks),
                replay_trigger_values=options.get("replay_trigger_values"),
            )
            context.script_requests.request_rerun(whole)

    AppSession.request_rerun = request_rerun
    SafeSessionState.on_script_will_rerun = on_script_will_rerun


def _changes_more(state: SessionState, context: ScriptRunContext, parts: Collection[str]) -> bool:
    """Whether somebody changed what these parts do not lay out; right after it was done."""
    if streamlit_runs.is_automatic_run():  # what was changed is sent by itself as well
        return False
    if not all(map(context.fragment_storage.contains, parts)):
        return True
    known = state._new_widget_state.widget_metadata
    changed = (one for one in state._new_widget_state if state._widget_changed(one))
    owners = {known[one].fragment_id for one in changed if one in known} - set(parts)
    return any(not one or not context.fragment_storage.has_ancestor_in(one, parts) for one in owners)


def go_where_asked() -> None:
    """Have a page that runs itself anew go where somebody asked to go meanwhile, from now on.

    Streamlit takes the page and the address of the later request, which is the page's own: whoever pressed a
    link or Back would stay. It also takes a click for nobody's where an automatic run was asked for after it.
    """
    request = ScriptRequests._request_rerun_locked

    def _request_rerun_locked(self: ScriptRequests, new_data: RerunData) -> bool:
        waits = self._rerun_data if self._state is ScriptRequestType.RERUN else None
        if not request(self, new_data):
            return False
        if waits:
            by_page, data = new_data.widget_states is None, self._rerun_data
            if waits.widget_states is not None:
                is_auto = waits.is_auto_rerun and (by_page or new_data.is_auto_rerun)
                data = replace(data, is_auto_rerun=is_auto)
            if by_page and _leads_away(waits, new_data):
                data = replace(
                    data,
                    query_string=waits.query_string,
                    page_script_hash=waits.page_script_hash,
                    page_name=waits.page_name,
                    is_history_navigation=waits.is_history_navigation,
                )
            self._rerun_data = data
        return True

    ScriptRequests._request_rerun_locked = _request_rerun_locked


def _leads_away(waits: RerunData, by_page: RerunData) -> bool:
    """Whether what waits leads away from the page that asks to be run anew; one that leaves goes on."""
    context = get_script_run_ctx(suppress_warning=True)
    if not context or by_page.page_script_hash != context.page_script_hash:
        return False
    other_page = waits.page_script_hash not in ("", by_page.page_script_hash)
    return other_page or waits.is_history_navigation


def begin_after_the_end() -> None:
    """Have a run begin only once all of the one before it was taken over, from now on in this process.

    Streamlit begins it as soon as the one before has ended, and drops what that one has laid out and what
    is not taken over yet: on a busy server, all of it. After Stop, too, it waits for the end of that one.
    """
    create = AppSession._create_scriptrunner
    handle = AppSession._handle_scriptrunner_event_on_event_loop

    def _create_scriptrunner(self: AppSession, initial_rerun_data: RerunData) -> None:
        if self._scriptrunner is None:
            create(self, initial_rerun_data)
        else:
            vars(self).setdefault("leukemia_waiting", []).append(initial_rerun_data)

    def _handle(self: AppSession, sender: Any, event: ScriptRunnerEvent, *given: Any, **options: Any) -> None:
        handle(self, sender, event, *given, **options)
        if event != ScriptRunnerEvent.SHUTDOWN or self._state == AppSessionState.SHUTDOWN_REQUESTED:
            return
        for data in vars(self).pop("leukemia_waiting", []):
            if self._scriptrunner is None or not self._scriptrunner.request_rerun(data):
                self._create_scriptrunner(data)

    AppSession._create_scriptrunner = _create_scriptrunner
    AppSession._handle_scriptrunner_event_on_event_loop = _handle


def send_whole_pages() -> None:
    """Have a part that runs by itself take nothing from the page that is still to be sent, from now on.

    Streamlit drops what the page's run has laid out for that part where it is not sent yet. The browser then
    takes the part for gone, moves what follows up by one, and lays the part over the first of it.
    """
    clear = ForwardMsgQueue.clear

    def _clear(
        self: ForwardMsgQueue,
        retain_lifecycle_msgs: bool = False,
        fragment_ids_this_run: list[str] | None = None,
    ) -> None:
        if retain_lifecycle_msgs and fragment_ids_this_run:
            self._delta_index_map = {}  # nothing that comes is sent in place of what waits
        else:
            clear(self, retain_lifecycle_msgs, fragment_ids_this_run)

    ForwardMsgQueue.clear = _clear
