import pandas as pd
import pytest

from leukemia.dataset import manifest
from leukemia.dataset.catalog import catalog
from leukemia.dataset.catalog.filters import Filters
from leukemia.errors import DatasetError
from leukemia.storage.workspace import Workspace


def frame():
    rows = [
        ("a" * 64, "labeled_images/ALL/x.webp", "ALL", "25", "25", "fold_0", 450, 450, 30_000, "x", "1" * 64),
        ("b" * 64, "labeled_images/Normal/y.webp", "Normal", "H25", "H25", "fold_1", 9, 9, 2, "y", "2" * 64),
        ("c" * 64, "unlabeled_images/NA.webp", "", "", "", "final", 600, 600, 3, "NA", "3" * 64),
    ]
    return pd.DataFrame(rows, columns=manifest.COLUMNS)


def test_what_is_written_is_read(tmp_path):
    manifest.write(tmp_path, frame())
    written = manifest.read(tmp_path)
    assert written.astype(object).values.tolist() == frame().astype(object).values.tolist()
    assert written["patient"].tolist() == ["25", "H25", ""]


def test_a_folder_that_is_not_prepared_says_what_to_run(tmp_path):
    with pytest.raises(DatasetError, match="python -m leukemia prepare"):
        manifest.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("label", "lable"), "lacks columns: label"),
        (lambda text: text.replace(",Normal,", ",normal,"), "labels other than Normal and ALL: normal"),
        (lambda text: text.replace(",600,600,", ",six,600,"), "damaged"),
        (lambda text: "", "damaged"),
        (lambda text: "\0\1\2", "damaged|lacks"),
    ],
)
def test_a_damaged_manifest_says_so(tmp_path, change, says):
    manifest.write(tmp_path, frame())
    path = Workspace(tmp_path).manifest
    path.write_text(change(path.read_text()))
    with pytest.raises(DatasetError, match=says):
        manifest.read(tmp_path)


OUTSIDE = ("../x.webp", "/etc/x.webp", "a/../../x.webp", "C:/x.webp", r"..\x.webp", "a/..", "")


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_leaves_the_folder_is_refused_whoever_reads_it(tmp_path, path):
    manifest.write(tmp_path, frame().assign(path=["labeled_images/ALL/..x.webp", path, "a/b..webp"]))
    with pytest.raises(DatasetError, match=r"outside of its folder"):
        manifest.read(tmp_path)
    with pytest.raises(DatasetError, match=r"outside of its folder"):
        catalog.open_catalog(tmp_path)
    manifest.write(tmp_path, frame().assign(path=["labeled_images/ALL/..x.webp", "a/...", "a/b..webp"]))
    assert len(manifest.read(tmp_path)) == len(catalog.open_catalog(tmp_path).page(Filters(), size=9)) == 3


def test_the_fingerprint_follows_content_and_not_order():
    one = manifest.fingerprint(frame())
    assert one == manifest.fingerprint(frame().iloc[::-1])
    for column in ("image_id", "label", "patient_group"):
        changed = frame()
        changed.loc[0, column] = "H25"
        assert manifest.fingerprint(changed) != one
