"""The service in this process, with keys."""

import pytest
from starlette.testclient import TestClient

from leukemia.access import keys
from leukemia.access.users import Role
from leukemia.api import app


class Service:
    """A client of the service; ``lab`` is the name of the key that it sends."""

    def __init__(self, data, client, text):
        self.data, self.client, self.text = data, client, text

    def ask(self, method, path, *, key="", **more):
        headers = {"Authorization": f"Bearer {key or self.text}"} | more.pop("headers", {})
        return self.client.request(method, path, headers=headers, **more)

    def classify(self, files, **more):
        """Send files: a mapping of name to bytes."""
        sent = [("images", (name, content)) for name, content in files.items()]
        return self.ask("POST", "/v1/classify", files=sent, **more)

    def key(self, name, *roles):
        """A key of another holder; its text."""
        return keys.add(self.data, name, roles, who="Ada")[1]


@pytest.fixture
def make_service(tiny_bundle, tmp_path, monkeypatch):
    """Make a service on the tiny bundle; its options are those of ``app.make``."""
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("LEUKEMIA_DATA", str(data))
    _, text = keys.add(data, "lab", [Role.READER], who="Ada")

    def make(**options):
        options = {"hosts": {"testserver"}, "rate": "600 per minute"} | options
        return Service(data, TestClient(app.make(data, **options)), text)

    return make


@pytest.fixture
def service(make_service):
    return make_service()
