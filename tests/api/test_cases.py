"""Cases over REST: what a key may see and do is what its holder may on the page."""

import io
import json
import zipfile

import pandas as pd
import pypdfium2
import pytest
import sqlalchemy as sa

from leukemia.access.users import Role
from leukemia.api.errors import NO_BODY
from leukemia.api.idempotency import REQUESTS
from leukemia.audit import trail
from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cases import cells, disagreements, signing, verdicts
from leukemia.inference.answer import Source
from leukemia.inference.batch import Batch, Item
from leukemia.inference.classifier import Classifier
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from leukemia.reports import case_files, case_tables
from leukemia.settings import RESEARCH_USE
from leukemia.storage import database
from tests.api.test_classify import sample_cell
from tests.support.case_factory import make_case, read_all


@pytest.fixture
def case(service):
    return make_case(service.data)


def give(service, case, numbers, verdict, **more):
    body = {"cells": numbers, "verdict": verdict} | more.pop("body", {})
    return service.ask("POST", f"/v1/cases/{case.id}/verdicts", json=body, **more)


def test_cases_are_listed_and_found_by_part_of_their_identifier(service):
    assert service.ask("GET", "/v1/cases").json()["cases"] == []
    for identifier in ("P-1", "P-2", "Q-1"):
        make_case(service.data, identifier)
    listed = service.ask("GET", "/v1/cases").json()
    assert [one["identifier"] for one in listed["cases"]] == ["Q-1", "P-2", "P-1"]
    page = service.ask("GET", "/v1/cases?search=p-&first=2&most=1").json()
    assert ([one["identifier"] for one in page["cases"]], page["total"]) == (["P-1"], 2)
    (one,) = page["cases"]
    assert (one["state"], one["cells"], one["unread"]) == ("To review", 5, 3)
    assert service.ask("GET", f"/v1/cases/{one['id']}").json()["case"] == one


@pytest.mark.parametrize("query", ["first=0", "most=0", "most=501", "most=many"])
def test_a_page_of_the_list_that_is_none_is_refused_in_words(service, query):
    answer = service.ask("GET", f"/v1/cases?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(f"{query.partition('=')[0]} must be ")


@pytest.mark.parametrize("path", ["", "/cells", "/report.pdf", "/report.csv"])
def test_a_case_that_is_not_there_is_not_found(service, path):
    answer = service.ask("GET", f"/v1/cases/77{path}")
    assert (answer.status_code, answer.json()["error"]) == (404, "There is no case number 77.")
    assert service.ask("GET", f"/v1/cases/one{path}").status_code == 422


@pytest.mark.parametrize("number", [2**63, -(2**64), 10**22])
def test_a_number_that_no_case_and_no_cell_has_is_not_found(service, case, number):
    answer = service.ask("GET", f"/v1/cases/{number}/cells")
    assert (answer.status_code, answer.json()["error"]) == (404, f"There is no case number {number}.")
    answer = give(service, case, [1, number], ALL_LIKE)
    assert (answer.status_code, answer.json()["error"]) == (409, f"There is no cell {number} in this case.")


def test_a_number_too_long_to_be_read_is_refused_in_words(service):
    answer = service.ask("GET", f"/v1/cases/{'9' * 5_000}")
    assert (answer.status_code, answer.json()["error"]) == (422, "case_id is too large.")


def test_cells_have_the_models_answers_and_the_readers_verdicts(service, case):
    verdicts.give(service.data, case.id, [2], ALL_LIKE, reader="Ben")
    found = service.ask("GET", f"/v1/cases/{case.id}/cells").json()["cells"]
    stored = cells.cells(service.data, case.id)
    assert [one["probability"] for one in found] == [one.probability for one in stored]
    assert [one["decision"] for one in found] == [one.decision for one in stored]
    assert found[0]["limits"] == {"normal_like_below": 0.3, "all_like_from": 0.7, "threshold": 0.5}
    assert [(one["reader"], one["verdict"]) for one in found[1]["readings"]] == [("Ben", ALL_LIKE)]
    assert [one["counts_as"] for one in found][:3] == [ALL_LIKE, ALL_LIKE, NORMAL_LIKE]


def test_a_verdict_is_given_in_the_name_of_the_key(service, case):
    answer = give(service, case, [2, 4], INDETERMINATE)
    assert answer.status_code == 200, answer.text
    assert [one["verdict"] for one in answer.json()["cells"]] == [INDETERMINATE] * 2
    stored = {one.number: one for one in cells.cells(service.data, case.id)}
    assert stored[2].by("lab").verdict == INDETERMINATE
    entries = trail.entries(service.data, events=[trail.VERDICT])
    assert {(one.who, one.cell, one.new) for one in entries} == {
        ("lab", 2, INDETERMINATE),
        ("lab", 4, INDETERMINATE),
    }


def test_a_repeated_verdict_is_written_once(service, case):
    key = {"Idempotency-Key": "v-1"}
    first = give(service, case, [2], ALL_LIKE, headers=key)
    give(service, case, [2], NORMAL_LIKE)
    again = give(service, case, [2], ALL_LIKE, headers=key)
    assert first.json() == again.json() and again.headers["idempotent-replayed"] == "true"
    assert cells.cells(service.data, case.id)[1].by("lab").verdict == NORMAL_LIKE
    assert len(trail.entries(service.data, events=[trail.VERDICT])) == 2
    assert give(service, case, [3], ALL_LIKE, headers=key).status_code == 409


@pytest.mark.parametrize("keep_names", [True, False])
def test_names_of_files_are_told_with_a_verdict_and_not_stored_with_its_answer(service, keep_names):
    case = make_case(service.data, keep_names=keep_names)
    key = {"Idempotency-Key": "v-1"}
    first = give(service, case, [2, 3], ALL_LIKE, headers=key)
    names = ["cell-2.bmp", "cell-3.bmp"] if keep_names else ["", ""]
    assert [one["file"] for one in first.json()["cells"]] == names
    with database.reading(service.data) as connection:
        (stored,) = connection.scalars(sa.select(REQUESTS.c.answer))
    assert [one["file"] for one in json.loads(stored)["cells"]] == ["", ""] and "bmp" not in stored
    again = give(service, case, [2, 3], ALL_LIKE, headers=key)
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert [one["file"] for one in give(service, case, [3], NORMAL_LIKE).json()["cells"]] == names[1:]


def test_a_verdict_is_written_once_even_where_its_answer_was_lost(service, case, monkeypatch):
    key = {"Idempotency-Key": "v-1"}
    give(service, case, [2], ALL_LIKE, headers=key)
    with database.writing(service.data) as connection:
        connection.exec_driver_sql("DELETE FROM api_requests")
    # Never without a word: another one would not be written, either.
    refused = give(service, case, [2], NORMAL_LIKE, headers=key)
    assert refused.status_code == 409 and "Another verdict was sent before" in refused.json()["error"]
    assert give(service, case, [2], ALL_LIKE, headers=key).status_code == 200
    assert len(trail.entries(service.data, events=[trail.VERDICT])) == 1


def test_who_settled_a_cell_is_told_as_long_as_that_holds(service, case):
    verdicts.give(service.data, case.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(service.data, case.id, [1], NORMAL_LIKE, reader="Ben")
    disagreements.settle(service.data, case.id, 1, NORMAL_LIKE, who="Cleo", reason="x")

    def settled_by():
        table = pd.read_csv(
            io.StringIO(service.ask("GET", f"/v1/cases/{case.id}/report.csv").text), keep_default_na=False
        )
        told = service.ask("GET", f"/v1/cases/{case.id}/cells").json()["cells"][0]["settled_by"]
        assert table["settled_by"].iloc[0] == told
        return told

    assert settled_by() == "Cleo"
    verdicts.give(service.data, case.id, [1], ALL_LIKE, reader="Ben")
    assert settled_by() == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"verdict": "Leukemia"}, "verdict must be one of"),
        ({"cells": []}, "cells must have at least 1 entry."),
        ({"cells": ["two"]}, "Entry 1 of cells must be a whole number."),
        ({"cells": ["1"]}, "Entry 1 of cells must be a whole number."),
        ({"cells": [1, True]}, "Entry 2 of cells must be a whole number."),
        ({"cells": [1.0]}, "Entry 1 of cells must be a whole number."),
        ({"cells": 1}, "cells must be a list."),
        ({"cells": {"1": 1}}, "cells must be a list."),
        ({"reason": 1}, "reason must be text."),
        ({"reason": None}, "reason must be text."),
        ({"reader": "Ada"}, "reader is not known here."),
        ({"reason": "x" * 2_001}, "reason must have at most 2000 characters."),
    ],
)
def test_a_verdict_that_is_none_is_refused_in_words(service, case, body, said):
    answer = give(service, case, [1], ALL_LIKE, body=body)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(said)


def test_a_body_that_is_no_json_is_refused_in_words(service, case):
    path = f"/v1/cases/{case.id}/verdicts"
    headers = {"Content-Type": "application/json"}
    answer = service.ask("POST", path, content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (422, "The body is not valid JSON.")
    assert service.ask("POST", path, json=7).json()["error"] == "The body must be a JSON object."
    for unreadable in (b'{"reason": "\xff"}', b'{"cells": [' + b"9" * 5_000 + b"]}", b"[" * 100_000):
        answer = service.ask("POST", path, content=unreadable, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, NO_BODY)
    lone = service.ask("POST", path, content=b'{"cells": [1], "reason": "\\ud800"}', headers=headers)
    assert "reason must be text." in lone.json()["error"]


def test_what_the_records_refuse_is_a_conflict(service, case):
    answer = give(service, case, [9], ALL_LIKE)
    assert (answer.status_code, answer.json()["error"]) == (409, "There is no cell 9 in this case.")
    assert "say why" in give(service, case, [1], "Rejected").json()["error"]
    assert "only be rejected" in give(service, case, [4, 5], NORMAL_LIKE).json()["error"]
    read_all(service.data, case.id, NORMAL_LIKE)
    changed = service.ask("GET", f"/v1/cases/{case.id}").json()
    assert changed["case"]["state"] == "Ready to sign"
    sign(service, case)
    answer = give(service, case, [1], ALL_LIKE)
    assert answer.status_code == 409 and "was signed by Ada" in answer.json()["error"]


def sign(service, case):
    seen = cases.find(service.data, case.id).changed
    signing.sign(service.data, case.id, who="Ada", meaning=signing.MEANINGS[0], seen=seen)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MANAGER])
def test_only_readers_give_verdicts(service, case, role):
    other = service.key("other", role)
    answer = give(service, case, [1], ALL_LIKE, key=other)
    assert answer.status_code == 403 and "reader" in answer.json()["error"]
    assert trail.entries(service.data, events=[trail.VERDICT]) == []
    assert service.ask("GET", f"/v1/cases/{case.id}/cells", key=other).status_code == 200


def test_what_a_case_keeps_back_is_kept_back_over_rest(service):
    case = make_case(service.data, blind=True, hide_model=True)
    verdicts.give(service.data, case.id, [1], ALL_LIKE, reader="Ben")
    first, second, *_ = service.ask("GET", f"/v1/cases/{case.id}/cells").json()["cells"]
    for one in (first, second):
        assert (one["probability"], one["decision"], one["limits"], one["readings"]) == (None, "", None, [])
    assert (first["answer_hidden"], first["others_hidden"]) == (True, True)
    refused = service.ask("GET", f"/v1/cases/{case.id}/report.html")
    assert (refused.status_code, refused.json()["error"]) == (409, case_files.KEPT_BACK)
    seen = give(service, case, [1], NORMAL_LIKE).json()["cells"][0]
    assert (seen["probability"], [one["reader"] for one in seen["readings"]]) == (0.9, ["Ben", "lab"])


def test_a_report_is_printed_with_its_pictures(service, tiny_bundle):
    case = cases.create(service.data, "P-1", who="Ada")
    batch = Batch(picture=cells.PICTURE)
    batch.add([Item("a", Source("a.png", sample_cell))])
    bundle = bundles.read(tiny_bundle)
    batch.work(Classifier(bundle))
    cells.add(service.data, case.id, batch.results, bundle, bundle.operating_point, who="Ada")
    printed = service.ask("GET", f"/v1/cases/{case.id}/report.pdf")
    assert printed.headers["content-type"] == "application/pdf"
    pages = pypdfium2.PdfDocument(printed.content)
    text = pages[0].get_textpage().get_text_range()
    assert "P-1" in text and RESEARCH_USE in " ".join(text.split())


def test_dicom_is_a_zip_and_refused_where_memory_would_not_hold_it(service, case, monkeypatch):
    answer = service.ask("GET", f"/v1/cases/{case.id}/report.dicom.zip")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="case-P-1.dicom.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert sum(name.startswith("pictures/") for name in archive.namelist()) == 4
    monkeypatch.setattr(case_files, "MOST_PICTURES", 3)
    refused = service.ask("GET", f"/v1/cases/{case.id}/report.dicom.zip")
    assert (refused.status_code, "more than 3 pictures" in refused.json()["error"]) == (409, True)


def test_reports_are_those_of_the_page(service, case):
    def get(kind):
        answer = service.ask("GET", f"/v1/cases/{case.id}/report.{kind}")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(case_files.MEDIA_TYPES[kind])
        assert answer.headers["content-disposition"] == f'attachment; filename="case-P-1.{kind}"'
        return answer

    table = pd.read_csv(io.StringIO(get("csv").text))
    assert list(table.columns) == case_tables.COLUMNS and len(table) == 5
    assert get("csv").text == case_tables.to_csv(
        case_tables.cells([(case, cells.cells(service.data, case.id))], {})
    )
    html = get("html").text
    assert html.lower().startswith("<!doctype html>") and RESEARCH_USE in html and "P-1" in html
    assert service.ask("GET", f"/v1/cases/{case.id}/report.docx").status_code == 422
