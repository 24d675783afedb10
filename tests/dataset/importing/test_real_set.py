"""The import on the real C-NMC images, where they lie beside the project."""

import hashlib

import pandas as pd
import pytest

from leukemia.dataset import manifest, splits
from leukemia.dataset.importing import importer
from leukemia.imaging import reader
from leukemia.settings import PROJECT

SET = PROJECT.parent / "shared" / "data" / "cnmc2019"
# Patients who share an identical or near-identical image.
TIED = [
    ["1", "15", "16", "17", "18", "20", "21"],
    ["43", "44"],
    ["51", "75", "78"],
    ["H2", "H4", "H5", "H6", "H7"],
    ["H3", "H10"],
    ["H14", "H24"],
]
pytestmark = [
    pytest.mark.skipif(not SET.is_dir(), reason="the real images are not on this machine"),
    pytest.mark.slow,
]


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    output = tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patch:
        # The quickest lossless packing: what is counted here does not depend on it.
        patch.setitem(importer.PACKED, "method", 0)
        return output, importer.prepare(SET, output, workers=2)


@pytest.fixture(scope="module")
def listed():
    """What the set's own list says of each image; it grows when more cells are released."""
    return pd.read_csv(SET / "manifest.csv", dtype=str, keep_default_na=False)


def test_the_true_counts_are_reported(imported, listed):
    report = imported[1]
    for split, source in (("fold_0",) * 2, ("fold_1",) * 2, ("fold_2",) * 2, ("prelim", "preliminary")):
        kinds = listed.loc[listed["split"] == split, "class"].value_counts()
        assert report.imported[source] == {"ALL": kinds["all"], "Normal": kinds["hem"]}
    assert report.count("ALL") == (listed["class"] == "all").sum()
    assert report.count("Normal") == (listed["class"] == "hem").sum()
    assert report.rows == 1_867
    assert report.absent_rows == report.rows - (listed["split"] == "prelim").sum()
    assert report.imported["final"] == {"unlabelled": 16}
    assert (report.found, len(report.unreadable), len(report.unlabelled_by_doubt)) == (len(listed), 0, 0)
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
    assert report.patient_groups == TIED
    assert report.two_labels == []
    assert report.groups == {"Normal": groups(listed, "hem"), "ALL": groups(listed, "all")}


def groups(listed, kind):
    """How many patient groups a class has: its patients, of whom those that are tied count once."""
    patients = set(listed.loc[listed["class"] == kind, "patient"])
    return len(patients) - sum(len(tie) - 1 for tie in TIED if set(tie) <= patients)


def test_nothing_is_lost_and_sampled_images_are_exact(imported, listed):
    cells = manifest.read(imported[0])
    assert len(cells) == cells["path"].nunique() == len(listed)
    for row in cells.iloc[::301].itertuples():
        original = (SET / row.origin).read_bytes()
        assert row.file_sha256 == hashlib.sha256(original).hexdigest()
        packed = reader.decode((imported[0] / row.path).read_bytes())
        assert (packed == reader.decode(original)).all()


def test_no_patient_stands_on_two_sides_of_the_split(imported, listed):
    cells = manifest.read(imported[0])
    cells = cells[cells["label"] != ""]
    assert splits.check_disjoint(cells, splits.by_patient(cells)) == groups(listed, "all") + groups(
        listed, "hem"
    )
