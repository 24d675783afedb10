"""Images over REST: the answers of the page and of the command, once for each Idempotency-Key."""

import csv
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from leukemia.access.users import Role
from leukemia.api import app, errors, idempotency
from leukemia.api.idempotency import REQUESTS
from leukemia.audit import answers, trail
from leukemia.bundles import bundle as bundles
from leukemia.cli.main import main
from leukemia.dataset.synthetic import sample_writer
from leukemia.errors import RecordsUnavailableError
from leukemia.inference import on_record
from leukemia.operating_point import UNCLASSIFIED
from leukemia.segmentation import segment
from leukemia.storage import database
from tests.support.app import go, open_dashboard, widget
from tests.support.fields import PIXEL_SIZE, ColourNetwork, encode_field

COMPARED = {
    "decision": "decision",
    "reason": "error",
    "image_sha256": "image_id",
    "learned_from": "learned_from",
    "held_out_decision": "held_out_decision",
    "note": "note",
}


@pytest.fixture
def some(drawn_files):
    """Twelve drawn cells, a letter and a cut-off file."""
    files = {path.name: path.read_bytes() for path in sorted(drawn_files.iterdir())[:12]}
    return files | {"letter.txt": b"Dear colleague", "cut.png": sample_cell()[:500], "none.png": b""}


def sample_cell():
    ((_, cell),) = sample_writer.sample_cells(1, seed=3)
    return cell


def test_answers_are_those_of_the_command_to_the_digit(service, some, tmp_path, monkeypatch):
    given = service.classify(some)
    assert given.status_code == 200, given.text
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in some.items():
        (folder / name).write_bytes(content)
    table = tmp_path / "out.csv"
    main(["classify", *(str(folder / name) for name in some), "--output", str(table)])
    rows = list(csv.DictReader(table.open()))
    over_rest = given.json()["answers"]
    assert [one["file"] for one in over_rest] == list(some)
    for one, row in zip(over_rest, rows, strict=True):
        assert {ours: one[ours] for ours in COMPARED} == {
            ours: row[theirs] for ours, theirs in COMPARED.items()
        }
        assert ("" if one["probability"] is None else repr(one["probability"])) == row["probability"]
    limits = given.json()["limits"]
    assert {repr(limits["normal_like_below"]), repr(limits["all_like_from"])} == {
        rows[0]["normal_like_below"],
        rows[0]["all_like_from"],
    }
    assert given.json()["model"]["sha256"] == rows[0]["model_sha256"]
    assert given.json()["notice"] == rows[0]["notice"]


def test_answers_are_those_of_the_page_to_the_digit(service):
    page = go(open_dashboard(), "classify")
    widget(page.button, "Try drawn cells").click().run()
    while page.session_state.batch.waiting:
        page.run()
    on_page = {one.answer.name: one.answer for one in page.session_state.batch.results}
    cells = dict(sample_writer.sample_cells(len(on_page), seed=0))
    given = service.classify(cells, data={"pixel_size": "native"}).json()["answers"]
    assert len(given) == len(on_page) > 5
    for one in given:
        answer = on_page[one["file"]]
        assert (one["probability"], one["reason"], one["image_sha256"]) == (
            answer.probability,
            answer.error,
            answer.image_id,
        )


def test_a_file_that_cannot_be_read_says_why_and_the_others_are_answered(service, some):
    given = service.classify(some).json()
    refused = {one["file"]: one["reason"] for one in given["answers"] if one["probability"] is None}
    assert set(refused) >= {"letter.txt", "cut.png", "none.png"}
    assert refused["none.png"] == "The file is empty."
    assert given["counts"][UNCLASSIFIED] == len(refused)
    assert sum(given["counts"].values()) == len(given["answers"]) == len(some)


def test_a_field_is_searched_and_its_cells_have_a_place(service, monkeypatch):
    monkeypatch.setattr(segment, "shipped", ColourNetwork)
    smear = encode_field(white=((200, 200, 60), (450, 300, 60)))
    given = service.classify({"smear.png": smear}, data={"pixel_size": str(PIXEL_SIZE)}).json()
    assert len(given["answers"]) == 2
    assert [one["place"]["number"] for one in given["answers"]] == list(range(1, len(given["answers"]) + 1))
    assert {(one["image"], one["file"]) for one in given["answers"]} == {(1, "smear.png")}


def test_answers_are_on_record_under_the_name_of_the_key(service, some, tiny_bundle):
    number = service.classify(some).json()["on_record"]
    (entry,) = trail.entries(service.data, events=[trail.ANSWERS])
    assert (entry.number, entry.who, entry.reason) == (number, "lab", "REST")
    assert entry.record_sha256 == bundles.checksum(tiny_bundle / bundles.RECORD)
    assert len(answers.of_entry(service.data, number)) == len(some)


def test_answers_that_cannot_be_recorded_are_given_and_say_so(service, some, monkeypatch):
    def fails(*_, **__):
        raise RecordsUnavailableError("Nothing was saved. The disk is full.")

    monkeypatch.setattr(answers, "record", fails)
    given = service.classify(some).json()
    assert given["on_record"] is None
    assert given["trouble"] == f"{on_record.NOT_RECORDED} The disk is full."
    assert given["answers"][0]["probability"] is not None


@pytest.mark.parametrize("size", ["0", "-1", "nan", "inf", "small", "1e999"])
def test_a_scale_that_is_none_is_refused(service, size):
    given = service.classify({"a.png": sample_cell()}, data={"pixel_size": size})
    assert given.status_code == 400
    assert "micrometres above 0, or native" in given.json()["error"]


def test_a_request_without_images_is_refused_in_words(service):
    given = service.ask("POST", "/v1/classify")
    assert (given.status_code, given.json()["error"]) == (422, "images is missing.")


FORM = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"files": [("images", (None, "hello"))]}, 422, "Entry 1 of images must be a file."),
        (
            {"files": [("images", ("a.png", b"x")), ("images", (None, "x" * 20_000))]},
            400,
            "A field of the form is longer than 10,000 bytes. Images are sent as files.",
        ),
        ({"data": {"images": "x" * 20_000}}, 400, "A field of the form is longer than 10,000 bytes."),
        (
            {"files": [(f"f{number}", (None, "x")) for number in range(11)]},
            400,
            "A form has at most 10 fields beside its files.",
        ),
        (
            {"files": [("pixel_size", ("a.txt", b"1")), ("images", ("a.png", b"x"))]},
            422,
            "pixel_size must be text.",
        ),
        ({"content": b"hello", "headers": FORM}, 400, errors.NO_BODY),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 400, errors.NO_BODY),
        ({"content": b"--x\r\n\r\nhello\r\n--x--", "headers": FORM}, 400, errors.NO_BODY),
        ({"json": {"images": ["hello"]}}, 422, "images is missing."),
    ],
)
def test_a_form_that_is_none_is_refused_in_words(service, sent, status, said):
    answer = service.ask("POST", "/v1/classify", **sent)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"].startswith(said)


def test_more_files_than_the_page_takes_are_refused(service):
    given = service.classify({f"{number}.png": b"x" for number in range(501)})
    assert given.status_code == 400
    assert "500" in given.json()["error"]


def once(service, files, key="order-7", holder="", **more):
    return service.classify(files, key=holder, headers={"Idempotency-Key": key}, **more)


def entries(service):
    return len(trail.entries(service.data, events=[trail.ANSWERS]))


def test_a_repeated_request_is_answered_once(service, some):
    first, again = once(service, some), once(service, some)
    assert first.json() == again.json()
    assert (again.headers.get("idempotent-replayed"), entries(service)) == ("true", 1)
    assert "idempotent-replayed" not in first.headers
    assert "idempotent-replayed" not in once(service, some, key="order-8").headers
    assert entries(service) == 2


def test_the_same_key_with_other_images_or_another_scale_is_refused(service):
    cell = sample_cell()
    assert once(service, {"a.png": cell}).status_code == 200
    for other in (
        once(service, {"a.png": cell + b"0"}),
        once(service, {"b.png": cell}),
        once(service, {"a.png": cell, "b.png": cell}),
        once(service, {"a.png": cell}, data={"pixel_size": "native"}),
    ):
        assert (other.status_code, other.json()["error"]) == (409, idempotency.OTHER_REQUEST)
    stranger = service.key("other", Role.VIEWER)
    assert once(service, {"b.png": cell}, holder=stranger).status_code == 200


def test_names_of_files_are_not_stored(service):
    given = once(service, {"Miller, John.png": sample_cell()})
    assert given.json()["answers"][0]["file"] == "Miller, John.png"
    assert "Miller" not in service.data.joinpath("records.db").read_bytes().decode("latin-1")
    for wal in service.data.glob("records.db*"):
        assert b"Miller" not in wal.read_bytes()
    assert once(service, {"Miller, John.png": sample_cell()}).json() == given.json()


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 201])
def test_a_key_that_cannot_be_one_is_refused(service, key):
    given = service.classify({"a.png": sample_cell()}, headers={"Idempotency-Key": key.encode()})
    assert (given.status_code, given.json()["error"]) == (400, idempotency.NO_KEY)


def test_an_answer_is_kept_for_a_day(service):
    cell = sample_cell()
    once(service, {"a.png": cell})
    begin(service, idempotency.KEPT)
    assert once(service, {"b.png": cell}).status_code == 200


def begin(service, ago, **changed):
    """Have the stored request begun a while ago."""
    at = (datetime.now(UTC) - ago).isoformat(timespec="microseconds")
    with database.writing(service.data) as connection:
        connection.execute(REQUESTS.update(), {"begun_at": at, **changed})


def stored(service):
    """The keys of the requests that are stored."""
    with database.reading(service.data) as connection:
        return sorted(connection.scalars(sa.select(REQUESTS.c.key)))


def test_answers_that_were_kept_for_a_day_are_forgotten_and_later_ones_are_not(service):
    once(service, {"a.png": sample_cell()})
    idempotency.forget(service.data, datetime.now(UTC) + idempotency.KEPT - timedelta(minutes=1))
    assert stored(service) == ["order-7"]
    idempotency.forget(service.data, datetime.now(UTC) + idempotency.KEPT)
    assert stored(service) == []


def test_nothing_is_recorded_to_forget_nothing(tmp_path):
    idempotency.forget(tmp_path, datetime.now(UTC))
    assert list(tmp_path.iterdir()) == []


def test_old_answers_are_forgotten_when_the_service_starts(service, monkeypatch):
    once(service, {"a.png": sample_cell()})
    begin(service, idempotency.KEPT)
    forget, done = idempotency.forget, threading.Event()

    def noted(*given):
        forget(*given)
        done.set()

    monkeypatch.setattr(idempotency, "forget", noted)
    with service.client:
        assert done.wait(60)
    assert stored(service) == []


def test_old_answers_are_forgotten_again_and_again_though_the_records_were_away(service, monkeypatch):
    times, again = [], threading.Event()

    def forget(*_):
        times.append(1)
        if len(times) < 3:
            raise [RecordsUnavailableError("The disk is away."), ValueError("never thought of")][
                len(times) - 1
            ]
        again.set()

    monkeypatch.setattr(idempotency, "forget", forget)
    monkeypatch.setattr(app, "FORGETS_EVERY", 0.001)
    with service.client:
        assert again.wait(60)
        assert service.ask("GET", "/v1/models").status_code == 200


def test_a_request_that_is_still_being_answered_is_not_answered_twice(service, monkeypatch):
    working, go_on = threading.Event(), threading.Event()
    record = answers.record

    def slow(*args):
        working.set()
        assert go_on.wait(60)
        return record(*args)

    monkeypatch.setattr(answers, "record", slow)
    files, out = {"a.png": sample_cell()}, []
    first = threading.Thread(target=lambda: out.append(once(service, files)))
    first.start()
    assert working.wait(60)
    second = once(service, files)
    go_on.set()
    first.join()
    assert (second.status_code, second.json()["error"]) == (409, idempotency.UNFINISHED.format(15))
    assert out[0].status_code == 200
    assert once(service, files).json() == out[0].json()
    assert entries(service) == 1


def test_a_request_whose_process_died_can_be_sent_again_after_a_while(service):
    files = {"a.png": sample_cell()}
    once(service, files)
    begin(service, timedelta(minutes=5, seconds=1), answer=None)
    refused = once(service, files)
    assert refused.status_code == 409
    assert "if the service was stopped meanwhile, it is answered in 10 min at the" in refused.json()["error"]
    begin(service, idempotency.ABANDONED + timedelta(seconds=1), answer=None)
    assert once(service, files).status_code == 200


def test_a_request_that_failed_can_be_sent_again_at_once(service, monkeypatch):
    files = {"a.png": sample_cell()}
    with monkeypatch.context() as spoilt:
        spoilt.setattr("leukemia.inference.batch.Batch.work", lambda *_: 1 / 0)
        assert once(service, files).status_code == 500
    with database.reading(service.data) as connection:
        assert connection.execute(sa.select(REQUESTS)).all() == []
    assert once(service, files).status_code == 200


def test_what_is_stored_is_the_answer_whole(service):
    given = once(service, {"a.png": sample_cell()}).json()
    with database.reading(service.data) as connection:
        (stored,) = connection.scalars(sa.select(REQUESTS.c.answer))
    given["answers"][0]["file"] = ""
    assert json.loads(stored) == given
