"""A setting that is wrong is one sentence on every page."""

import pytest
from streamlit.testing.v1 import AppTest

from leukemia.settings import PROJECT
from tests.support.app import PATIENCE


@pytest.mark.parametrize("page", ["", "pages/dataset.py", "pages/performance.py", "pages/training.py"])
def test_a_setting_that_is_wrong_is_a_sentence_on_each_page(page, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_WORKERS", "abc")
    app = AppTest.from_file(str(PROJECT / "dashboard.py"), default_timeout=PATIENCE)
    if page:
        app.switch_page(page)
    app.run()
    assert not app.exception
    (error,) = app.error
    assert "must be a whole number" in error.value
