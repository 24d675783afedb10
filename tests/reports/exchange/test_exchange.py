"""A case for other systems: FHIR R4 and HL7 v2, checked by libraries of both, and taken by a listener."""

import json
import socket
import threading
from datetime import datetime
from typing import ClassVar

import pytest
from fhir.resources.R4B.bundle import Bundle
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.mllp import AbstractHandler, MLLPServer
from hl7apy.parser import parse_message

from leukemia.audit import trail
from leukemia.cases import case as cases
from leukemia.cases import cells, signing, verdicts
from leukemia.cli import main as command_line
from leukemia.errors import SendingError
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.reports import case as report
from leukemia.reports import case_wording
from leukemia.reports.exchange import fhir, hl7v2
from leukemia.settings import RESEARCH_USE
from tests.support.case_factory import bundle_at, make_case, result

HOSTILE = "P|1^x\\y~&z 患者"


@pytest.fixture
def case(tmp_path):
    made = make_case(tmp_path, HOSTILE, probabilities=(0.9, 0.5, 0.1, 0.2))
    verdicts.give(tmp_path, made.id, [2], ALL_LIKE, reader="Ben")
    return made


def gather(data, case):
    return report.gather(data, case.id, None)


def resources(content, **more):
    made = json.loads(fhir.render(content, **more))
    found = {}
    for entry in made["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def test_the_numbers_are_the_pages(tmp_path, case):
    content = gather(tmp_path, case)
    found = resources(content)
    by_model, with_verdicts = found["Observation"]
    assert by_model["valueQuantity"]["value"] == 25.0
    assert with_verdicts["valueQuantity"]["value"] == 50.0
    interval = by_model["component"][-1]["valueRange"]
    said = case_wording.shares(content.counts)[0]
    assert f"({interval['low']['value']} to {interval['high']['value']})" in said
    assert said in found["DiagnosticReport"][0]["conclusion"]
    counts = {one["code"]["text"]: one["valueInteger"] for one in by_model["component"][:-1]}
    assert counts == {"ALL-like cells": 1, "Indeterminate cells": 1, "Normal-like cells": 2}
    message = parse(hl7v2.render(content))
    values = {one.obx_3.obx_3_1.value: one.obx_5.value for one in observed(message)}
    assert (values["AI-SHARE"], values["READERS-SHARE"]) == ("25.0", "50.0")
    assert values["AI-ALL-LIKE"] == "1"


def test_what_the_model_says_is_labelled_as_made_by_ai(tmp_path, case):
    by_model, with_verdicts = resources(gather(tmp_path, case))["Observation"]
    assert by_model["meta"]["security"][0]["code"] == "AIAST"
    assert "meta" not in with_verdicts


def test_a_report_is_final_once_signed_and_names_who_signed(tmp_path, case):
    before = resources(gather(tmp_path, case))
    assert before["DiagnosticReport"][0]["status"] == "preliminary"
    signing.sign(tmp_path, case.id, who="Ada <i>", meaning=signing.MEANINGS[0])
    found = resources(gather(tmp_path, case))
    assert {one["status"] for one in (*found["DiagnosticReport"], *found["Observation"])} == {"final"}
    said = found["DiagnosticReport"][0]["conclusion"]
    assert f"{signing.MEANINGS[0]} {RESEARCH_USE}" in said
    assert ".." not in said
    assert ".." not in hl7v2.render(gather(tmp_path, case))
    agents = {one["type"]["coding"][0]["code"]: one["who"] for one in found["Provenance"][0]["agent"]}
    assert agents["verifier"] == {"display": "Ada <i>"}
    assert agents["assembler"] == {"reference": f"urn:uuid:{found['Device'][0]['id']}"}
    assert before["DiagnosticReport"][0]["id"] != found["DiagnosticReport"][0]["id"]
    assert all(one.obx_11.value == "F" for one in observed(parse(hl7v2.render(gather(tmp_path, case)))))


def test_the_same_state_of_a_case_makes_the_same_report(tmp_path, case):
    content = gather(tmp_path, case)
    assert fhir.render(content) == fhir.render(gather(tmp_path, case))
    assert hl7v2.render(content) == hl7v2.render(gather(tmp_path, case))


def test_no_patient_file_or_reader_is_named_unless_asked_for(tmp_path):
    made = cases.create(tmp_path, "S-1", who="Ada", keep_names=True)
    bundle = bundle_at(tmp_path / "model")
    cells.add(tmp_path, made.id, [result(1, name="Jane-Doe.bmp")], bundle, bundle.operating_point, who="Ada")
    verdicts.give(tmp_path, made.id, [1], NORMAL_LIKE, reader="Ben Reader")
    content = gather(tmp_path, made)
    for text in (fhir.render(content), hl7v2.render(content)):
        assert "Jane" not in text
        assert "Ben" not in text
        assert "PID" not in text
        assert "subject" not in text
        assert RESEARCH_USE in text
    asked = hl7v2.render(content, patient_id="4711|x")
    assert parse(asked).ORU_R01_PATIENT_RESULT.ORU_R01_PATIENT.PID.PID_3.PID_3_1.value == r"4711\F\x"
    for one in resources(content, patient_id="4711").values():
        subjects = [each["subject"]["identifier"]["value"] for each in one if "subject" in each]
        assert set(subjects) <= {"4711"}


def test_a_case_without_an_answer_says_so(tmp_path):
    made = make_case(tmp_path, probabilities=(None, None))
    content = gather(tmp_path, made)
    (observation,) = resources(content)["Observation"]
    assert "valueQuantity" not in observation
    assert observation["dataAbsentReason"]
    assert "SHARE" not in hl7v2.render(content)
    parse(hl7v2.render(content))


def test_a_text_cannot_end_its_field(tmp_path, case):
    message = hl7v2.render(gather(tmp_path, case))
    assert r"P\F\1\S\x\E\y\R\\T\z 患者" in message
    assert parse(message).ORU_R01_PATIENT_RESULT.ORU_R01_ORDER_OBSERVATION.OBR.OBR_7.value.endswith("+0000")
    Bundle.model_validate_json(fhir.render(gather(tmp_path, case)))


def parse(text):
    message = parse_message(text, validation_level=VALIDATION_LEVEL.STRICT)
    assert message.validate()
    return message


def observed(message):
    order = message.ORU_R01_PATIENT_RESULT.ORU_R01_ORDER_OBSERVATION
    return [one.OBX for one in order.children if one.name == "ORU_R01_OBSERVATION"]


class Listener(AbstractHandler):
    """Takes a message, or refuses it."""

    taken: ClassVar[list] = []
    code, why = "AA", ""
    after = "{control}|{why}\r"

    def reply(self):
        self.taken.append(self.incoming_message)
        control = self.incoming_message.split("|")[9]
        at = datetime(2026, 1, 1).strftime("%Y%m%d%H%M%S")
        head = f"MSH|^~\\&|LIS||||{at}||ACK^R01^ACK|1|P|2.5.1\r"
        answer = self.after.format(control=control, why=self.why)
        return f"\x0b{head}MSA|{self.code}|{answer}\x1c\r"


@pytest.fixture
def listener(monkeypatch):
    monkeypatch.setattr(Listener, "taken", [])
    with MLLPServer("localhost", 0, {"ORU^R01^ORU_R01": (Listener,)}) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_listener_takes_it_and_that_is_on_record(tmp_path, case, listener, capsys):
    sent = command_line.main(["send", HOSTILE, f"localhost:{listener}", "--data", str(tmp_path)])
    assert sent == 0
    assert Listener.taken == [hl7v2.render(gather(tmp_path, case))]
    (entry,) = trail.entries(tmp_path, events=[trail.SENT])
    assert (entry.case_id, entry.new) == (case.id, f"localhost:{listener}")
    out = capsys.readouterr().out
    assert "has taken" in out
    assert RESEARCH_USE in out


def test_one_that_refuses_is_quoted_and_nothing_is_recorded(tmp_path, case, listener, monkeypatch, capsys):
    monkeypatch.setattr(Listener, "code", "AE")
    monkeypatch.setattr(Listener, "why", "unknown order")
    assert command_line.main(["send", HOSTILE, f"localhost:{listener}", "--data", str(tmp_path)]) == 2
    assert "refused the message (AE: unknown order)" in capsys.readouterr().err
    assert not trail.entries(tmp_path, events=[trail.SENT])


@pytest.mark.parametrize(
    "after",
    ["{control}\r", "{control}\rERR||PID^1|101\r", "{control}", "{control}|\rERR|x\r", "{control}||1\r"],
)
def test_an_acknowledgement_need_not_say_more_than_it_must(tmp_path, case, listener, monkeypatch, after):
    message = hl7v2.render(gather(tmp_path, case))
    monkeypatch.setattr(Listener, "after", after)
    assert hl7v2.send(message, "localhost", listener) == "AA"
    monkeypatch.setattr(Listener, "code", "AE")
    with pytest.raises(SendingError, match=r"refused the message \(AE\)"):
        hl7v2.send(message, "localhost", listener)
    monkeypatch.setattr(Listener, "after", "another\rERR|{control}\r")
    with pytest.raises(SendingError, match="did not acknowledge"):
        hl7v2.send(message, "localhost", listener)


def test_a_message_says_in_what_letters_it_is_written(tmp_path, case):
    message = parse(hl7v2.render(gather(tmp_path, case)))
    assert message.MSH.MSH_18.value == "UNICODE UTF-8"
    assert (message.MSH.MSH_11.value, message.MSH.MSH_12.value) == ("P", "2.5.1")
    assert not message.MSH.MSH_19.value


def test_what_names_a_patient_is_another_message_than_the_same_without(tmp_path, case):
    content = gather(tmp_path, case)
    numbers = [hl7v2.render(content, patient_id=one).split("|")[9] for one in ("", "1", "2", "")]
    assert len(set(numbers)) == 3 and numbers[0] == numbers[3]
    assert all(len(one) <= 20 for one in numbers)

    def ids(patient_id):
        made = fhir.bundle(content, patient_id)
        kept = {"Device"}
        ids = {one["resource"]["id"] for one in made["entry"] if one["resource"]["resourceType"] not in kept}
        return ids | {made["identifier"]["value"]}

    assert not ids("") & ids("1")
    assert ids("1") == ids("1")


def test_nobody_there_and_one_that_never_answers_are_told_apart(tmp_path, case):
    message = hl7v2.render(gather(tmp_path, case))
    with socket.socket() as bound:
        bound.bind(("localhost", 0))
        port = bound.getsockname()[1]
        with pytest.raises(SendingError, match="cannot be reached"):
            hl7v2.send(message, "localhost", port, seconds=5)
        bound.listen()
        with pytest.raises(SendingError, match=r"did not answer within 0\.2 seconds"):
            hl7v2.send(message, "localhost", port, seconds=0.2)


# A PDF needs real pictures: tests/api makes one.
@pytest.mark.parametrize("kind", ["html", "csv", "fhir.json", "hl7"])
def test_each_kind_is_written_by_the_command_line(tmp_path, case, kind, capsys):
    out = tmp_path / "out"
    out.mkdir()
    written = command_line.main(
        ["report", HOSTILE, "--kind", kind, "--output", str(out), "--data", str(tmp_path)]
    )
    assert written == 0, capsys.readouterr().err
    (file,) = out.iterdir()
    assert file.name == f"case-P-1-x-y-z.{kind}"
    if kind == "hl7":
        assert file.read_bytes().decode() == hl7v2.render(gather(tmp_path, case))
    assert "research use only" in capsys.readouterr().out


def test_the_folder_for_a_report_is_made_where_it_is_missing(tmp_path, case, capsys):
    out = tmp_path / "for" / "S-2041"
    args = ["report", HOSTILE, "--kind", "hl7", "--output", str(out), "--data", str(tmp_path)]
    assert command_line.main(args) == 0, capsys.readouterr().err
    assert [file.name for file in out.iterdir()] == ["case-P-1-x-y-z.hl7"]


def test_a_file_is_not_taken_for_the_folder_of_a_report(tmp_path, case, capsys):
    there = tmp_path / "notes.txt"
    there.write_text("notes")
    for named, said in ((there, "is not a folder"), (tmp_path / "new.HL7", "Name a folder")):
        args = ["report", HOSTILE, "--kind", "hl7", "--output", str(named), "--data", str(tmp_path)]
        assert command_line.main(args) == 2
        assert said in capsys.readouterr().err
    assert there.read_text() == "notes" and not (tmp_path / "new.HL7").exists()
