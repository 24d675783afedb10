"""What is pressed and typed fast on a slow server: each click is done once, nothing on the page is lost.

With Streamlit alone, half of the clicks are lost and parts of the page lie over others. What mends it is
``fastReruns`` in ``.streamlit/config.toml`` and what ``streamlit_mends`` changes.
"""

import contextlib
import random
import time

import pytest
from playwright.sync_api import expect

from leukemia.settings import PROJECT
from tests.support.browser import PATIENCE, Server, at_rest

EACH = 15
LETTERS = "FP"  # in a part of the page that runs by itself, and outside of it
MANY_BUTTONS = f"""
import os
from pathlib import Path

import streamlit as st


def done(name):
    with Path(os.environ["DONE"]).open("a") as file:
        file.write(name + "\\n")


def row(letter):
    for number in range({EACH}):
        st.button(letter + str(number), on_click=done, args=(letter + str(number),))


@st.fragment(run_every=0.3)
def part():
    row("F")


st.title("Clicks")
with st.container(key="part"):
    part()
row("P")
"""
MESSAGE_AND_FIELDS = """
import streamlit as st

from pages.components import flash


def clicked():
    flash.put("here", flash.SUCCESS, "It was saved.")


st.title("Fields")
with st.container(border=True):
    flash.show("here")
    st.markdown("Two fields:")
    with st.container(horizontal=True):
        st.button("Save", on_click=clicked)
        st.text_input("Name")
        st.text_input("Reason")
"""
MOVING = """
import os
import time
from pathlib import Path

import streamlit as st


def done(name):
    with Path(os.environ["DONE"]).open("a") as file:
        file.write(f"{name}\\n")


st.title("Moving")
st.button("Away", key="away", on_click=done, args=("away",))


@st.fragment(run_every=1.0)
def part():
    count = st.session_state["ticks"] = st.session_state.get("ticks", 0) + 1
    for number in range(count % 2 * 3):
        st.text(f"Line {number}")
    # Without a key of its own, the block is made anew where it moves.
    with st.container(border=True):
        st.button("Made anew", key="anew", on_click=done, args=("anew",))
        st.number_input("Number", value=10, key="number", on_change=lambda: done(st.session_state["number"]))
    with st.container(key="many"):
        for number in range(count % 2 * 3):
            st.text(f"Another {number}")
        for number in range(2):
            with st.container(border=True):
                st.link_button("Same", "#same")


part()
st.button("Moves", key="moves", on_click=done, args=("moves",))
"""
# Runs begin late, as where others have the processor.
START = """
import random
import sys
import time

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.web import cli

from pages.components import streamlit_mends

run = ScriptRunner._run_script


def late(self, data):
    time.sleep(random.choice([0, 0, 0.2, 0.5]))
    run(self, data)


ScriptRunner._run_script = late
streamlit_mends.lose_nothing()
sys.argv = ["streamlit", "run", *sys.argv[1:]]
cli.main()
"""


@pytest.fixture
def serve(tmp_path):
    """Start a server of one page; return it."""
    with contextlib.ExitStack() as servers:

        def start(text):
            page, program = tmp_path / "page.py", tmp_path / "start.py"
            page.write_text(text)
            program.write_text(START)
            place = {"DONE": tmp_path / "done.txt", "PYTHONPATH": str(PROJECT)}
            program = (str(program), str(page))
            return servers.enter_context(Server(None, tmp_path / "log.txt", settings=place, program=program))

        yield start


def test_each_of_many_fast_clicks_is_done_once_and_no_button_is_lost(serve, sessions, tmp_path):
    done = tmp_path / "done.txt"
    done.touch()
    page = sessions.open(serve(MANY_BUTTONS), "", "Clicks")
    at_rest(page)
    names = [f"{letter}{number}" for letter in LETTERS for number in range(EACH)]
    chance = random.Random(7)
    chance.shuffle(names)
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()
        page.wait_for_timeout(chance.choice([0, 0, 50, 200, 600]))
    until = time.monotonic() + PATIENCE
    while len(done.read_text().split()) < len(names) and time.monotonic() < until:
        page.wait_for_timeout(100)
    assert sorted(done.read_text().split()) == sorted(names)
    # The part has run by itself since.
    page.wait_for_timeout(1_000)
    expect(page.locator(".st-key-part").get_by_test_id("stButton")).to_have_count(EACH)
    shown = page.get_by_test_id("stButton").filter(visible=True).all_inner_texts()
    assert shown == [f"{letter}{number}" for letter in LETTERS for number in range(EACH)]


def test_what_is_being_typed_stays_where_a_message_goes(serve, sessions):
    page = sessions.open(serve(MESSAGE_AND_FIELDS), "", "Fields")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("It was saved.").wait_for()
    at_rest(page)
    page.get_by_label("Name").fill("Ada")
    # The name is taken over, and by that run the message goes.
    page.get_by_label("Reason").press_sequentially("to see", delay=50)
    page.get_by_text("It was saved.").wait_for(state="hidden")
    page.keyboard.type(" it again")
    expect(page.get_by_label("Reason")).to_have_value("to see it again")


def test_a_press_counts_for_what_it_began_on_though_that_moves_meanwhile(serve, sessions, tmp_path):
    done = tmp_path / "done.txt"
    done.touch()
    script = (PROJECT / "pages" / "components" / "press.js").read_text(encoding="utf-8")
    page = sessions.open(serve(MOVING), "", "Moving", before=script)
    at_rest(page)

    def press(button):
        """For as long as it takes to move; return whether it is another element then."""
        while not (box := (before := button.element_handle()).bounding_box()):
            pass  # it was laid out anew in between
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.wait_for_function(
            "([one, top]) => !one.isConnected || Math.abs(one.getBoundingClientRect().top - top) > 30",
            arg=[before, box["y"]],
        )
        at_rest(page)
        return not before.evaluate("one => one.isConnected")

    def has_done(*names):
        until = time.monotonic() + PATIENCE
        while done.read_text().split() != list(names) and time.monotonic() < until:
            page.wait_for_timeout(100)
        page.wait_for_timeout(1_000)
        assert done.read_text().split() == list(names)

    moves, away, anew, more = (
        page.get_by_role("button", name=name, exact=True)
        for name in ("Moves", "Away", "Made anew", "Increment")
    )
    assert not press(moves)
    page.mouse.up()
    has_done("moves")
    assert press(anew), "Streamlit moves it: the script need not look for it"
    page.mouse.up()
    has_done("moves", "anew")
    # A sign is no name: there are two buttons beside the number.
    assert press(more)
    page.mouse.up()
    has_done("moves", "anew", "11")
    # Which of the two it was is not known any more.
    assert press(page.get_by_role("link", name="Same").last)
    page.mouse.up()
    # Whoever moves off what was pressed thinks better of it.
    press(moves)
    page.mouse.move(5, 5)
    page.mouse.up()
    moves.click(button="right")
    page.keyboard.press("Escape")
    away.click()
    has_done("moves", "anew", "11", "away")
    assert "#same" not in page.url
