"""What tests of the Performance page do and read: versions on a shelf, the page opened, charts taken in."""

import base64
import json
import re

import numpy as np

from leukemia.bundles import bundle as bundles
from leukemia.evaluation import three_way
from leukemia.settings import PROJECT
from tests.support.app import open_page
from tests.support.bundle_factory import blurred, copy_bundle


def fill_shelf(tiny_bundle, tmp_path):
    """A folder of two versions: one in service, and one that sees the cells otherwise."""
    served = copy_bundle(tiny_bundle, tmp_path / "shelf" / "served")
    copy_bundle(tiny_bundle, tmp_path / "shelf" / "other", predictions=blurred(tiny_bundle))
    return served


def visiting(monkeypatch, tmp_path):
    """Return a function that opens the page with a bundle in service."""

    def start(bundle, section="threshold", data=tmp_path / "no-data", **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        monkeypatch.setenv("LEUKEMIA_MODEL", str(bundle))
        page = open_page("performance", section=section, **query)
        assert not page.error or "synthetic cells" in page.error[0].value
        return page

    return start


def pick(page, how):
    page.session_state["performance-how"] = how
    page.run()
    assert not page.exception
    return page


def decided(page):
    """Counts of the matrix of decisions, by the names of leukemia.evaluation.three_way."""
    return _counts(page, 0, three_way.NAMES.values())


def matrix(page):
    """Counts of the confusion matrix at the threshold."""
    return _counts(page, 1, ("tp", "fn", "fp", "tn"))


def _counts(page, number, names):
    html = [text for text in (h.proto.body for h in page.get("html")) if 'class="matrix"' in text][number]
    counts = (int(n.replace(",", "")) for n in re.findall(r"<b>([\d,]+)</b>", html))
    return dict(zip(names, counts, strict=True))


def traces(page):
    return [trace for chart in page.get("plotly_chart") for trace in json.loads(chart.proto.spec)["data"]]


def trace(page, name):
    (found,) = [one for one in traces(page) if one.get("name") == name]
    return found


def values(given):
    if isinstance(given, dict):
        return np.frombuffer(base64.b64decode(given["bdata"]), given["dtype"])
    return np.array(given)


def judged(folder):
    predictions = bundles.read(folder).predictions
    return (predictions["label"] == "ALL").to_numpy(), predictions["probability"].to_numpy()


def champion():
    return PROJECT / "models" / "champion"
