"""What Streamlit has no public interface for in the runs of a page, from a click to what is sent.

Checked with the version that the test of :mod:`pages.components.streamlit_internals` names.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from streamlit.proto.BackMsg_pb2 import BackendOperationRequest
from streamlit.proto.ForwardMsg_pb2 import BackendOperationResponse, ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.backend_operation_handler import DeferredFileHandler
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from leukemia.errors import LeukemiaError

NO_DOWNLOAD = "The file could not be made. The details are in the server's log."
_this_run = threading.local()  # each page runs on a thread of its own
T = TypeVar("T")


def note_each_run() -> None:
    """Have each run known by what asked for it, from now on in this process.

    To be called after :func:`before_each_run`, whose check asks for it.
    """
    run = ScriptRunner._run_script

    def _run_script(self: ScriptRunner, rerun_data: RerunData) -> None:
        begin(rerun_data)
        run(self, rerun_data)

    ScriptRunner._run_script = _run_script


def before_each_run(check: Callable[[Mapping[str, Any]], bool]) -> None:
    """Have the whole page run, and not a part of it, where a check of the user's claims says no.

    A part of a page, which may run by itself every second, would go on showing what it showed.
    """
    run = ScriptRunner._run_script

    def _run_script(self: ScriptRunner, rerun_data: RerunData) -> None:
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


def once_a_run(what: str, find: Callable[[], T]) -> T:
    """What a page needs several times while it runs, found once; where no page runs, each time."""
    found = _found()
    if what not in found:
        found[what] = find()
    return found[what]


def begin(data: RerunData) -> None:
    """Note what a run was asked for by, right before it begins; what was found for the last is forgotten."""
    if data.widget_states is not None:  # else the page asks for it, on behalf of whoever had it run
        _this_run.is_automatic = data.is_auto_rerun
    _found().clear()


def _found() -> dict[str, Any]:
    context = get_script_run_ctx(suppress_warning=True)
    return vars(context).setdefault("leukemia_found", {}) if context else {}


def is_automatic_run() -> bool:
    """Whether what runs now was asked for by the page itself, and by nobody's hand."""
    return getattr(_this_run, "is_automatic", False)
