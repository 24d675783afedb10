"""What people held who have left: forgotten in time, and its memory given back."""

import asyncio
import ctypes
import gc
import sys
import time
import weakref
from types import SimpleNamespace
from unittest.mock import MagicMock

import psutil
import pytest
from streamlit import runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

from pages.components import left_tabs, streamlit_internals
from tests.support.loop import run


class Session(SimpleNamespace):
    """A tab that was closed, as far as what keeps it can tell."""

    def __hash__(self):
        return id(self)


@pytest.fixture
def closed(monkeypatch):
    """Have tabs closed, kept for a fifth of a second."""
    storage = MemorySessionStorage(ttl_seconds=0.2)
    manager = WebsocketSessionManager(storage, MagicMock(), MagicMock(), None)
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(_session_mgr=manager))

    def close(name):
        session = Session(id=name)
        storage.save(SessionInfo(client=None, session=session, script_run_count=1))
        return weakref.ref(session)

    return close


def test_a_closed_tab_is_kept_for_who_reconnects_and_then_dropped_though_nobody_comes(closed):
    tab = closed("one")
    assert streamlit_internals.forget_closed_tabs() == 0
    assert tab() is not None
    time.sleep(0.25)
    gc.collect()
    # Streamlit itself drops it as the next one is closed.
    assert tab() is not None
    assert streamlit_internals.forget_closed_tabs() == 1
    gc.collect()
    assert tab() is None


def test_memory_is_given_back_once_tabs_were_dropped_and_not_without(closed, monkeypatch):
    given = []
    monkeypatch.setattr(left_tabs, "EVERY", 0.01)
    monkeypatch.setattr(left_tabs, "give_back", lambda: given.append(1))

    async def look():
        watching = asyncio.create_task(left_tabs.watch())
        await asyncio.sleep(0.1)
        assert given == []
        closed("one")
        while not given:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        watching.cancel()

    run(asyncio.wait_for(look(), 60))
    assert given == [1]


def test_before_the_server_runs_there_is_nothing_to_forget(monkeypatch):
    monkeypatch.setattr(runtime, "exists", lambda: False)
    assert streamlit_internals.forget_closed_tabs() == 0


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another allocator"
)
def test_free_memory_goes_back_to_the_machine():
    def taken():
        return psutil.Process().memory_info().rss / 1e6

    blocks = [bytes(8_000) for _ in range(20_000)]
    # Every hundredth stays, so that the rest is free, and between what is in use.
    left = blocks[::100]
    del blocks
    gc.collect()
    before = taken()
    left_tabs.give_back()
    assert taken() < before - 80
    assert len(left) == 200
