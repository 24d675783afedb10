"""A running dashboard and a real browser, once for all tests here."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from leukemia.settings import PROJECT

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find_browser():
    """Path of a Chromium on this machine, or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def pytest_collection_modifyitems(items):
    for item in items:
        if "/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser():
    path = find_browser()
    if path is None:
        reason = "no Chromium here: install one or name it in CHROMIUM"
        if os.environ.get("LEUKEMIA_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


class Server:
    """``streamlit run dashboard.py`` as its own process, with what it wrote to its log.

    Without a bundle, the model in service is the registry's.
    """

    def __init__(self, bundle, log):
        with socket.socket() as probe:
            probe.bind(("localhost", 0))
            port = probe.getsockname()[1]
        self.url = f"http://localhost:{port}"
        self.log = log
        options = ["--server.headless=true", f"--server.port={port}"]
        command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", *options]
        named = {"LEUKEMIA_MODEL": str(bundle)} if bundle else {}
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=PROJECT, env=os.environ | named, stdout=out, stderr=out
            )

    def wait(self, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"The dashboard did not start:\n{self.log.read_text(errors='replace')}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def server(browser, tiny_bundle, tmp_path_factory):
    running = Server(tiny_bundle, tmp_path_factory.mktemp("server") / "log.txt")
    try:
        running.wait()
        yield running
    finally:
        running.stop()


@pytest.fixture
def visit(browser, server):
    """Open the dashboard in a session of its own; afterwards, no page may have failed or gone outside."""
    opened, faults = [], []

    def start(width=1280, height=900, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: faults.append(f"page error: {error}"))
        page.on("request", lambda request: faults.append(request.url) if outside(request.url) else None)
        opened.append(page)
        page.goto(server.url)
        page.get_by_role("heading", name="Classify cells").wait_for()
        return page

    def outside(url):
        return url.startswith("http") and not url.startswith(server.url)

    yield start
    for page in opened:
        text = page.locator("body").inner_text()
        assert "Traceback" not in text
        assert "went wrong" not in text
        page.context.close()
    assert faults == []
    assert "Traceback" not in server.log.read_text(errors="replace")
