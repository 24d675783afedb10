"""What waits for its turn: seen, moved, taken out."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from leukemia.errors import LeukemiaError
from leukemia.jobs import queue
from leukemia.jobs.queue import Waiting
from leukemia.markdown import plain
from pages.components import flash, job_status
from pages.sections.training import times


def show(data: Path, found: list[Waiting]) -> None:
    """Lay the queue out; the next one first."""
    if not found:
        return
    st.subheader("Queue", anchor=False)
    several = f"{len(found)} trainings wait for their turn"
    who = several if len(found) > 1 else "1 training waits for its turn"
    st.caption(f"{who}: one at a time works on a data folder. The next one starts by itself.")
    for place, one in enumerate(found, 1):
        _row(data, place, one, last=place == len(found))


def _row(data: Path, place: int, one: Waiting, *, last: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"queue-{place}"):
        who = f" by {plain(one.by)}" if one.by else ""
        told = f"**{place}.** {plain(one.title)}  \n:small[asked {times.when(one.asked)}{who}]"
        st.markdown(told, width="stretch")
        for icon, meaning, disabled, change in (
            ("arrow_upward", "One place up", place == 1, lambda: queue.move(data, one.id, -1)),
            ("arrow_downward", "One place down", last, lambda: queue.move(data, one.id, 1)),
            ("delete", "Take it out of the queue", False, lambda: queue.drop(data, one.id)),
        ):
            st.button(
                "",
                key=f"queue-{icon}-{one.id}",
                icon=f":material/{icon}:",
                help=meaning,
                disabled=disabled,
                on_click=_try,
                args=(change,),
            )


def _try(change: Callable[[], None]) -> None:
    try:
        change()
    except LeukemiaError as error:
        flash.put(job_status.FLASH, flash.ERROR, str(error))
