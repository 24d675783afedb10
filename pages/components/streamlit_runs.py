"""What Streamlit has no public interface for in the runs of a page, from a click to what is sent.

Checked with the version that the test of :mod:`pages.components.streamlit_internals` names.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value
from streamlit.proto.BackMsg_pb2 import BackendOperationRequest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse, ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import (
    RerunData,
    ScriptRequests,
    ScriptRequestType,
    _has_active_trigger_value,
)
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.runtime.state.safe_session_state import SafeSessionState

from leukemia.errors import LeukemiaError

NO_DOWNLOAD = "The file could not be made. The details are in the server's log."
_this_run = threading.local()  # each page runs on a thread of its own
T = TypeVar("T")


def before_each_run(check: Callable[[Mapping[str, Any]], bool]) -> None:
    """Have the whole page run, and not a part of it, where a check of the user's claims says no.

    A part of a page, which may run by itself every second, would go on showing what it showed.
    """
    run = ScriptRunner._run_script

    def _run_script(self: ScriptRunner, rerun_data: RerunData) -> None:
        _begin(rerun_data)
        if rerun_data.fragment_id_queue and not check(self._user_info):
            rerun_data = replace(rerun_data, fragment_id=None, fragment_id_queue=[])
        run(self, rerun_data)

    ScriptRunner._run_script = _run_script


def before_each_download(check: Callable[[Mapping[str, Any]], bool], refusal: str) -> None:
    """Have what a page makes only once it is asked for refused, where a check of the user's claims says no.

    A button of an open page, as of a download, is answered without a run of the page.
    """
    answer = AppSession._handle_backend_operation_request

    async def _handle_backend_operation_request(self: AppSession, request: BackendOperationRequest) -> None:
        if await asyncio.to_thread(check, dict(self._user_info)):
            await answer(self, request)
            return
        message = ForwardMsg()
        message.backend_operation_response.request_id = request.request_id
        message.backend_operation_response.error_msg = refusal
        self._enqueue_forward_msg(message)

    AppSession._handle_backend_operation_request = _handle_backend_operation_request


def tell_why_no_download() -> None:
    """Have a download that cannot be made say why below its button, from now on in this process.

    Streamlit says the same of every error, and writes each to its log with a traceback.
    """

    async def handle(
        self: DeferredFileHandler, request: BackendOperationRequest, _session_id: str
    ) -> BackendOperationResponse:
        answer = BackendOperationResponse(request_id=request.request_id)
        make = self._get_media_file_mgr().execute_deferred
        try:
            answer.deferred_file.url = await asyncio.to_thread(make, request.deferred_file.file_id)
        except Exception as error:
            if isinstance(error.__cause__, LeukemiaError):
                answer.error_msg = str(error.__cause__)
            else:
                logging.getLogger("leukemia.dashboard").exception("a download failed")
                answer.error_msg = NO_DOWNLOAD
        return answer

    DeferredFileHandler.handle = handle


def lose_nothing() -> None:
    """Have each click done once, and all of a page laid out and sent, from now on in this process."""
    begin_at_the_top()
    finish_callbacks()
    take_clicks_once()
    go_where_asked()
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
            _begin(other.rerun_data)  # it goes on with this, in the same call of _run_script
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
        if waits and waits.widget_states is not None:
            by_page = new_data.widget_states is None
            data = replace(
                self._rerun_data, is_auto_rerun=waits.is_auto_rerun and (by_page or new_data.is_auto_rerun)
            )
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


def once_a_run(what: str, find: Callable[[], T]) -> T:
    """What a page needs several times while it runs, found once; where no page runs, each time."""
    found = _found()
    if what not in found:
        found[what] = find()
    return found[what]


def _begin(data: RerunData) -> None:
    if data.widget_states is not None:  # else the page asks for it, on behalf of whoever had it run
        _this_run.is_automatic = data.is_auto_rerun
    _found().clear()


def _found() -> dict[str, Any]:
    context = get_script_run_ctx(suppress_warning=True)
    return vars(context).setdefault("leukemia_found", {}) if context else {}


def is_automatic_run() -> bool:
    """Whether what runs now was asked for by the page itself, and by nobody's hand."""
    return getattr(_this_run, "is_automatic", False)
