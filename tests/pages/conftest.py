import pytest


@pytest.fixture
def app(tiny_bundle, monkeypatch):
    """Start the dashboard in this process with a bundle, by default the tiny one; return its first page."""
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    from leukemia.settings import PROJECT

    def start(bundle=tiny_bundle):
        monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle))
        st.cache_resource.clear()
        return AppTest.from_file(str(PROJECT / "dashboard.py"), default_timeout=60).run()

    return start
