"""The import on the real C-NMC images, where they lie beside the project."""

import hashlib

import pytest

from leukemia.dataset import manifest, splits
from leukemia.dataset.importing import importer
from leukemia.imaging import reader
from leukemia.settings import PROJECT

SET = PROJECT.parent / "shared" / "data" / "cnmc2019"
pytestmark = pytest.mark.skipif(not SET.is_dir(), reason="the real images are not on this machine")


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    output = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        # The quickest lossless packing: what is counted here does not depend on it.
        patch.setitem(importer.PACKED, "method", 0)
        return output, importer.prepare(SET, output, workers=2)


def test_the_true_counts_are_reported(imported):
    report = imported[1]
    assert report.count("ALL", folds=True) + report.count("Normal", folds=True) == 5_998
    assert (report.count("ALL"), report.count("Normal")) == (4_185, 1_819)
    assert (report.rows, report.absent_rows, report.imported["preliminary"]) == (
        1_867,
        1_861,
        {"ALL": 4, "Normal": 2},
    )
    assert report.imported["final"] == {"unlabelled": 16}
    assert (report.found, len(report.unreadable), len(report.unlabelled_by_doubt)) == (6_020, 0, 0)
    assert report.tied_groups == [["20", "21"], ["51", "75", "78"], ["H2", "H4", "H5", "H6"], ["H3", "H10"]]
    assert len(report.identical_pairs) == 104
    assert report.near_pairs_by_patients == {
        "51 = 78": 37,
        "H3 = H10": 19,
        "H2 = H5": 17,
        "51 = 75": 15,
        "H2 = H6": 14,
        "H2 = H7": 14,
        "43 = 44": 10,
        "H2 = H4": 6,
        "17 = 20": 3,
        "17 = 21": 3,
        "H5 = H6": 2,
        "H14 = H24": 2,
        "16 = 20": 1,
        "16 = 21": 1,
        "17 = 18": 1,
        "1 = 15": 1,
        "1 = 17": 1,
    }
    assert report.patient_groups == [
        ["1", "15", "16", "17", "18", "20", "21"],
        ["43", "44"],
        ["51", "75", "78"],
        ["H2", "H4", "H5", "H6", "H7"],
        ["H3", "H10"],
        ["H14", "H24"],
    ]
    assert report.two_labels == []
    assert report.groups == {"Normal": 18, "ALL": 33}


def test_nothing_is_lost_and_sampled_images_are_exact(imported):
    cells = manifest.read(imported[0])
    assert len(cells) == cells["path"].nunique() == 6_020
    for row in cells.iloc[::301].itertuples():
        original = (SET / row.origin).read_bytes()
        assert row.file_sha256 == hashlib.sha256(original).hexdigest()
        packed = reader.decode((imported[0] / row.path).read_bytes())
        assert (packed == reader.decode(original)).all()


def test_no_patient_stands_on_two_sides_of_the_split(imported):
    cells = manifest.read(imported[0])
    cells = cells[cells["label"] != ""]
    assert splits.check_disjoint(cells, splits.by_patient(cells)) == 51
