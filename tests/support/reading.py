"""What tests of the Dataset page do and read: fill in, press, wait for a job, take in the text."""

import time

from leukemia.jobs import launcher


def said(page):
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success", "html")
    text = "\n".join(
        str(element.value if kind != "html" else element.proto.body)
        for kind in kinds
        for element in page.get(kind)
    )
    return text.replace("\\", "")


def press(page, label):
    (button,) = [button for button in page.button if button.label == label]
    return button.click().run()


def fill(page, label, text):
    (field,) = [field for field in page.text_input if field.label == label]
    return field.set_value(text)


def wait(page, job, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until and launcher.state(job).active:
        time.sleep(0.1)
    assert not launcher.state(job).active
    page.run()
    assert not page.exception
    return page


def labels(page):
    return [expander.label.replace("\\", "") for expander in page.expander]
