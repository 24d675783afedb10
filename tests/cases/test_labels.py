"""Verdicts of signed cases become labels, by case; and those of open ones do not."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leukemia.cases import case as cases
from leukemia.cases import cells, disagreements, labels, signing, verdicts
from leukemia.dataset import manifest, review_labels, training_set
from leukemia.dataset.demonstration import cells as demonstration
from leukemia.imaging.cell import read_cell
from leukemia.operating_point import ALL_LIKE, INDETERMINATE, NORMAL_LIKE
from leukemia.storage.workspace import Workspace
from tests.support.case_factory import POINT, bundle_at, make_case, result
from tests.support.field_factory import cell_of, field


@pytest.fixture
def data(prepared, records):
    return shutil.copytree(prepared, records / "data")


def sign(data, case):
    signing.sign(data, case.id, who="Ada", meaning="x")


def reviewed(data):
    rows = training_set.read(data)
    return rows[rows["source"] == review_labels.SOURCE].reset_index(drop=True)


def test_only_verdicts_on_which_readers_agree_or_that_were_settled_are_labels(data):
    before = training_set.fingerprint(data)
    case = make_case(data, "Jane Doe", (0.9, 0.9, 0.5, 0.1, 0.1, 0.9))
    verdicts.give(data, case.id, [1, 4], ALL_LIKE, reader="Ada")
    verdicts.give(data, case.id, [2], NORMAL_LIKE, reader="Ada")
    verdicts.give(data, case.id, [3], INDETERMINATE, reader="Ada")
    verdicts.give(data, case.id, [4], NORMAL_LIKE, reader="Ben")
    verdicts.give(data, case.id, [6], verdicts.REJECTED, reader="Ada", reason="Blurred")
    disagreements.settle(data, case.id, 4, NORMAL_LIKE, who="Cleo", reason="x")
    assert labels.publish(data) == 0 and not Workspace(data).review_labels.exists()
    assert training_set.fingerprint(data) == before

    sign(data, case)
    rows = reviewed(data)
    found = cells.cells(data, case.id)
    assert dict(zip(rows["image_id"], rows["label"], strict=True)) == {
        found[0].image_id: "ALL",
        found[1].image_id: "Normal",
        found[3].image_id: "Normal",
    }
    assert set(rows["patient_group"]) == {f"review-{case.id}"}
    assert rows["cell_area"].tolist() == [found[n].area for n in (0, 1, 3)]
    for path, number in zip(rows["path"], (1, 2, 4), strict=True):
        assert np.array_equal(read_cell(data / path).pixels, cells.picture(data, case.id, number).pixels)
    assert "Jane" not in Workspace(data).review_labels.read_text()
    counted = training_set.count_classes(training_set.read(data))
    assert (counted.reviewed, counted.corrected) == (3, 0)
    assert counted.groups == {"Normal": 6, "ALL": 8}, "the case has cells of both classes"
    assert training_set.fingerprint(data) != before

    signing.reopen(data, case.id, who="Ada", reason="x")
    assert reviewed(data).empty and training_set.fingerprint(data) == before
    assert list(Workspace(data).review_labels.parent.glob("*.png")) == []


def test_a_drawing_and_a_cell_at_another_scale_teach_nothing(data):
    case = cases.create(data, "P-1", who="Ada")
    bundle = bundle_at(data / "bundle")
    cells.add(data, case.id, [result(1, drawn=True), result(2)], bundle, POINT, who="Ada")
    verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ada")
    sign(data, case)
    assert reviewed(data)["image_id"].tolist() == [cells.cells(data, case.id)[1].image_id]


def test_a_lossy_picture_of_a_single_cell_teaches_nothing_and_one_of_a_field_does(data):
    case = cases.create(data, "P-1", who="Ada")

    def lossy(one):
        return replace(one, answer=replace(one.answer, lossy=True))

    given = [lossy(result(1)), result(2), lossy(cell_of("A", 1, first=10))]
    cells.add(data, case.id, given, bundle_at(data / "bundle"), POINT, who="Ada", fields={"A": field()})
    verdicts.give(data, case.id, [1, 2, 3], ALL_LIKE, reader="Ada")
    sign(data, case)
    found = cells.cells(data, case.id)
    assert [cell.lossy for cell in found] == [True, False, True]
    assert sorted(reviewed(data)["image_id"]) == sorted(cell.image_id for cell in found[1:])


def test_a_verdict_on_an_unlabelled_cell_of_the_set_is_its_label(data):
    row = manifest.read(data).query("label == ''").iloc[0]
    made = result(1)
    object.__setattr__(made.answer, "image_id", row["image_id"])
    case = cases.create(data, "P-1", who="Ada")
    cells.add(data, case.id, [made], bundle_at(data / "bundle"), POINT, who="Ada")
    verdicts.give(data, case.id, [1], NORMAL_LIKE, reader="Ada")
    sign(data, case)
    rows = training_set.read(data)
    ours = rows[rows["image_id"] == row["image_id"]]
    assert ours[["label", "patient_group"]].to_numpy().tolist() == [["Normal", f"review-{case.id}"]]


def known_image(data, label):
    """A result with the pixels of a cell in the manifest, and that cell's row."""
    row = manifest.read(data).query("label == @label").iloc[0]
    made = result(1)
    object.__setattr__(made.answer, "image_id", row["image_id"])
    return made, row


def test_a_case_that_shares_an_image_with_a_patient_is_of_that_patients_group(data):
    shared, row = known_image(data, "ALL")
    case = cases.create(data, "P-1", who="Ada")
    results = [shared, result(2)]
    cells.add(data, case.id, results, bundle_at(data / "bundle"), POINT, who="Ada")
    verdicts.give(data, case.id, [2], NORMAL_LIKE, reader="Ada")
    sign(data, case)
    rows = training_set.read(data)
    (ours,) = rows[rows["source"] == review_labels.SOURCE]["patient_group"]
    assert ours == f"{row['patient_group']}+review-{case.id}"
    assert (rows["patient_group"] == ours).sum() == 1 + 6, "and so are the patient's own cells"
    assert rows.loc[rows["image_id"] == row["image_id"], "label"].tolist() == ["ALL"]
    assert "patient" not in rows and training_set.assign_subsets(rows, "patient", 0)


def test_one_image_in_two_cases_joins_them_and_counts_once_or_not_at_all(data):
    first = make_case(data, "1", (0.9, 0.9, 0.9))
    second = make_case(data, "2", (0.9, 0.9), first=2)
    verdicts.give(data, first.id, [1, 2, 3], ALL_LIKE, reader="Ada")
    verdicts.give(data, second.id, [1], ALL_LIKE, reader="Ada")
    verdicts.give(data, second.id, [2], NORMAL_LIKE, reader="Ada")
    sign(data, first)
    assert len(reviewed(data)) == 3
    sign(data, second)
    rows = reviewed(data)
    ids = [cell.image_id for cell in cells.cells(data, first.id)]
    assert sorted(rows["image_id"]) == sorted(ids[:2]), "verdicts on the third differ"
    assert set(rows["patient_group"]) == {"review-1+review-2"}


@pytest.mark.parametrize("verdict", [NORMAL_LIKE, INDETERMINATE, verdicts.REJECTED])
def test_a_cell_on_which_another_signed_case_has_another_verdict_teaches_nothing(data, verdict):
    first = make_case(data, "P-1", (0.9, 0.9))
    verdicts.give(data, first.id, [1, 2], ALL_LIKE, reader="Ada")
    sign(data, first)
    assert len(reviewed(data)) == 2
    second = make_case(data, "P-2", (0.9, 0.9))
    verdicts.give(data, second.id, [1], verdict, reader="Ben", reason="Not a white blood cell")
    # The second image was read by nobody there: that says nothing against it.
    sign(data, second)
    assert list(reviewed(data)["image_id"]) == [cells.cells(data, first.id)[1].image_id]
    signing.reopen(data, second.id, who="Ben", reason="x")
    assert len(reviewed(data)) == 2


def test_what_was_lost_of_the_labels_is_written_again(data):
    case = make_case(data, "1", (0.9, 0.9))
    verdicts.give(data, case.id, [1, 2], ALL_LIKE, reader="Ada")
    sign(data, case)
    before = reviewed(data)
    shutil.rmtree(Workspace(data).review_labels.parent)
    assert reviewed(data).empty
    assert labels.publish(data) == 2
    pd.testing.assert_frame_equal(reviewed(data), before)
    (data / before["path"][0]).unlink()
    labels.publish(data)
    assert (data / before["path"][0]).is_file()


def test_a_signature_stands_also_where_the_labels_cannot_be_written(data):
    (data / "review").write_text("in the way")
    case = make_case(data, "1", (0.9,))
    verdicts.give(data, case.id, [1], ALL_LIKE, reader="Ada")
    sign(data, case)
    assert cases.find(data, case.id).is_signed


def test_a_sample_cell_that_comes_with_the_program_never_teaches(data):
    sample = demonstration.records()[0]
    case = make_case(data, "tried out", (0.9, 0.8))
    tried = result(99)
    tried = replace(tried, answer=replace(tried.answer, image_id=sample.image_id))
    cells.add(data, case.id, [tried], bundle_at(data / "bundle"), POINT, who="Ada")
    verdicts.give(data, case.id, [1, 2, 3], ALL_LIKE, reader="Ada")
    sign(data, case)
    assert labels.publish(data) == 2
    assert sample.image_id not in set(reviewed(data)["image_id"])
