"""What a press asks of its page, and a front door that other processes pass through without a browser."""

import subprocess
import sys

import pytest

from leukemia.settings import PROJECT
from pages.components import pending
from tests.support.app import open_page


def test_what_a_page_was_asked_for_is_forgotten_as_another_one_is_laid_out(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_DATA", str(tmp_path))
    page = open_page("dataset")
    page.session_state[pending.START] = True
    page.run()
    state = page.session_state
    assert pending.START not in state
    assert "flash-" + pending.START in state
    # What was not asked for is not forgotten either.
    del state["flash-" + pending.START]
    page.run()
    assert "flash-" + pending.START not in state


@pytest.mark.process
def test_a_process_that_a_page_starts_may_run_the_front_door():
    """As multiprocessing does: Streamlit makes the script that it runs the main module."""
    code = f"import runpy; runpy.run_path({str(PROJECT / 'dashboard.py')!r}, run_name='__mp_main__')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
