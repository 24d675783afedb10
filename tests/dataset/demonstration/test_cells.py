"""The real cells that come with the program: whole, credited, and never learned from."""

import csv

import pytest
from PIL import Image

from leukemia.bundles import bundle as bundles
from leukemia.dataset.demonstration import cells
from leukemia.imaging.cell import read_cell
from leukemia.imaging.scale import NATIVE_FRAMES
from leukemia.settings import PROJECT, SHIPPED

SET = PROJECT.parent / "shared" / "data" / "cnmc2019"


def test_sixteen_lossless_frames_at_the_native_scale():
    files = cells.files()
    assert len(files) == 16
    for path in files:
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("PNG", "RGB")
            assert (image.height, image.width) in NATIVE_FRAMES


def test_they_are_credited_with_source_and_licence():
    text = (cells.FOLDER / "ATTRIBUTION.md").read_text()
    for words in ("Gupta A, Gupta R", "10.7937/tcia.2019.dc64i46r", "creativecommons.org/licenses/by/3.0"):
        assert words in text
    assert "doi:10.7937/tcia.2019.dc64i46r" in cells.CREDIT
    assert "CC BY 3.0" in cells.CREDIT


def test_they_are_sixteen_cells_without_label_that_the_built_in_model_was_never_tested_on():
    records = cells.records()
    ids = {record.image_id for record in records}
    assert len(ids) == 16
    assert {(record.label, record.patient) for record in records} == {("", "")}
    assert not ids & set(bundles.read(SHIPPED).predictions["image_id"])


def test_they_are_the_final_part_of_the_set_pixel_for_pixel():
    if not SET.is_dir():
        pytest.skip(f"{SET} is not there")
    with (SET / "manifest.csv").open() as file:
        final = [row for row in csv.DictReader(file) if row["split"] == "final"]
    theirs = {read_cell(SET / row["file"]).image_id for row in final}
    assert theirs == {record.image_id for record in cells.records()}
