"""What is served before any page: who may ask, and what a first visitor meets. A real server."""

import time
import urllib.error
import urllib.request

import pytest

from leukemia.audit import trail
from pages.components import streamlit_internals
from tests.support.browser import Server

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def server(tiny_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    with Server(tiny_bundle, folder / "log.txt", folder / "data") as server:
        yield server


def ask(server, path="/", host=None, condition=None):
    headers = {"Host": host, "If-None-Match": condition}
    request = urllib.request.Request(server.url + path, headers={k: v for k, v in headers.items() if v})
    return urllib.request.urlopen(request, timeout=60)


@pytest.mark.parametrize(
    "path", ["/", "/performance?section=card", "/_stcore/host-config", streamlit_internals.chart_scripts()[0]]
)
def test_a_foreign_name_gets_a_page_that_says_why(server, path):
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, path, "ward7.hospital.example")
    assert refused.value.code == 403
    text = refused.value.read().decode()
    assert "cannot be used at this address" in text
    assert "ward7.hospital.example" in text
    assert f"http://localhost:{server.url.rpartition(':')[2]}" in text
    assert "allowedHosts" in text


def test_a_name_is_shown_as_text(server):
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, host="<script>.example")
    assert "<script>" not in refused.value.read().decode()


@pytest.mark.parametrize(("path", "to"), [("/classify", "/"), ("/classify?demo=2", "/?demo=2")])
def test_classify_has_an_address_as_the_other_pages_have(server, path, to):
    with ask(server, path) as page:
        assert page.url == server.url + to


def test_this_machine_gets_the_dashboard_with_the_scripts_of_its_charts(server):
    paths = streamlit_internals.chart_scripts()
    assert any("PlotlyChart" in path for path in paths)
    with ask(server, "/dataset") as page:
        assert page.status == 200
        text, link = page.read().decode(), page.headers["link"]
    assert link == ", ".join(f"<{path}>; rel=modulepreload" for path in paths)
    for path in paths:
        # What the page asks for by itself is not asked for twice.
        assert path.rpartition("/")[2] not in text
        with ask(server, path) as script:
            assert "javascript" in script.headers["content-type"]
            assert "link" not in script.headers


def test_a_chart_waits_for_no_script_that_was_not_asked_for_with_the_page(server):
    known = {path.rpartition("/")[2] for path in streamlit_internals.chart_scripts()}
    with ask(server, "/dataset") as page:
        text = page.read().decode()
    chart = next(path for path in streamlit_internals.chart_scripts() if "PlotlyChart" in path)
    with ask(server, chart) as script:
        head = script.read(20_000).decode(errors="replace")
    imported = [part.partition('"')[0] for part in head.split('from"./')[1:]]
    assert imported
    assert [name for name in imported if name not in known and name not in text] == []


def test_a_file_from_memory_is_what_streamlit_serves(server):
    files = streamlit_internals.first_files()
    assert len(files) > 50
    for path in files:
        with ask(server, path) as ours, ask(server, path, condition="another") as streamlits:
            # Streamlit's own has a tag by which a browser may ask whether it is still the same.
            assert ("etag" in ours.headers, "etag" in streamlits.headers) == (False, True)
            assert ours.read() == streamlits.read()
            same = ("cache-control", "content-length", "content-type")
            assert {name: ours.headers[name].partition(";")[0] for name in same} == {
                name: streamlits.headers[name].partition(";")[0].replace("application/j", "text/j")
                for name in same
            }


def test_the_server_puts_its_settings_on_record_as_it_starts(server):
    until = time.monotonic() + 60
    while not (entries := trail.entries(server.data, events=[trail.SETTINGS_CHANGED])):
        assert time.monotonic() < until, server.log.read_text()
        time.sleep(0.1)
    assert [one.reason for one in entries] == ["dashboard started"]
    assert f"LEUKEMIA_DATA={server.data}" in entries[0].new
