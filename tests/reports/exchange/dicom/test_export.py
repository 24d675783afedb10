"""A case as DICOM: complete objects, the page's numbers, and pictures that come back as they went."""

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from highdicom import sr
from PIL import Image

from leukemia.bundles import bundle as bundles
from leukemia.cases import case as cases
from leukemia.cases import cells, signing, verdicts
from leukemia.cli import main as command_line
from leukemia.imaging import reader
from leukemia.inference.answer import Source
from leukemia.inference.batch import Result
from leukemia.inference.classifier import Classifier
from leukemia.operating_point import ALL_LIKE, NORMAL_LIKE
from leukemia.reports import case as report
from leukemia.reports import case_files
from leukemia.reports.exchange import results
from leukemia.reports.exchange.dicom import codes, export, header
from leukemia.settings import RESEARCH_USE
from tests.support.case_factory import POINT, bundle_at, make_case, result

HOSTILE = "P|1^x\\y~&z 患者"
STANDARD = Path(highdicom.__file__).parent / "_standard"


def exported(data, case, **options):
    """Every object of a case by its name in the zip, as another program reads it."""
    out = io.BytesIO()
    export.write(data, report.gather(data, case.id, None), out, **options)
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        return {name: pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()}


def groups(dataset):
    return sr.ComprehensiveSR.from_dataset(dataset).content.get_image_measurement_groups()


def measured(group):
    return {one.name.value: one.value for one in group.get_measurements()}


def evaluated(group):
    found = {}
    for one in group.get_qualitative_evaluations():
        found.setdefault(one.name.value, []).append(one.value.meaning)
    return found


@pytest.fixture
def case(tmp_path):
    made = make_case(tmp_path, HOSTILE, probabilities=(0.9, 0.5, 0.1, 0.2, None, None))
    verdicts.give(tmp_path, made.id, [2], ALL_LIKE, reader="Ben")
    verdicts.give(tmp_path, made.id, [3], NORMAL_LIKE, reader="Ben")
    verdicts.give(tmp_path, made.id, [3], ALL_LIKE, reader="Cleo")
    return cases.find(tmp_path, made.id)


def test_each_picture_and_a_report_are_written(tmp_path, case):
    found = exported(tmp_path, case)
    assert list(found) == [*(f"pictures/cell-{n:05}.dcm" for n in range(1, 6)), "report-1.dcm"]
    pictures = [one for name, one in found.items() if "cell" in name]
    for number, one in enumerate(pictures, 1):
        kept = cells.picture(tmp_path, case.id, number)
        assert (one.pixel_array == kept.pixels).all()
        assert [1_000 * float(each) for each in one.PixelSpacing] == pytest.approx([kept.pixel_size] * 2)
        assert (one.InstanceNumber, one.BurnedInAnnotation, one.ImageComments) == (number, "NO", RESEARCH_USE)
    assert len({one.SOPInstanceUID for one in found.values()}) == 6
    assert {one.StudyInstanceUID for one in found.values()} == {pictures[0].StudyInstanceUID}
    assert len({one.SeriesInstanceUID for one in pictures}) == 1
    assert found["report-1.dcm"].SeriesInstanceUID != pictures[0].SeriesInstanceUID
    assert {one.SeriesDescription for one in found.values()} == {RESEARCH_USE}


@pytest.mark.parametrize(("kind", "file"), [("vl-microscopic-image", "cell"), ("comprehensive-sr", "report")])
def test_an_object_has_every_element_that_the_standard_requires(tmp_path, case, kind, file):
    one_of_them = next(one for name, one in exported(tmp_path, case).items() if file in name)
    wanted = required(kind)
    assert len(wanted) > 25
    missing = [
        ".".join([*path, keyword])
        for path, keyword, filled in wanted
        for item in below(one_of_them, path)
        if keyword not in item or (filled and item[keyword].is_empty)
    ]
    assert missing == []


def required(kind):
    """Elements of type 1 and 2 of the modules that a kind of object must have, by the standard's tables."""
    modules = json.loads((STANDARD / "iod_module_map.json").read_text())[kind]
    tables = json.loads((STANDARD / "module_attribute_map.json").read_text())
    # The content of a report differs by the kind of each item: its own test reads it by the template.
    keys = [one["key"] for one in modules if one["usage"] == "M" and one["key"] != "sr-document-content"]
    keys += ["specimen"] if kind == "vl-microscopic-image" else []
    return [
        (each["path"], each["keyword"], each["type"] == "1")
        for key in keys
        for each in tables[key]
        if each["type"] in ("1", "2")
    ]


def below(dataset, path):
    if not path:
        return [dataset]
    return [each for item in dataset.get(path[0], ()) for each in below(item, path[1:])]


def test_the_numbers_are_the_pages(tmp_path, case):
    content = report.gather(tmp_path, case.id, None)
    found = exported(tmp_path, case)
    every, *each = groups(found["report-1.dcm"])
    by_model, with_verdicts = results.results(content.counts)
    values = measured(every)
    for by, one in (("ai", by_model), ("readers", with_verdicts)):
        assert {name: values[f"{by}-{name.lower()}"] for name in one.counts} == one.counts
        assert values[f"{by}-share"] == round(100 * one.share.value, 1)
        assert values[f"{by}-low"] == round(100 * one.share.low, 1)
    assert values["ai-share"] == 25.0
    assert len(each) == len(content.cells) == 6
    for cell, group in zip(content.cells, each, strict=True):
        assert group.tracking_identifier == f"Cell {cell.number}"
        assert evaluated(group)["decision"] == [cell.called]
        assert evaluated(group).get("verdict", []) == [one.verdict for one in cell.readings]
        if cell.probability is None:
            assert measured(group) == {}
        else:
            limits = {"normal-below": POINT.low, "all-from": POINT.high, "threshold": POINT.threshold}
            assert measured(group) == {"probability-all": cell.probability, **limits}
        shown = [one.referenced_sop_instance_uid for one in group.source_images]
        file = found.get(f"pictures/cell-{cell.number:05}.dcm")
        assert shown == ([file.SOPInstanceUID] if file else [])
    assert evaluated(each[1])["counts-as"] == [ALL_LIKE]
    assert evaluated(each[2])["counts-as"] == [codes.DISPUTED]
    texts = [str(one.get("TextValue", "")) for one in found["report-1.dcm"].ContentSequence]
    assert results.conclusion(content) in texts
    assert results.answered_by(content) in texts


def test_the_model_stands_beside_each_answer_with_the_hash_of_its_record(tmp_path, case):
    (cell, *_) = report.gather(tmp_path, case.id, None).cells
    _, first, *_ = exported(tmp_path, case)["report-1.dcm"].ContentSequence[-3].ContentSequence
    said = {str(one.TextValue) for one in first.ContentSequence if "TextValue" in one}
    assert {"Cell 1", cell.model, f"version 3, SHA-256 of its record {cell.record_sha256}"} == said


def test_a_report_is_verified_by_whoever_signed_and_by_nobody_before(tmp_path):
    case = make_case(tmp_path, probabilities=(0.9, 0.1))
    before = exported(tmp_path, case)["report-1.dcm"]
    state = ("CompletionFlag", "VerificationFlag", "PreliminaryFlag")
    assert [before[name].value for name in state] == ["PARTIAL", "UNVERIFIED", "PRELIMINARY"]
    assert "VerifyingObserverSequence" not in before
    case = signing.sign(tmp_path, case.id, who="Ada^=\\ Grey", meaning=signing.MEANINGS[0])
    after = exported(tmp_path, case)["report-1.dcm"]
    assert [after[name].value for name in state] == ["COMPLETE", "VERIFIED", "FINAL"]
    (observer,) = after.VerifyingObserverSequence
    assert observer.VerifyingObserverName == "Ada    Grey^"
    assert str(observer.VerificationDateTime) == case.signed_at[:19].translate(str.maketrans("", "", "-T:"))


@pytest.mark.parametrize(
    ("name", "written"), [("患者 太郎", "患者 太郎^"), ("A" * 200, "A" * 63 + "^"), ("^=\\", "-^")]
)
def test_a_name_is_written_as_one_part_and_never_empty(name, written):
    assert header.person(name) == written


def test_the_same_state_makes_the_same_bytes_and_a_verdict_only_another_report(tmp_path, case):
    first = exported(tmp_path, case)
    once, twice = (case_files.make(tmp_path, case, case_files.DICOM, lambda _: None) for _ in range(2))
    assert once == twice
    verdicts.give(tmp_path, case.id, [1], NORMAL_LIKE, reader="Ben")
    second = exported(tmp_path, cases.find(tmp_path, case.id))
    changed = {name for name in first if first[name].SOPInstanceUID != second[name].SOPInstanceUID}
    assert changed == {"report-1.dcm"}
    assert all(first[name] == second[name] for name in first if name not in changed)


def test_the_number_of_the_receiving_system_makes_other_objects(tmp_path, case):
    unnamed, named = exported(tmp_path, case), exported(tmp_path, case, patient_id="4711\\8")
    for name, one in named.items():
        assert one.PatientID.startswith("4711 8 ")
        assert (one.PatientIdentityRemoved, "DeidentificationMethod" in one) == ("NO", False)
        assert one.SOPInstanceUID != unnamed[name].SOPInstanceUID
        assert one.StudyInstanceUID != unnamed[name].StudyInstanceUID


@pytest.mark.parametrize("text", [HOSTILE, "x" * 64, "x" * 65, "患" * 200, "a\\b", "a b", "\\", "4711\n"])
def test_an_identifier_becomes_one_value_and_stays_apart_from_others(text):
    made = header.long_string(text)
    assert 0 < len(made) <= 64
    assert "\\" not in made
    assert (made == text) == (len(text) <= 64 and "\\" not in text and "\n" not in text)
    assert header.long_string(text + "\\") != header.long_string(text + " ")


def test_a_large_case_has_several_reports_each_with_all_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "CELLS_PER_REPORT", 2)
    case = make_case(tmp_path, probabilities=(0.9, 0.5, 0.1, 0.2, None))
    found = exported(tmp_path, case)
    content = report.gather(tmp_path, case.id, None)
    assert export.count(content) == len(found) == 4 + 3
    reports = [one for name, one in found.items() if "report" in name]
    assert [len(groups(one)) - 1 for one in reports] == [2, 2, 1]
    assert {measured(groups(one)[0])["ai-share"] for one in reports} == {25.0}


@pytest.mark.parametrize(
    ("note", "lossy", "burned"),
    [
        ("", "", "NO"),
        ("scale: native, as stated; JPEG, quality 60; low quality: the answer may be off", "01", "NO"),
        ("WebP-compressed slide", "01", "NO"),
        ("its header says that text is burned into the picture", "", "YES"),
    ],
)
def test_what_is_known_of_the_file_is_told(tmp_path, note, lossy, burned):
    made = cases.create(tmp_path, "P-1", who="Ada")
    bundle, one = bundle_at(tmp_path / "bundle"), result(1)
    noted = replace(one, answer=replace(one.answer, note=note))
    cells.add(tmp_path, made.id, [noted], bundle, POINT, who="Ada")
    picture = exported(tmp_path, made)["pictures/cell-00001.dcm"]
    assert (picture.LossyImageCompression or "", picture.BurnedInAnnotation) == (lossy, burned)


def test_a_case_without_a_picture_is_a_sentence_and_no_file(tmp_path, capsys):
    make_case(tmp_path / "data", probabilities=(None,))
    out = tmp_path / "out"
    out.mkdir()
    args = ["report", "P-1", "--kind", "dicom.zip", "--output", str(out), "--data", str(tmp_path / "data")]
    assert command_line.main(args) == 2
    assert results.NO_PICTURE in capsys.readouterr().err
    assert not list(out.iterdir())


def test_the_command_line_writes_the_same_zip_as_the_page(tmp_path, case, capsys):
    out = tmp_path / "out"
    out.mkdir()
    args = ["report", HOSTILE, "--kind", "dicom.zip", "--output", str(out), "--data", str(tmp_path)]
    assert command_line.main(args) == 0
    (file,) = out.iterdir()
    assert file.read_bytes() == case_files.make(tmp_path, case, case_files.DICOM, lambda _: None)
    assert RESEARCH_USE in capsys.readouterr().out


def test_pages_offer_no_more_pictures_than_memory_is_for(tmp_path, case, monkeypatch):
    seen = cells.cells(tmp_path, case.id)
    assert case_files.unavailable(case_files.DICOM, seen) == ""
    monkeypatch.setattr(case_files, "MOST_PICTURES", 4)
    assert "more than 4 pictures" in case_files.unavailable(case_files.DICOM, seen)
    assert case_files.unavailable("pdf", seen) == ""
    assert case_files.unavailable(case_files.DICOM, []) == results.NO_PICTURE


def test_a_picture_that_comes_back_has_the_same_pixels_and_the_same_answer(tmp_path, drawn, tiny_bundle):
    bundle = bundles.read(tiny_bundle)
    made = cases.create(tmp_path, "P-1", who="Ada")
    sources = [source(f"{n}.png", encoded(pixels)) for n, (_, _, pixels) in enumerate(drawn[:8])]
    answered = list(Classifier(bundle).classify(sources, thumbnail=32, picture=cells.PICTURE))
    assert {one.error for one in answered} == {""}
    given = [Result(f"{n}", one, False) for n, one in enumerate(answered)]
    cells.add(tmp_path, made.id, given, bundle, bundle.operating_point, who="Ada")
    back = []
    for name, dataset in exported(tmp_path, made).items():
        if "cell" in name:
            out = io.BytesIO()
            dataset.save_as(out)
            number = int(dataset.InstanceNumber)
            opened = reader.open_picture(out.getvalue())
            kept = cells.picture(tmp_path, made.id, number)
            assert (opened.pixels == kept.pixels).all()
            assert opened.pixel_size == pytest.approx(kept.pixel_size, rel=1e-9)
            back.append(source(name, out.getvalue()))
    again = list(Classifier(bundle).classify(back))
    assert [one.probability for one in again] == [one.probability for one in answered]
    assert len({one.probability for one in again}) > 2


def source(name, data):
    return Source(name, lambda: data)


def encoded(pixels):
    out = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(out, "PNG")
    return out.getvalue()
