"""What tests of pages do and read: open one, fill in, press, wait for a job, take in the text."""

import functools
import time

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from leukemia import jobs
from leukemia.settings import PROJECT
from pages.components import model_in_service

# Each run of AppTest (Streamlit 1.67) reads the metadata of all installed packages: once is enough.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)

PATIENCE = 300  # seconds; it only matters where a page hangs


def dashboard():
    """The dashboard in this process, not yet run."""
    return AppTest.from_file(str(PROJECT / "dashboard.py"), default_timeout=PATIENCE)


def open_dashboard():
    """Run the dashboard on the model that is in service now; return its first page."""
    model_in_service.refresh()
    return dashboard().run()


def open_page(name, /, **query):
    """Open a page at an address, without the network that Classify loads."""
    model_in_service.refresh()
    return go(dashboard(), name, **query)


def go(page, name, /, **query):
    """Go to a page at an address; it must open without an exception."""
    page.switch_page(f"pages/{name}.py")
    for word, value in query.items():
        page.query_params[word] = value
    page.run()
    assert not page.exception
    return page


def widget(widgets, label):
    """The one widget of a kind with this label."""
    (one,) = [one for one in widgets if one.label == label]
    return one


def said(page, escaped=False):
    """All text of a page, headings, captions, alerts and HTML alike; Markdown's backslashes only if asked."""
    kinds = ("title", "header", "subheader", "markdown", "caption")
    kinds += ("error", "warning", "info", "success", "html")
    text = "\n".join(
        str(element.value if kind != "html" else element.proto.body)
        for kind in kinds
        for element in page.get(kind)
    )
    return text if escaped else text.replace("\\", "")


def press(page, label):
    return widget(page.button, label).click().run()


def fill(page, label, text):
    return widget(page.text_input, label).set_value(text)


def wait(page, job, seconds=PATIENCE):
    """Wait until a job has ended, and show the page as it is then."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and jobs.state(job).active:
        time.sleep(0.1)
    assert not jobs.state(job).active
    page.run()
    assert not page.exception
    return page


def labels(page):
    return [expander.label.replace("\\", "") for expander in page.expander]
