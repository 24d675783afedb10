"""What goes wrong as people sign in is one line of the log each."""

import pytest

from pages.components import sign_in_log, streamlit_internals


@pytest.fixture
def log(caplog):
    """Streamlit's log of the sign-in."""
    one = streamlit_internals.sign_in_log()
    sign_in_log.shorten()
    sign_in_log.shorten()
    one.addHandler(caplog.handler)
    yield one
    one.removeHandler(caplog.handler)
    one.filters = [each for each in one.filters if not isinstance(each, sign_in_log.OneLine)]


def test_a_fault_has_its_reason_and_no_traceback(log, caplog):
    try:
        raise ConnectionError("all attempts\nto connect failed")
    except ConnectionError:
        log.warning("Signing in by '%s' failed.", "the house", exc_info=True)
    assert "Traceback" not in caplog.text
    line = caplog.records[0].getMessage()
    assert line.startswith("Signing in by 'the house' failed. ConnectionError: all attempts")
    assert "\n" not in line


def test_another_line_is_as_it_was(log, caplog):
    log.warning("Missing provider for %s", "a callback")
    assert caplog.records[0].getMessage() == "Missing provider for a callback"
    assert sum(isinstance(one, sign_in_log.OneLine) for one in log.filters) == 1
