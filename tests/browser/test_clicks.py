"""Clicks that follow each other fast on a slow server: each is done once, and nothing on the page is lost.

With Streamlit alone, half of the clicks are lost and parts of the page lie over others. What mends it is
``fastReruns`` in ``.streamlit/config.toml`` and what ``streamlit_runs`` changes.
"""

import random
import time

import pytest

from leukemia.settings import PROJECT
from tests.support.browser import PATIENCE, Server, at_rest

EACH = 15
LETTERS = "FP"  # in a part of the page that runs by itself, and outside of it
PAGE = f"""
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
part()
row("P")
"""
# Runs begin late, as where others have the processor.
START = """
import random
import sys
import time

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.web import cli

from pages.components import streamlit_runs

run = ScriptRunner._run_script


def late(self, data):
    time.sleep(random.choice([0, 0, 0.2, 0.5]))
    run(self, data)


ScriptRunner._run_script = late
streamlit_runs.finish_callbacks()
streamlit_runs.take_clicks_once()
streamlit_runs.go_where_asked()
streamlit_runs.send_whole_pages()
sys.argv = ["streamlit", "run", *sys.argv[1:]]
cli.main()
"""


@pytest.fixture
def server(tmp_path):
    page, start = tmp_path / "page.py", tmp_path / "start.py"
    page.write_text(PAGE)
    start.write_text(START)
    place = {"DONE": tmp_path / "done.txt", "PYTHONPATH": str(PROJECT)}
    with Server(None, tmp_path / "log.txt", settings=place, program=(str(start), str(page))) as started:
        yield started


def test_each_of_many_fast_clicks_is_done_once_and_no_button_is_lost(server, sessions, tmp_path):
    done = tmp_path / "done.txt"
    done.touch()
    page = sessions.open(server, "", "Clicks")
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
    shown = page.get_by_test_id("stButton").filter(visible=True).all_inner_texts()
    assert shown == [f"{letter}{number}" for letter in LETTERS for number in range(EACH)]
