"""Cells are classified once, after the criterion was stated; what does not count is said and not dropped."""

import json
import shutil
from contextlib import ExitStack

import pytest

from leukemia.bundles import bundle as bundles
from leukemia.bundles import engine
from leukemia.errors import DatasetError, ImageError
from leukemia.evaluation import estimate
from leukemia.evaluation.breakdown import sources
from leukemia.imaging import scale
from leukemia.inference import learned
from leukemia.inference.classifier import NOVEL, Classifier
from leukemia.verification import answering, labelled_cells, own_threshold, statistics, store
from leukemia.verification.statistics import Criterion
from tests.support.bundle_factory import edit
from tests.support.labelled_cells import drawn, write_folders


def test_the_result_is_that_of_the_answers_and_reads_back_as_it_was(stated, bundle, cells):
    steps = []
    done = answering.answer(stated, bundle, cells, progress=lambda *step: steps.append(step))
    assert steps[-1] == (36, 36, "Classifying")
    read = store.read(stated.data, stated.id)
    assert read == done
    table = store.cells(read)
    answered = table[["patient_group", "label", "probability"]]
    expected = statistics.at_threshold(answered, bundle.threshold, Criterion(0.2, 0.2))
    assert read.result.shipped.rates == expected
    left_out = own_threshold.left_out(answered, Criterion(0.2, 0.2))
    assert read.result.own.rates == statistics.rates(left_out, Criterion(0.2, 0.2))
    assert read.result.patients == {"Normal": 6, "ALL": 6}
    assert read.result.answered == read.result.brought == {"Normal": 18, "ALL": 18}
    assert read.result.shifts["hue"].outside is not None and read.result.shifts["cell_area"].model is None
    assert table["hue"].notna().all() and (table["left_out"] == "").all()


def test_a_second_answer_another_version_and_another_criterion_are_refused(stated, bundle, cells, tmp_path):
    other = bundles.read(edit(shutil.copytree(bundle.folder, tmp_path / "other"), {"threshold.value": 0.4}))
    with pytest.raises(DatasetError, match="another model version"):
        answering.answer(stated, other, cells)
    before = (stated.folder / store.CRITERION).read_bytes()
    answering.answer(stated, bundle, cells)
    with pytest.raises(DatasetError, match="has its result"):
        answering.answer(stated, bundle, cells)
    with pytest.raises(DatasetError, match="stays on record"):
        store.drop(stated)
    assert (stated.folder / store.CRITERION).read_bytes() == before


def test_a_cell_without_an_answer_is_counted_with_its_reason_also_as_called_wrong(stated, bundle, cells):
    for number in range(3):
        (cells / "ALL" / "A0" / f"bad{number}.png").write_bytes(b"no image")
    result = answering.answer(stated, bundle, cells).result
    assert result.unanswered == {"Normal": 0, "ALL": 3} and result.brought["ALL"] == 21
    assert result.reasons == {"Not a readable image (BMP, PNG, JPEG, TIFF, WebP or DICOM).": 3}
    table = store.cells(store.read(stated.data, stated.id))
    own = table[(table["patient"] == "A0") & table["probability"].notna()]
    share = (own["probability"] >= 0.5).mean()
    # Three of the patient's six cells: half of the share is gone, for one of six patients.
    assert result.shipped.sensitivity.value - result.counting_unanswered["sensitivity"] == pytest.approx(
        share / 12
    )
    assert result.counting_unanswered["specificity"] == pytest.approx(result.shipped.specificity.value)


def test_cells_that_the_model_does_not_know_are_not_answered(stated, bundle, cells, monkeypatch):
    monkeypatch.setattr(bundles.Bundle, "novelty_limit", -1.0)
    # The small network measures no distance.
    monkeypatch.setattr(engine, "check_fits", lambda network, bundle: None)
    with pytest.raises(DatasetError, match=r"Too few patients: 0 with ALL") as refusal:
        answering.answer(stated, bundle, cells)
    assert "Cells that do not count: " in str(refusal.value)
    assert NOVEL.partition(":")[0] in str(refusal.value)
    assert store.read(stated.data, stated.id).result is None


def test_patients_the_model_learned_from_are_left_out_with_all_their_cells(
    stated, bundle, cells, drawn_files
):
    # A cross-validated recipe learned from all cells that its predictions name.
    learned_cell = sorted(drawn_files.glob("*_ALL.bmp"))[0]
    shutil.copy(learned_cell, cells / "ALL" / "A0" / "known.bmp")
    known = learned.Learned(frozenset(bundle.predictions["image_id"]), frozenset())
    with ExitStack() as stack:
        brought = labelled_cells.read(cells, stack).cells
        table = answering.answer_cells(Classifier(bundle), brought, known)
    out = table[table["left_out"] != ""]
    assert set(out["patient"]) == {"A0"} and set(out["left_out"]) == {answering.LEARNED}
    assert len(out) == 4


def test_what_a_bundle_learned_from(bundle, tmp_path):
    assert learned.of(bundle, tmp_path) == learned.Learned(frozenset(), frozenset(), is_whole=False)
    groups = {"split.training.groups": ["1", "2+3"], "split.validation.groups": ["H1"]}
    single = bundles.read(edit(shutil.copytree(bundle.folder, tmp_path / "single"), groups))
    assert learned.of(single, tmp_path).patients == {"1", "2", "3", "H1"}
    folds = bundles.read(edit(shutil.copytree(bundle.folder, tmp_path / "folds"), {"split.folds": 5}))
    everything = learned.of(folds, tmp_path)
    assert everything.images == set(bundle.predictions["image_id"])
    assert everything.patients == set(bundle.predictions["patient_group"])
    assert everything.is_whole


def test_copies_count_once_and_a_picture_with_two_labels_not_at_all(stated, bundle, cells):
    (cells / "ALL" / "A0" / "copy.png").write_bytes(drawn("ALL", 0))
    (cells / "Normal" / "N1" / "blast.png").write_bytes(drawn("ALL", 3))
    result = answering.answer(stated, bundle, cells).result
    assert result.left_out == {answering.COPY: 1, answering.TWO_LABELS: 2}
    assert result.brought == {"Normal": 18, "ALL": 17}


def test_too_few_patients_or_one_class_are_said_before_anything_is_classified(
    stated, bundle, tmp_path, monkeypatch
):
    monkeypatch.setattr(answering, "Classifier", None)
    few = write_folders(tmp_path / "few", patients=4, cells=1)
    with pytest.raises(DatasetError, match="Too few patients: 4 with ALL cells and 4 with normal cells"):
        answering.answer(stated, bundle, few)
    shutil.rmtree(few / "Normal")
    with pytest.raises(DatasetError, match="4 with ALL cells and 0 with normal cells"):
        answering.answer(stated, bundle, few)


def test_cells_that_were_answered_under_another_criterion_are_said_to_be_known(
    stated, bundle, cells, tmp_path
):
    answering.answer(stated, bundle, cells)
    again = store.state(tmp_path / "data", bundle, "tiny", "St. Elsewhere", Criterion(0.1, 0.1), "Ada")
    assert answering.answer(again, bundle, cells).result.earlier == [stated.id]
    third = store.state(tmp_path / "data", bundle, "tiny", "St. Elsewhere", Criterion(0.1, 0.1), "Ada")
    new = write_folders(tmp_path / "new", patients=5, cells=1)
    for number, path in enumerate(sorted(new.rglob("*.png"))):
        path.write_bytes(drawn(path.parts[-3], number, seed=99))
    assert answering.answer(third, bundle, new).result.earlier == []


def test_a_scale_too_far_from_the_models_is_refused_at_once(stated, bundle, cells):
    with pytest.raises(ImageError, match="too far from the model's scale"):
        answering.answer(stated, bundle, cells, scale=scale.stated(5.0))


@pytest.mark.parametrize("given", [("", "Ada"), ("Lab", "  "), ("x" * 201, "Ada")])
def test_a_criterion_needs_a_laboratory_and_a_name(given, bundle, tmp_path):
    site, who = given
    with pytest.raises(DatasetError, match=r"Please give|at most 200"):
        store.state(tmp_path / "data", bundle, "tiny", site, Criterion(0.9, 0.9), who)
    assert store.every(tmp_path / "data") == []


def test_damaged_and_foreign_folders_are_no_verifications(stated, tmp_path):
    place = stated.folder.parent
    (place / "20260101T000000000000-aaaaaa").mkdir()
    (place / "notes").mkdir()
    (place / "20260101T000000000000-bbbbbb").mkdir()
    (place / "20260101T000000000000-bbbbbb" / store.CRITERION).write_text(json.dumps({"site": 1}))
    assert store.every(tmp_path / "data") == [stated]
    for name in ("20260101T000000000000-aaaaaa", "20260101T000000000000-bbbbbb", "../data", "notes"):
        with pytest.raises(DatasetError):
            store.read(tmp_path / "data", name)


def test_the_models_record_is_the_one_that_the_other_sections_have(stated, bundle, cells, tmp_path):
    result = answering.answer(stated, bundle, cells).result
    elsewhere = sources.evaluate(
        bundle.predictions.assign(source="one"), bundle.operating_point
    ).each_patient.estimates
    for name in ("sensitivity", "specificity", "auroc"):
        assert estimate.rounded(result.record)[name] == elsewhere[name]
