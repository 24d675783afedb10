"""Import in the page, without a browser; the job is a real process."""

import os
import time

import psutil
import pytest

from leukemia import jobs
from leukemia.dataset.synthetic import sample_writer
from pages.sections.dataset import importing
from tests.support.app import PATIENCE, fill, labels, press, said, wait


def test_an_empty_folder_leads_to_the_import(open_dataset, tmp_path):
    page = open_dataset("overview", data=tmp_path / "new")
    (link,) = page.get("page_link")
    assert (link.proto.page, link.proto.query_string) == ("dataset", "section=import")
    assert "No images yet" in said(open_dataset("import", data=tmp_path / "new"))


@pytest.mark.process
def test_one_press_prepares_the_sample_set_and_every_tab_says_how_far_it_is(open_dataset, tmp_path):
    new = tmp_path / "new"
    page = open_dataset("overview", data=new)
    press(page, "Prepare the sample set")
    job = jobs.latest(new, "import")
    assert job.arguments == ("prepare", "--sample", "--output", str(new))
    process = psutil.Process(job.process.pid)
    process.suspend()
    try:
        for section in ("overview", "gallery", "checks", "map", "unlabelled", "corrections", "import"):
            text = said(open_dataset(section, data=new))
            assert "Import of the sample set" in text
            assert "python -m" not in text
            assert "No images have been imported" not in text
    finally:
        process.resume()
    wait(page, job)
    assert "All cells here are synthetic drawings." in said(page)
    assert {metric.label: metric.value for metric in page.metric}["Patients"] == "24"


@pytest.mark.process
def test_a_folder_is_imported_and_its_counts_are_told(open_dataset, tmp_path):
    planted = sample_writer.write_sample(tmp_path / "set", patients=12, cells=4)
    page = open_dataset("import", data=tmp_path / "new")
    fill(page, importing.WHERE, str(tmp_path / "set"))
    press(page, "Start the import")
    job = jobs.latest(tmp_path / "new", "import")
    assert job.arguments == ("prepare", str(tmp_path / "set"), "--output", str(tmp_path / "new"))
    wait(page, job)
    images = sum(planted.images.values()) + planted.sources["final"] + len(planted.unlisted)
    assert f"holds **{images:,} synthetic images of 12 patients**" in said(page)
    assert f"{len(planted.unreadable) + len(planted.unlisted)} problems found" in said(page)
    for path in planted.unreadable:
        assert path in said(page)
    assert "Import of set: done. Report" in labels(page)


@pytest.mark.process
def test_a_name_that_is_no_text_is_spelled_out_and_locks_nothing(open_dataset, tmp_path):
    own = tmp_path / "set"
    sample_writer.write_sample(own, patients=12, cells=4)
    fold = next(own.rglob("fold_0/all"))
    first = sorted(fold.iterdir())[0]
    first.rename(fold / os.fsdecode(b"UID_1_1_1_M\xfcller\x1b.bmp"))
    page = open_dataset("import", data=tmp_path / "new")
    fill(page, importing.WHERE, str(own))
    press(page, "Start the import")
    wait(page, jobs.latest(tmp_path / "new", "import"))
    again = open_dataset("import", data=tmp_path / "new")
    assert not again.exception
    assert "Mxfcllerx1b.bmp" in said(again)  # which leaves out every backslash
    assert not open_dataset("gallery", data=tmp_path / "new").exception


def test_what_is_there_is_replaced_only_when_that_is_asked_for(open_dataset, dataset):
    page = open_dataset("import")
    (start,) = [button for button in page.button if button.label == "Start the import"]
    assert start.disabled
    page.checkbox[0].check().run()
    assert not next(button for button in page.button if button.label == "Start the import").disabled


@pytest.mark.parametrize("why", ["", "nowhere", "no zip", "null"])
def test_a_path_that_cannot_be_imported_is_a_sentence_and_starts_nothing(open_dataset, tmp_path, why):
    (tmp_path / "letter.zip").write_text("Dear colleague")
    text, says = {
        "": ("  ", "Enter a folder or a .zip"),
        "nowhere": (str(tmp_path / "*gone*"), "No such file or folder on the server"),
        "no zip": (str(tmp_path / "letter.zip"), "is neither a folder nor a complete .zip file"),
        "null": ("a\0b", "it is not a path"),
    }[why]
    page = open_dataset("import", data=tmp_path / "new")
    fill(page, importing.WHERE, text)
    press(page, "Start the import")
    assert says in page.error[0].value.replace("\\", "")
    assert jobs.latest(tmp_path / "new", "import") is None


@pytest.mark.process
def test_a_failed_import_says_why_and_the_set_stays(open_dataset, dataset, tmp_path):
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "beach.jpg").write_bytes(b"\xff\xd8\xff")
    before = (dataset / "manifest.csv").read_bytes()
    page = open_dataset("import")
    page.checkbox[0].check().run()
    fill(page, importing.WHERE, str(tmp_path / "holiday"))
    press(page, "Start the import")
    wait(page, jobs.latest(dataset, "import"))
    assert "not a C-NMC 2019 download" in page.error[0].value.replace("\\", "")
    assert "The set is unchanged" in said(page)
    assert (dataset / "manifest.csv").read_bytes() == before


@pytest.mark.process
def test_a_running_import_is_shown_cancelled_and_gone_on_with(open_dataset, tmp_path):
    sample_writer.write_sample(tmp_path / "set", patients=16, cells=20)
    new = tmp_path / "new"
    page = open_dataset("import", data=new)
    fill(page, importing.WHERE, str(tmp_path / "set"))
    press(page, "Start the import")
    job = jobs.latest(new, "import")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and jobs.state(job).done < 5:
        time.sleep(0.02)
    # Held, so that the import does not end before the page is laid out.
    process = psutil.Process(job.process.pid)
    process.suspend()
    page.run()
    assert not [button for button in page.button if button.label == "Start the import"]
    press(page, "Cancel")
    process.resume()
    wait(page, job)
    assert "Stopped. Finished work is kept" in said(page)
    press(page, "Resume")
    second = jobs.latest(new, "import")
    assert second != job
    wait(page, second)
    assert "synthetic images of 16 patients" in said(page)


@pytest.mark.process
def test_another_change_of_the_folder_makes_the_import_wait(open_dataset, dataset, tmp_path):
    arguments = ["sample", str(tmp_path / "x"), "--patients", "24", "--cells", "200"]
    job = jobs.submit(dataset, "train", "Training of a network", arguments)
    try:
        page = open_dataset("import")
        assert "Training of a network is using this data folder" in said(page)
        (start,) = [button for button in page.button if button.label == "Start the import"]
        assert start.disabled
    finally:
        jobs.cancel(job, grace=1)
