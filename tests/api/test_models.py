"""Which model answers, whether it can, and what was counted."""

import sqlite3

import pytest

from leukemia.api.served import Served
from leukemia.bundles import bundle as bundles
from leukemia.errors import BundleError
from leukemia.registry import versions
from leukemia.storage import database
from leukemia.storage.workspace import Workspace
from tests.api.test_classify import sample_cell


def test_the_model_in_service_is_named_with_its_limits(service, tiny_bundle):
    bundle = bundles.read(tiny_bundle)
    found = service.ask("GET", "/v1/models/in-service").json()
    assert found["model"] == {
        "name": bundle.name,
        "version": None,
        "sha256": bundle.digest,
        "record_sha256": bundles.checksum(tiny_bundle / bundles.RECORD),
        "synthetic": True,
    }
    assert found["limits"]["threshold"] == bundle.operating_point.threshold
    assert service.classify({"a.png": sample_cell()}).json()["model"] == found["model"]


def test_versions_are_those_of_the_registry(service, monkeypatch, tiny_bundle):
    known = versions.Version(
        tiny_bundle, number=3, recipe="tiny", aliases=("champion",), record_sha256="a" * 64
    )
    monkeypatch.setattr(versions, "registered", lambda _: [known])
    (one,) = service.ask("GET", "/v1/models").json()["versions"]
    assert (one["version"], one["name"], one["in_service"]) == (3, "version 3", True)


def test_it_is_ready_once_model_and_records_can_be_used(service, monkeypatch):
    assert service.client.get("/ready").json()["ready"] is True

    def broken(*_):
        raise BundleError("The model is damaged.")

    monkeypatch.setattr(Served, "now", broken)
    Workspace(service.data).records.unlink()
    database._ready.clear()
    Workspace(service.data).records.write_bytes(b"no database at all" * 100)
    answer = service.client.get("/ready")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["trouble"][0] == "The model is damaged."
    assert "their file is damaged" in answer.json()["trouble"][1]
    assert service.client.get("/health").status_code == 200


def test_it_is_not_ready_where_the_records_have_lost_their_tables(service):
    with sqlite3.connect(Workspace(service.data).records) as direct:
        found = direct.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in found:
            direct.execute(f'DROP TABLE "{name}"')
    answer = service.client.get("/ready")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    (trouble,) = answer.json()["trouble"]
    assert "their tables are not there" in trouble and "does not answer" not in trouble


@pytest.fixture
def count(service):
    def read(name):
        lines = service.ask("GET", "/metrics").text.splitlines()
        return {
            line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)
        }

    return read


def test_what_was_answered_is_counted(service, count):
    service.classify({"Miller.png": sample_cell(), "letter.txt": b"Dear colleague"})
    service.ask("GET", "/v1/cases/9")
    assert sum(count("leukemia_answers_total").values()) == 2
    assert count('leukemia_answers_total{decision="Not classified"}')
    requests = count("leukemia_http_requests_total")
    assert requests['leukemia_http_requests_total{method="POST",route="/v1/classify",status="200"}'] == 1
    assert (
        requests['leukemia_http_requests_total{method="GET",route="/v1/cases/{case_id}",status="404"}'] == 1
    )
    (model,) = count("leukemia_model_in_service")
    assert "tiny-test" in model
    assert "Miller" not in service.ask("GET", "/metrics").text


def test_two_services_in_one_process_count_for_themselves(make_service):
    one, other = make_service(), make_service()
    one.ask("GET", "/v1/models")
    assert 'route="/v1/models"' not in other.ask("GET", "/metrics").text
