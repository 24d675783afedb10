"""The memory of tabs that were closed is given back, also where nobody comes after them.

Streamlit keeps a closed tab for two minutes for whoever reconnects, and drops it only as a further one is
closed. What it held then stays with C's allocator, which hands freed pages back only when asked.
"""

import asyncio
import ctypes
import gc
import sys

from pages.components import streamlit_internals

EVERY = 60.0  # seconds


async def watch() -> None:
    """Drop tabs that nobody came back to, and give back what they held, until cancelled."""
    while True:
        await asyncio.sleep(EVERY)
        if streamlit_internals.forget_closed_tabs():
            await asyncio.to_thread(give_back)


def give_back() -> None:
    """Give memory that is free back to the machine, where the allocator is one that can (glibc's)."""
    gc.collect()
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)
