"""Which model the pages answer with: the promoted one, and what they say where it cannot be used."""

import pytest

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.registry import promotion
from leukemia.storage.workspace import Workspace
from pages.components import model_in_service
from tests.support.app import PATIENCE, open_dashboard, press, said
from tests.support.bundle_factory import copy_bundle, edit
from tests.support.runs_factory import data_folder, finish_run


@pytest.fixture
def data(tiny_bundle, tmp_path, monkeypatch):
    """A registry with the tiny bundle as its only version, another bundle shipped."""
    import streamlit as st

    monkeypatch.delenv("LEUKEMIA_MODEL", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shipped = copy_bundle(tiny_bundle, tmp_path / "shipped", recipe="came-with-it")
    monkeypatch.setattr(settings, "SHIPPED", shipped)
    folder = data_folder(tmp_path / "data")
    monkeypatch.setenv("LEUKEMIA_DATA", str(folder))
    finish_run(folder, tiny_bundle)
    st.cache_resource.clear()
    return folder


def a_page():
    import streamlit as st

    from pages.components import model_in_service

    st.text(f"{model_in_service.classifier().bundle.recipe}, version {model_in_service.in_service().version}")
    st.text(model_in_service.notice())
    if st.button("Look again"):
        model_in_service.refresh()
        st.rerun()


def open_page():
    from streamlit.testing.v1 import AppTest

    return AppTest.from_function(a_page, default_timeout=PATIENCE).run()


@pytest.mark.slow
def test_a_page_answers_with_what_is_promoted_as_soon_as_it_looks_again(data):
    page = open_page()
    assert [text.value for text in page.text] == ["came-with-it, version None", ""]
    promotion.promote(data, 1, "Ada", "better")
    page.button[0].click().run()
    assert [text.value for text in page.text] == ["tiny-test, version 1", ""]
    promotion.roll_back(data, "Ada", "as before")
    page.button[0].click().run()
    assert page.text[0].value == "came-with-it, version None"


def test_an_open_page_is_told_what_has_come_into_service(data):
    page = open_dashboard()
    told = "The model in service has changed"
    assert told not in said(page)
    promotion.promote(data, 1, "Ada", "better")
    model_in_service.refresh()
    page.run()
    assert f"{told}: version 1 now answers instead of the built-in model." in said(page)
    press(page, "Update this page")
    assert told not in said(page)
    assert "version 1" not in said(page)


def test_an_open_page_is_told_of_another_operating_point(copied_bundle, monkeypatch):
    monkeypatch.setenv("LEUKEMIA_MODEL", str(copied_bundle))
    page = open_dashboard()
    edit(copied_bundle, {"threshold.value": 0.9375})
    page.run()
    assert "The operating point in service has changed." in said(page)
    assert "0.938 or above" in said(page)
    assert "The model in service has changed" not in said(page)


def test_a_page_has_a_notice_where_the_promoted_model_is_damaged(data):
    promotion.promote(data, 1, "Ada", "better")
    for place in (
        *Workspace(data).serving.glob("version-1-*"),
        *(data / "mlruns").glob("*/artifacts/bundle"),
    ):
        (place / bundles.WEIGHTS).write_bytes(b"altered")
    page = open_page()
    assert not page.exception
    assert page.text[0].value == "came-with-it, version None"
    assert "Version 1 should be in service but cannot be used" in page.text[1].value


def test_the_classify_page_answers_with_what_is_promoted(data):
    from streamlit.testing.v1 import AppTest

    promotion.promote(data, 1, "Ada", "better")
    page = AppTest.from_file(str(settings.PROJECT / "dashboard.py"), default_timeout=PATIENCE).run()
    assert not page.exception
    text = "\n".join(element.value for element in page.markdown)
    assert "tiny\\-test" in text or "tiny-test" in text
    assert "came" not in text
