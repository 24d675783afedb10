"""What is served before any page: who may ask, and what a first visitor meets. A real server."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
import websockets.exceptions
import websockets.sync.client

from leukemia.audit import trail
from leukemia.settings import PROJECT
from pages.components import streamlit_internals
from tests.support.browser import PATIENCE, TOKEN, Server

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def server(tiny_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    (folder / "data").mkdir()
    (folder / "data").chmod(0o755)
    with Server(tiny_bundle, folder / "log.txt", folder / "data") as server:
        yield server


def ask(server, path="/", host=None, condition=None, token=TOKEN, coded=None):
    headers = {"Host": host, "If-None-Match": condition, "Authorization": token and f"Bearer {token}"}
    headers["Accept-Encoding"] = coded
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


def test_a_browser_connects_before_it_asks_how_the_server_is(server):
    with ask(server, "/dataset", coded="gzip, br") as page:
        text = page.read()
        assert int(page.headers["content-length"]) == len(text)
        # An older page would be taken for this one.
        assert "etag" not in page.headers
        assert "content-encoding" not in page.headers
    first = text.decode().partition("<head>")[2]
    assert first.startswith("<script>")
    assert 'location.origin + "/"' in first.partition("</script>")[0]
    assert "BACKEND_BASE_URL" in first.partition("</script>")[0]


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


@pytest.mark.parametrize("token", [None, "", "x" * 16, TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "ä" * 16])
def test_without_the_token_there_is_no_answer(server, token):
    sent = token and urllib.parse.quote(token)
    for path in (
        "/",
        "/dataset",
        "/_stcore/host-config",
        "/_stcore/metrics",
        "/_stcore/stream",
        "/no-such-page",
    ):
        for address in (path, f"{path}?token={sent}"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(server, address, token=sent)
            assert refused.value.code == 403
            assert "token" in refused.value.read().decode()
    for path in streamlit_internals.chart_scripts()[:1]:
        with pytest.raises(urllib.error.HTTPError):
            ask(server, path, token=sent)


def test_a_browser_without_the_token_reads_what_to_do(server):
    request = urllib.request.Request(server.url, headers={"Accept": "text/html"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    text = refused.value.read().decode()
    assert "printed in the terminal" in text
    assert "For research use only" in text
    assert TOKEN not in text


def test_the_token_goes_from_the_address_into_a_cookie_that_no_script_reads(server):
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    opener = urllib.request.build_opener(Stay)
    with pytest.raises(urllib.error.HTTPError) as moved:
        opener.open(f"{server.url}//evil.example/x?a=1&token={TOKEN}&b=ü".replace("ü", "%C3%BC"), timeout=60)
    assert moved.value.code == 303
    assert moved.value.headers["Location"] == "/evil.example/x?a=1&b=%C3%BC"
    cookie = moved.value.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/;" in cookie
    assert TOKEN not in cookie
    kept = cookie.partition(";")[0]
    for value, code in ((kept, 200), (kept[:-1], 403), (f"{kept}0", 403)):
        request = urllib.request.Request(server.url, headers={"Cookie": value})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.status == code
        except urllib.error.HTTPError as refused:
            assert refused.code == code


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong-wrong-wrong"}])
def test_a_websocket_without_the_token_is_turned_away(server, headers):
    address = server.url.replace("http", "ws") + "/_stcore/stream"
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        websockets.sync.client.connect(address, subprotocols=["streamlit"], additional_headers=headers)
    assert refused.value.response.status_code == 403
    given = {"Authorization": f"Bearer {TOKEN}"}
    with websockets.sync.client.connect(
        address, subprotocols=["streamlit"], additional_headers=given
    ) as open_:
        assert open_.subprotocol == "streamlit"


def test_health_is_answered_to_whoever_asks(server):
    with ask(server, "/_stcore/health", token=None) as answer:
        assert answer.read() == b"ok"


def test_the_address_is_printed_with_the_token(server):
    text = server.log.read_text()
    assert f"{server.url}/?token={TOKEN}" in text
    assert text.count("http") == 1


@pytest.mark.skipif(os.name != "posix", reason="on Windows, a folder's own rights decide")
def test_a_data_folder_that_other_accounts_can_look_into_is_told_of(server):
    assert server.log.read_text().count(f"chmod 700 {server.data}") == 1


@pytest.mark.parametrize("address", ["0.0.0.0", ""])
def test_it_does_not_start_where_others_would_need_no_sign_in(tmp_path, address):
    done = run_server(f"--server.address={address}", LEUKEMIA_DATA=str(tmp_path / "data"))
    assert done.returncode == 2
    assert "nobody would have to sign in" in done.stderr
    assert "docs/access.md" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize("token", ["short", "x" * 15, "sixteen letters and spaces"])
def test_it_does_not_start_with_a_token_that_is_none(tmp_path, token):
    done = run_server(LEUKEMIA_TOKEN=token, LEUKEMIA_DATA=str(tmp_path / "data"))
    assert done.returncode == 2
    assert "LEUKEMIA_TOKEN must have 16 to 200 letters" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    # Nothing is said of what was given, and nothing was begun.
    assert token not in done.stderr + done.stdout
    assert not (tmp_path / "data").exists()


def run_server(*options, **environment):
    command = [sys.executable, "-m", "streamlit", "run", "server.py", "--server.headless=true", *options]
    return subprocess.run(
        [*command, "--server.port=0"],
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
