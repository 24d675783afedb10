"""What tests of the Cases page do and read: the page opened as somebody, the review grid taken in."""

import json

import pytest

from pages.components import identity, model_in_service
from tests.support.app import dashboard, go


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def visit(data, tiny_bundle, monkeypatch):
    """Open the page at an address, as somebody with a name."""

    def start(name="Ada", **query):
        monkeypatch.setenv("LEUKEMIA_DATA", str(data))
        monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
        model_in_service.refresh()
        page = dashboard()
        if name:
            page.session_state[identity.NAME] = name
        return go(page, "cases", **{word: str(value) for word, value in query.items()})

    return start


def grid(page):
    """What the review grid was given."""
    (one,) = [part for part in page.get("bidi_component") if "review-" in part.proto.id]
    return json.loads(one.proto.json)


def shown(page):
    """Cells of the review grid, by number."""
    return {cell["number"]: cell for cell in grid(page)["cells"]}


def lines(page, number):
    return [text for text, _ in shown(page)[number]["lines"]]
