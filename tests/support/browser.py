"""A running dashboard, and sessions of a real browser on it in which nothing may fail or go outside."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

from leukemia.settings import PROJECT

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Of every dashboard here: a page that is open goes on after a restart.
TOKEN = "the-token-of-the-tests"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# Seconds. It only matters where something hangs: the machine may be busy with much else.
PATIENCE = 300
# Characters of a page's text that a report shows.
SAID = 3_000
# Characters of a server's log.
LOGGED = 1_500
# For a third of a second: what was just pressed has then set off its run of the page, if it does at all.
AT_REST = """([since]) => {
  const app = document.querySelector('[data-testid=stApp]')
  if (app?.dataset.testScriptState !== 'notRunning' || document.querySelector('[data-stale=true]'))
    window.restSince = undefined
  else window.restSince = Math.max(window.restSince ?? performance.now(), since)
  return performance.now() - window.restSince > 333
}"""


def find_browser():
    """Path of a Chromium on this machine, or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


DASHBOARD = ("-m", "streamlit", "run", "server.py")


class Server:
    """``streamlit run server.py`` as its own process, or another program, with what it writes to its log.

    Without a bundle, the model in service is the registry's. As a context, it answers once it is entered,
    and its log must be free of errors in the end.
    """

    def __init__(
        self,
        bundle,
        log,
        data=None,
        environment=None,
        port=None,
        options=(),
        settings=None,
        program=DASHBOARD,
    ):
        if port is None:
            with socket.socket() as probe:
                probe.bind(("localhost", 0))
                port = probe.getsockname()[1]
        self.port = port
        self.url = f"http://localhost:{port}"
        self.log, self.data = log, data
        options = ["--server.headless=true", f"--server.port={port}", *options]
        command = [sys.executable, *program, *options]
        named = {"LEUKEMIA_MODEL": bundle, "LEUKEMIA_DATA": data, "LEUKEMIA_TOKEN": TOKEN}
        environment = dict(environment or os.environ) | (settings or {})
        environment |= {name: str(path) for name, path in named.items() if path}
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=out, stderr=out)

    def address(self, path=""):
        """An address to begin with: it carries the token."""
        return f"{self.url}/{path}{'&' if '?' in path else '?'}token={TOKEN}"

    def __enter__(self):
        try:
            self.wait()
        except AssertionError:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        assert "Traceback" not in self.log.read_text(errors="replace")

    def wait(self):
        """Wait until it answers."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"The dashboard did not start:\n{self.log.read_text(errors='replace')}")

    def stop(self):
        """End it; a second time does nothing."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Sessions:
    """Pages of a browser, each in a session of its own; :meth:`close` says what failed in any of them."""

    def __init__(self, browser):
        self.browser = browser
        self.contexts = []
        self.logs = []
        self.faults = []

    def open(self, server, address, heading, width=1280, height=900, scheme="light", before=""):
        """Open the dashboard at an address, after a script; return the page once its heading is there."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.contexts.append(context)
        if server.log not in self.logs:
            self.logs.append(server.log)
        page = context.new_page()
        page.add_init_script(before)
        page.set_default_timeout(1_000 * PATIENCE)
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        inside = ("data:", "blob:", server.url)
        page.on("request", lambda one: None if one.url.startswith(inside) else self.faults.append(one.url))
        page.goto(server.address(address))
        page.get_by_role("heading", name=heading, exact=True).wait_for()
        return page

    def described(self):
        """The address of each page, how far its run is, and its text; the page opened last comes first.

        And what its server said last.
        """
        pages = [page for context in self.contexts for page in context.pages]
        logs = [f"{log.name}:\n{log.read_text(errors='replace')[-LOGGED:]}" for log in self.logs]
        return "\n\n".join([*map(_described, reversed(pages)), *logs])

    def close(self):
        """Close all; no page may show an error, have thrown one, or have asked another server."""
        while self.contexts:
            context = self.contexts.pop()
            for page in context.pages:
                text = page.locator("body").inner_text()
                assert "Traceback" not in text
                assert "went wrong" not in text
            context.close()
        assert self.faults == []


def _described(page):
    try:
        state = page.evaluate("document.querySelector('[data-testid=stApp]')?.dataset.testScriptState")
        text = page.locator("body").inner_text()
    except Exception as error:
        return f"{page.url}: {error}"
    lines = "\n".join(filter(None, map(str.strip, text.splitlines())))
    return f"{page.url} ({state})\n{lines[:SAID]}"


def at_rest(page):
    """Wait until the page is laid out to its end."""
    page.wait_for_function(AT_REST, arg=[page.evaluate("performance.now()")])


def at_address(page, *parts):
    """Wait until the address has all these parts: it follows what is laid out, sooner or later."""
    page.wait_for_url(lambda url: all(part in url for part in parts))


def fits_the_screen(page):
    """Wait until nothing of the page lies beyond the right edge of the screen."""
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
