"""Who is let in, and what every answer carries."""

import logging

import pytest

from leukemia.access import keys
from leukemia.access.users import Role
from leukemia.api import door
from leukemia.errors import RecordsUnavailableError
from leukemia.settings import MAX_REQUEST_BYTES, RESEARCH_USE


def addresses(service):
    """Every method and path that the service describes."""
    paths = service.client.get("/openapi.json").json()["paths"]
    return {(method.upper(), path) for path, methods in paths.items() for method in methods}


def test_every_address_but_a_few_needs_a_key(service, monkeypatch):
    monkeypatch.setattr(door, "FAILURES", door.parse("1000 per minute"))
    listed = addresses(service)
    assert {path for _, path in listed} >= {"/v1/classify", "/v1/cases", "/v1/models", "/metrics", "/health"}
    for method, path in listed:
        answer = service.client.request(method, path)
        if path in door.OPEN:
            assert answer.status_code == 200, path
        else:
            assert (answer.status_code, answer.json()["error"]) == (401, door.NO_KEY), path
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/nothing", "//v1/models", "/health/../v1/models", "/docs/../v1/models"])
def test_an_address_that_is_not_listed_needs_one_too(service, path):
    assert service.client.get(path).status_code == 401
    assert service.ask("GET", path).status_code in (200, 404)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: text.replace("leukemia_", "leukaemia_"),
        lambda text: "leukemia_" + "0" * 12 + text[21:],
        lambda text: "_".join(text.split("_")[:2]) + "_",
        lambda text: "é",
    ],
)
def test_a_key_that_is_not_quite_right_is_refused(service, spoil):
    headers = {"Authorization": f"Bearer {spoil(service.text)}".encode()}
    answer = service.client.get("/v1/models", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, door.BAD_KEY)


def test_a_revoked_key_is_refused_at_the_next_request(service):
    assert service.ask("GET", "/v1/models").status_code == 200
    keys.revoke(service.data, "lab", who="Ada", reason="lost")
    assert service.ask("GET", "/v1/models").status_code == 401


def test_every_answer_says_what_it_is_not_for_and_has_an_id(service):
    answers = [
        service.client.get("/health"),
        service.client.get("/v1/models"),
        service.client.get("/health", headers={"Host": "elsewhere"}),
        *(service.ask("GET", path) for path in ("/ready", "/v1/models", "/v1/cases", "/v1/cases/9", "/no")),
        service.ask("DELETE", "/v1/models"),
        service.ask("POST", "/v1/classify"),
    ]
    assert {one.status_code for one in answers} == {200, 401, 404, 405, 421, 422}
    for one in answers:
        assert one.json()["notice"] == RESEARCH_USE
        assert one.headers["x-notice"] == RESEARCH_USE
        if one.is_error:
            assert one.json()["request_id"] == one.headers["x-request-id"]
            assert one.json()["error"].endswith(".")
    assert service.ask("GET", "/metrics").headers["x-notice"] == RESEARCH_USE


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("testserver", True),
        ("TestServer:8600", True),
        ("[::1]:8600", True),
        ("[::1]", True),
        ("elsewhere.example", False),
        ("testserver.elsewhere.example", False),
        ("", False),
    ],
)
def test_it_answers_to_its_names_only(make_service, host, allowed):
    service = make_service(hosts={"testserver", "::1"})
    answer = service.client.get("/health", headers={"Host": host})
    assert answer.status_code == (200 if allowed else 421)
    if not allowed:
        assert "LEUKEMIA_HOSTS" in answer.json()["error"]


def test_a_line_of_the_log_has_the_id_and_the_holder_but_no_query(service, caplog):
    with caplog.at_level(logging.INFO, "leukemia.api"):
        answer = service.ask("GET", "/v1/cases?search=Miller", headers={"X-Request-Id": "from-proxy.7"})
    assert answer.headers["x-request-id"] == "from-proxy.7"
    (line,) = [one.getMessage() for one in caplog.records if one.name == "leukemia.api"]
    assert line.startswith("from-proxy.7 'lab' GET /v1/cases 200 ")
    assert "Miller" not in line and service.text not in line


@pytest.mark.parametrize("given", ["two words", "a" * 65, "x\u00e9"])
def test_an_id_that_could_forge_the_log_is_replaced(service, given):
    answer = service.client.get("/health", headers={"X-Request-Id": given.encode()})
    assert door.GIVEN_ID.fullmatch(answer.headers["x-request-id"])
    assert answer.headers["x-request-id"] != given


def test_a_key_has_so_many_requests_and_is_told_when_to_go_on(make_service):
    service = make_service(rate="3 per minute")
    other = service.key("other", Role.VIEWER)
    assert [service.ask("GET", "/v1/models").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = service.ask("GET", "/v1/models")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "at most 3 per 1 minute" in refused.json()["error"]
    assert service.ask("GET", "/v1/models", key=other).status_code == 200
    assert service.client.get("/health").status_code == 200


def test_who_guesses_keys_is_slowed_down(service):
    tries = [service.ask("GET", "/v1/models", key="guess").status_code for _ in range(25)]
    assert tries == [401] * 20 + [429] * 5
    assert service.client.get("/health").status_code == 200


def test_whoever_has_a_key_is_let_in_beside_others_who_guess(service):
    for text in ("guess", "leukemia_" + "0" * 12 + "_" + "x" * 43):
        tries = [service.ask("GET", "/v1/models", key=text).status_code for _ in range(22)]
        assert tries[-1] == 429
        assert service.ask("GET", "/v1/models").status_code == 200
    assert service.ask("GET", "/v1/models", key="guess").status_code == 429
    refused = service.client.get("/v1/models")
    assert (refused.status_code, refused.headers["retry-after"].isdigit()) == (429, True)


def test_methods_that_somebody_made_up_are_counted_and_written_as_one(service, caplog):
    with caplog.at_level(logging.INFO, "leukemia.api"):
        for number in range(5):
            service.client.request(f"INVENTED{number}", "/health")
            service.ask(f"INVENTED{number}", "/v1/models")
        service.client.request("DELETE", "/health")
    counted = service.ask("GET", "/metrics").text
    assert "INVENTED" not in counted and "INVENTED" not in caplog.text
    assert 'leukemia_http_requests_total{method="other",route="/health",status="405"} 5.0' in counted
    assert 'method="DELETE"' in counted


def test_a_request_that_is_too_large_is_refused_before_it_is_read(service):
    def pieces():
        for _ in range(MAX_REQUEST_BYTES // 2**20 + 2):
            yield bytes(2**20)

    form = {"Content-Type": "multipart/form-data; boundary=x"}
    announced = service.ask(
        "POST", "/v1/classify", headers=form | {"Content-Length": str(MAX_REQUEST_BYTES + 1)}, content=b"x"
    )
    streamed = service.ask("POST", "/v1/classify", headers=form, content=pieces())
    for answer in (announced, streamed):
        assert (answer.status_code, answer.json()["error"]) == (413, door.TOO_LARGE)


def test_without_its_records_it_lets_nobody_in_and_says_why(service, monkeypatch):
    def gone(*_):
        raise RecordsUnavailableError("The records cannot be read: the database does not answer.")

    monkeypatch.setattr(keys, "find", gone)
    answer = service.ask("GET", "/v1/models")
    assert (answer.status_code, answer.json()["error"]) == (
        503,
        "The records cannot be read: the database does not answer.",
    )


def test_a_fault_is_a_sentence_for_the_caller_and_a_traceback_for_the_log(service, monkeypatch, caplog):
    def fails(*_, **__):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("leukemia.registry.versions.registered", fails)
    answer = service.ask("GET", "/v1/models")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text and "Traceback" not in answer.text
    assert "server's log" in answer.json()["error"]
    assert f"request {answer.json()['request_id']} failed" in caplog.text and "secret detail" in caplog.text


def test_behind_a_path_of_a_proxy_only_the_same_is_open(make_service):
    service = make_service(base_path="/leukemia")
    for path in ("/health", "/leukemia/health"):
        assert service.client.get(path).status_code == 200
    for path in ("/leukemia/v1/models", "/v1/models"):
        assert service.client.get(path).status_code == 401
        assert service.ask("GET", path).status_code == 200
    assert '"/leukemia/docs/assets/swagger-ui.css"' in service.client.get("/leukemia/docs").text


def test_the_page_of_the_documentation_loads_from_this_machine_only(service):
    page = service.client.get("/docs").text
    assert "http://" not in page and "https://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f'"/docs/assets/{asset}"' in page
        assert service.client.get(f"/docs/assets/{asset}").status_code == 200
