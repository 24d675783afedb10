"""Uploaded files, no longer kept than needed."""

from collections.abc import Iterable

from streamlit.runtime.scriptrunner import get_script_run_ctx


def release(file_ids: Iterable[str]) -> None:
    """Drop the bytes of uploads; the uploader goes on listing their names.

    Streamlit keeps every uploaded byte until its session ends: a day's work at one page would fill
    the memory with images that were long answered.
    """
    context = get_script_run_ctx()
    manager, session = context.uploaded_file_mgr, context.session_id
    for record in manager.get_files(session, list(file_ids)):
        manager.add_file(session, record._replace(data=b""))
