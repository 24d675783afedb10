"""The page that a browser gets first, as it is changed on its way."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from pages.components.start_page import PRESS, StartPage
from tests.support.loop import run

PAGE = "<!DOCTYPE html><html><head><title>Streamlit</title></head></html>"


def ask(app, method="GET", **headers):
    """Status, headers and body of an answer."""
    said = []

    async def send(message):
        said.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    run(app(scope, None, send))
    start = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], start, b"".join(one.get("body", b"") for one in said[1:]).decode()


def answering(response):
    async def app(scope, receive, send):
        assert "accept-encoding" not in Request(scope).headers or scope["path"] != "/"
        await response(scope, receive, send)

    return app


def start_page(response=None, **more):
    response = response or HTMLResponse(PAGE, headers={"etag": "old"})
    more = {"scripts": ["/a/b.js"], "base": "", "connect": True} | more
    return StartPage(answering(response), **more)


def test_the_page_says_where_to_connect_before_anything_else():
    status, headers, body = ask(start_page(base="/ward"), accept="text/html", accept_encoding="gzip")
    assert status == 200
    assert headers["link"] == "</a/b.js>; rel=modulepreload"
    assert "etag" not in headers
    assert int(headers["content-length"]) == len(body)
    script = body.partition("<head>")[2].partition("</script>")[0]
    assert 'location.origin + "/ward/"' in script
    assert body.replace(script + "</script>", "").replace(PRESS, "") == PAGE


def test_where_people_sign_in_the_browser_asks_first():
    _, headers, body = ask(start_page(connect=False))
    assert body == PAGE.replace("<head>", f"<head>{PRESS}")
    assert "link" in headers


def test_what_is_no_page_passes_as_it_is():
    _, headers, body = ask(start_page(JSONResponse({"<head>": 1})))
    assert body == '{"<head>":1}'
    assert "link" not in headers
    status, headers, body = ask(start_page(HTMLResponse(PAGE, status_code=403)))
    assert (status, body) == (403, PAGE)
    assert "link" not in headers
