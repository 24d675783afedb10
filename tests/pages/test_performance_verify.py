"""The section Verify: a criterion first, locked; then cells, a result, and a version for the laboratory."""

import os
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
import streamlit as st

from leukemia import jobs
from leukemia.access import acting
from leukemia.access.users import User
from leukemia.bundles import bundle as bundles
from leukemia.errors import BusyError, SessionEndedError
from leukemia.jobs import JobKind
from leukemia.jobs import process as processes
from leukemia.registry import versions
from leukemia.verification import answering, store
from leukemia.verification.statistics import Criterion
from pages.sections.performance import verify_form
from tests.support import job_factory
from tests.support.app import fill, labels, press, said, widget
from tests.support.at_once import at_once
from tests.support.labelled_cells import write_folders
from tests.support.performance_page import visiting

IN_BOTH_ORDERS = pytest.mark.parametrize("order", [1, -1])
SERVER = "Folder, CSV or .zip on the server"
CLASSIFY = "Classify these cells"


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path / "data"


@pytest.fixture
def visit(monkeypatch, tmp_path, tiny_bundle, data):
    return lambda: visiting(monkeypatch, tmp_path)(tiny_bundle, "verify", data=data)


@pytest.fixture
def sent(monkeypatch):
    """The arguments of jobs that the page starts; none is started."""
    started = []
    monkeypatch.setattr(
        jobs, "submit", lambda data, kind, title, arguments: started.append((kind, arguments))
    )
    return started


def stated(tiny_bundle, data, least=0.2, site="St. Elsewhere"):
    bundle = bundles.read(tiny_bundle)
    return store.state(data, bundle, "tiny", site, Criterion(least, 0.2), "Dr. Ada"), bundle


@pytest.fixture
def answered(tiny_bundle, data, tmp_path):
    def answer(least=0.2, **more):
        one, bundle = stated(tiny_bundle, data, least, **more)
        cells = tmp_path / "cells"
        return answering.answer(one, bundle, cells if cells.exists() else write_folders(cells))

    return answer


def enter(page, sensitivity=90.0, specificity=80.0, site="St. Elsewhere", who="Dr. Ada"):
    widget(page.number_input, "Minimum sensitivity (%)").set_value(sensitivity)
    widget(page.number_input, "Minimum specificity (%)").set_value(specificity)
    fill(page, "Laboratory", site)
    fill(page, "Your name", who)
    return press(page, "State this criterion")


def test_a_criterion_is_stated_then_locked_and_can_be_withdrawn_before_cells_are_brought(visit, data):
    page = enter(visit())
    (one,) = store.every(data)
    assert (one.stated.criterion, one.stated.who) == (Criterion(0.9, 0.8), "Dr. Ada")
    assert not page.number_input and SERVER in [field.label for field in page.text_input]
    assert "Sensitivity at least 90.0% and specificity at least 80.0%" in said(page)
    assert "takes 29 patients with ALL cells and 14 patients with normal cells" in said(page)
    # A reload finds it.
    assert "2. Add your labelled cells" in said(visit())
    page = press(page, "Withdraw the criterion")
    assert store.every(data) == [] and "1. State what you accept" in said(page)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"sensitivity": None}, "enter the minimum sensitivity and specificity"),
        ({"site": " "}, "the laboratory's name and your name"),
        ({"who": ""}, "the laboratory's name and your name"),
    ],
)
def test_what_is_missing_from_a_criterion_is_said_and_nothing_is_recorded(visit, data, given, why):
    assert why in said(enter(visit(), **given))
    assert store.every(data) == []


def test_cells_on_the_server_are_classified_by_a_job_at_the_scale_that_was_stated(
    visit, tiny_bundle, data, tmp_path, sent
):
    one, _ = stated(tiny_bundle, data)
    page = visit()
    assert "Enter a folder or a .zip file on the server." in said(press(page, "Classify these cells"))
    fill(page, SERVER, str(tmp_path / "absent"))
    assert "No such file or folder on the server" in said(press(page, "Classify these cells"))
    cells = write_folders(tmp_path / "some", patients=1, cells=1)
    (cells / "cells.csv").write_text("file,label,patient\n")
    for source in (cells, cells / "cells.csv"):
        fill(page, SERVER, str(source))
        page = press(page, "Classify these cells")
    page.session_state["verify-scale"] = "State it"
    page.run()
    assert "Enter the micrometres of one pixel first." in said(press(page, "Classify these cells"))
    widget(page.number_input, "Micrometres per pixel").set_value(0.1)
    press(page, "Classify these cells")
    common = ["--model", str(tiny_bundle.resolve()), "--data", str(data.resolve())]
    assert sent == [
        (JobKind.VERIFY, ["verify-stated", one.id, str(cells), *common]),
        (JobKind.VERIFY, ["verify-stated", one.id, str(cells / "cells.csv"), *common]),
        (JobKind.VERIFY, ["verify-stated", one.id, str(cells / "cells.csv"), *common, "--pixel-size", "0.1"]),
    ]


def test_an_uploaded_zip_lies_beside_the_criterion_until_its_cells_are_classified(
    visit, tiny_bundle, data, tmp_path, sent
):
    one, bundle = stated(tiny_bundle, data)
    page = visit()
    page.session_state["verify-where"] = "Upload a .zip"
    page.run()
    assert "Choose a .zip first." in said(press(page, "Classify these cells"))
    packed, cells = BytesIO(), write_folders(tmp_path / "some")
    with zipfile.ZipFile(packed, "w") as archive:
        for path in cells.rglob("*.png"):
            archive.write(path, path.relative_to(cells))
    page.file_uploader[0].set_value(("cells.zip", packed.getvalue(), "application/zip"))
    page.run()
    press(page, "Classify these cells")
    ((_, arguments),) = sent
    upload = Path(arguments[2])
    assert upload.parent == one.folder and upload.read_bytes() == packed.getvalue()
    assert answering.answer(one, bundle, upload).result.answered == {"Normal": 18, "ALL": 18}
    assert not upload.exists()


def test_nothing_is_kept_of_an_upload_whose_job_is_not_started(visit, tiny_bundle, data, monkeypatch):
    one, _ = stated(tiny_bundle, data)

    def busy(*_):
        assert len(list(one.folder.glob("*.zip"))) == 1
        raise BusyError("Busy: another verification is classifying its cells.")

    monkeypatch.setattr(jobs, "submit", busy)
    page = visit()
    page.session_state["verify-where"] = "Upload a .zip"
    page.run()
    page.file_uploader[0].set_value(("cells.zip", b"cells", "application/zip"))
    page.run()
    assert "Busy: another verification" in said(press(page, "Classify these cells"))
    assert [path.name for path in one.folder.iterdir()] == [store.CRITERION]


@IN_BOTH_ORDERS
def test_cells_are_not_classified_and_their_criterion_withdrawn_in_one_moment(
    visit, tiny_bundle, data, tmp_path, monkeypatch, order
):
    one, _ = stated(tiny_bundle, data)
    itself = (None, processes.identify(os.getpid()))
    sent = []

    def submit(data, kind, title, arguments):
        sent.append(job_factory.write(data, kind, title, process=itself, record={"arguments": arguments}))

    monkeypatch.setattr(jobs, "submit", submit)
    page = visit()
    fill(page, SERVER, str(write_folders(tmp_path / "some", patients=1, cells=1)))
    pressed = [widget(page.button, label).click() for label in ("Withdraw the criterion", CLASSIFY)]
    at_once(page, *pressed[::order])
    if order == 1:
        assert sent == [] and store.every(data) == []
        assert f"There is no verification {one.id}." in said(page)
    else:
        assert [job.arguments[1] for job in sent] == [one.id] and store.every(data) == [one]
        assert verify_form.AT_WORK in said(page)


def no_role():
    return User.of("Eve", "https://id.example eve", [])


def signed_out():
    raise SessionEndedError("You have signed out. Sign in again.")


@pytest.mark.parametrize("who", [no_role, signed_out])
def test_nothing_of_an_upload_is_written_for_whoever_may_not_verify(
    tiny_bundle, data, tmp_path, monkeypatch, sent, who
):
    one, _ = stated(tiny_bundle, data)
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
    monkeypatch.setattr(acting, "_asked", [who])
    given = {verify_form.WHERE: verify_form.UPLOAD, verify_form.SCALE: verify_form.AUTOMATIC}
    monkeypatch.setattr(st, "session_state", given | {verify_form.FILE: BytesIO(b"cells")})
    verify_form._bring(one, versions.read(tiny_bundle))
    assert [path.name for path in one.folder.iterdir()] == [store.CRITERION]
    assert sent == []


def test_why_cells_were_refused_is_said_and_the_criterion_stays(visit, tiny_bundle, data):
    one, _ = stated(tiny_bundle, data)
    end = (2, "Too few patients: 2 with ALL cells and 2 with normal cells.")
    record = {"arguments": ["verify-stated", one.id, "/cells"]}
    job_factory.write(data, "verify", "Verification at St. Elsewhere", end=end, record=record)
    page = visit()
    assert "Too few patients: 2 with ALL cells" in said(page)
    assert "2. Add your labelled cells" in said(page)


def test_a_result_is_shown_with_its_charts_and_all_verifications_are_listed(visit, answered):
    done = answered(site="St. *Elsewhere*")
    page = visit()
    text = said(page)
    assert "The criterion is met at the version's own threshold." in text
    rates = page.dataframe[0].value
    value = f"{100 * done.result.shipped.sensitivity.value:.1f}%"
    assert rates["your patients (95%)"][0].startswith(value)
    assert list(rates["verdict"][:2]) == ["met", "met"]
    assert len(page.get("plotly_chart")) == 7  # the criterion, patients, and five measures of the cells
    assert "All verifications (1)" in labels(page)
    assert r"St. \*Elsewhere\*" in said(page, escaped=True).replace(r"\.", ".")


def test_it_is_accepted_with_name_and_reason_as_a_version_that_is_listed(visit, answered, data):
    answered()
    page = visit()
    fill(page, "Your name", "Dr. Grace")
    page = press(page, "Accept as a new version")
    assert "Not accepted." in said(page) and versions.registered(data) == []
    fill(page, "Your name", "Dr. Grace")
    fill(page, "Reason", "Agrees with our smears")
    page = press(page, "Accept as a new version")
    assert "Saved as version 1, with your name and reason." in said(page)
    assert "Accepted as version 1 by Dr. Grace" in said(page)
    assert "Accept as a new version" not in [button.label for button in page.button]
    assert any("accepted for St. Elsewhere" in option for option in page.selectbox[0].options)


def test_what_does_not_meet_the_criterion_cannot_be_accepted_but_its_report_be_saved(visit, answered):
    answered(0.98)
    page = visit()
    assert "cannot be accepted for your laboratory" in said(page)
    assert "more patients like these would not change that" in said(page)
    assert "Accept as a new version" not in [button.label for button in page.button]
    assert len(page.get("download_button")) == 2


def test_an_earlier_verification_and_a_new_one_can_be_opened(visit, answered):
    first = answered()
    answered(0.98)
    page = visit()
    assert "Some of these cells were classified before" in said(page)
    choice = widget(page.selectbox, "Verification")
    page = choice.set_value(first.id).run()
    assert "The criterion is met at the version's own threshold." in said(page)
    page = widget(page.selectbox, "Verification").set_value("new").run()
    assert "1. State what you accept" in said(page)
