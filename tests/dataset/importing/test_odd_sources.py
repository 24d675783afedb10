"""A set as people have it comes in, and what does not is told, each with its reason."""

import os

import numpy as np
import pytest
import tifffile

from leukemia.dataset import manifest
from leukemia.dataset.importing import importer
from leukemia.dataset.synthetic import sample_writer
from leukemia.imaging import reader
from leukemia.imaging.cell import measure_cell
from tests.support.cases import case

LONG = f"UID_{'9' * 232}_1_1_all.bmp"


@pytest.fixture
def source(tmp_path):
    """Drawn cells in a folder, of which one is linked, one deep, one of a long name, and two are none."""
    rng = np.random.default_rng(4)
    cells = {label: sample_writer.draw_cell(rng, label) for label in ("ALL", "Normal")}
    fold = tmp_path / "set" / "fold_0"
    (fold / "all").mkdir(parents=True)
    tifffile.imwrite(
        fold / "all" / "UID_1_1_1_all.tif", cells["ALL"].astype(np.uint16) << 4, photometric="rgb"
    )
    (fold / "all" / LONG).write_bytes(sample_writer.encode(cells["ALL"], "BMP"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "UID_H1_1_1_hem.bmp").write_bytes(sample_writer.encode(cells["Normal"], "BMP"))
    (fold / "hem").symlink_to(tmp_path / "elsewhere")
    (fold / "all" / "UID_1_1_2_all.bmp").symlink_to("/dev/zero")
    os.mkfifo(fold / "all" / "UID_1_1_3_all.bmp")
    (fold / "all" / "._UID_1_1_1_all.tif").write_bytes(b"\0\5\x16\7")
    return tmp_path / "set", cells


def test_what_can_be_read_comes_in_exactly_and_the_rest_is_told(source, tmp_path):
    folder, drawn = source
    report = importer.prepare(folder, tmp_path / "out", workers=2)
    cells = manifest.read(tmp_path / "out")
    assert dict(zip(cells["origin"], cells["label"], strict=True)) == {
        "fold_0/all/UID_1_1_1_all.tif": "ALL",
        f"fold_0/all/{LONG}": "ALL",
        "fold_0/hem/UID_H1_1_1_hem.bmp": "Normal",
    }
    ids = {label: measure_cell(pixels).image_id for label, pixels in drawn.items()}
    assert (cells["image_id"] == cells["label"].map(ids)).all()
    assert set(report.not_read) == {"fold_0/all/UID_1_1_2_all.bmp", "fold_0/all/UID_1_1_3_all.bmp"}
    assert report.assumed == {"fold_0/all/UID_1_1_1_all.tif": "taken as 12-bit samples, by the brightest one"}
    told = "\n".join(report.lines())
    assert "2 files left out" in told and "assumed bit depth" in told


def test_the_same_names_come_out_on_every_run(source, tmp_path):
    folder, _ = source
    names = []
    for _ in range(2):
        importer.prepare(folder, tmp_path / "out", workers=2)
        names.append(sorted(path.name for path in (tmp_path / "out").rglob("*.webp")))
    assert names[0] == names[1]
    assert max(map(len, names[0])) < 200


def test_two_long_names_that_begin_alike_are_two_images(tmp_path):
    fold = tmp_path / "set" / "fold_0" / "all"
    fold.mkdir(parents=True)
    rng = np.random.default_rng(5)
    for last in "12":
        cell = sample_writer.draw_cell(rng, "ALL")
        (fold / f"UID_1_1_{'0' * 200}{last}_all.bmp").write_bytes(sample_writer.encode(cell, "BMP"))
    importer.prepare(tmp_path / "set", tmp_path / "out", workers=1)
    assert manifest.read(tmp_path / "out")["path"].nunique() == 2


def test_a_real_planar_cell_comes_in_as_the_cell_it_is(tmp_path):
    folder = case("09-planar-16bit")
    fold = tmp_path / "set" / "fold_0" / "all"
    fold.mkdir(parents=True)
    for number, name in enumerate(("planar16.tif", "planar16-deflate.tif", "same.png")):
        copy = fold / f"UID_1_1_{number}_all{name[name.rindex('.') :]}"
        copy.write_bytes((folder / name).read_bytes())
    importer.prepare(tmp_path / "set", tmp_path / "out", workers=1)
    expected = measure_cell(reader.decode((folder / "same.png").read_bytes())).image_id
    assert set(manifest.read(tmp_path / "out")["image_id"]) == {expected}


@pytest.mark.parametrize("name", ["colon", "dot", "empty-name"])
def test_real_zips_with_odd_entries_bring_their_cell(tmp_path, name):
    importer.prepare(case("13-zip-names") / f"{name}.zip", tmp_path, workers=1)
    assert manifest.read(tmp_path)["label"].tolist() == ["ALL"]


@pytest.mark.parametrize(
    "name",
    [
        "04-semicolon",
        "05-utf16",
        "07-blank-tail",
        "10-index",
        "11-header-case",
        "31-csv-upper",
        "32-csv-copy",
    ],
)
def test_real_labels_as_people_save_them_are_read(tmp_path, name):
    importer.prepare(case("12-labels-csv") / f"{name}.zip", tmp_path, workers=1)
    cells = manifest.read(tmp_path)
    assert dict(zip(cells["patient"], cells["label"], strict=True)) == {"57": "ALL", "H49": "Normal"}
