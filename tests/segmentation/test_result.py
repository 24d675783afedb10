"""What `segment` writes: the table, the crops, the outlines; and what it says of files that are no field."""

import csv
import errno
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukemia.imaging import stain, validate
from leukemia.segmentation import result, table
from leukemia.segmentation import segment as segmenting
from leukemia.segmentation.scale import FieldScale
from tests.support import fields
from tests.support.fields import ColourNetwork, draw
from tests.support.pictures import encoded

FIRST = ["field", "x", "y", "width", "height", "confidence", "edge", "crop"]


@pytest.fixture(autouse=True)
def _reads_colours(monkeypatch):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)


def written(folder):
    with (folder / result.TABLE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def save(place, pixels, **options):
    Image.fromarray(pixels).save(place, **options)
    return place


def test_a_row_a_cell_with_its_crop_and_its_outline(tmp_path):
    field = save(tmp_path / "Müller, slide 1.png", draw(white=[(300, 200, 60), (20, 300, 55)]))
    count = result.write([field], tmp_path / "out")
    assert (count.fields, count.failed, count.cells) == (1, 0, 2)
    rows = written(tmp_path / "out")
    assert list(rows[0])[: len(FIRST)] == FIRST
    whole = next(row for row in rows if row["edge"] == "no")
    box = [float(whole[side]) for side in ("x", "y", "width", "height")]
    assert box == pytest.approx([240, 140, 120, 120], abs=6)
    assert whole["field"].endswith("Müller, slide 1.png") and "7.2 µm" in whole["note"]
    cell = validate.open_cell((tmp_path / "out" / whole["crop"]).read_bytes())
    assert cell.area == pytest.approx(4 * np.pi * 60**2, rel=0.06)
    assert 0.4 < float(whole["nucleus_share"]) < 0.6
    assert sum(row["edge"] == "yes" for row in rows) == 1


def test_outlines_are_cells_that_qupath_opens(tmp_path):
    field = save(tmp_path / "one.png", draw(white=[(300, 200, 60)]))
    result.write([field], tmp_path / "out")
    whole = json.loads((tmp_path / "out" / "outlines" / "one.geojson").read_text(encoding="utf-8"))
    assert whole["type"] == "FeatureCollection"
    (feature,) = whole["features"]
    assert feature["properties"]["objectType"] == "cell"
    for part, radius in (("geometry", 60), ("nucleusGeometry", 42)):
        (ring,) = feature[part]["coordinates"]
        assert feature[part]["type"] == "Polygon" and ring[0] == ring[-1] and len(ring) > 8
        away = np.hypot(*(np.array(ring) - (300, 200)).T)
        assert np.abs(away - radius).max() < 5


def test_a_field_without_a_cell_is_a_row_with_empty_columns(tmp_path):
    field = save(tmp_path / "red.png", draw(white=[]))
    assert result.write([field], tmp_path / "out").failed == 0
    (row,) = written(tmp_path / "out")
    assert row["field"].endswith("red.png") and not any(row[name] for name in FIRST[1:])
    assert "No white cell" in row["note"] and row["error"] == ""


def test_without_a_known_scale_cells_are_listed_and_not_cut_out(tmp_path):
    field = save(tmp_path / "one.png", draw(red=[]))
    result.write([field], tmp_path / "out")
    (row,) = written(tmp_path / "out")
    assert row["x"] and not row["crop"] and "scale is unknown" in row["error"]
    assert not row["area_um2"] and not row["pixel_size_um"]


def test_what_is_no_field_is_a_row_with_the_reason_and_the_rest_is_done(tmp_path):
    save(tmp_path / "a field.png", draw())
    (tmp_path / "broken.png").write_bytes(encoded(draw(), "PNG")[:5_000])
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "letter.png").write_text("Dear colleague")
    Image.fromarray(draw()).convert("1").save(tmp_path / "scan.tif")
    save(tmp_path / "wall.png", np.full((300, 300, 3), (200, 120, 90), np.uint8))
    Image.new("L", (20_000, 20_000)).save(tmp_path / "wide.jpg")
    count = result.write(sorted(tmp_path.iterdir()), tmp_path / "out")
    assert (count.failed, count.cells) == (6, 1)
    said = {row["field"].rpartition("/")[2]: row["error"] for row in written(tmp_path / "out")}
    assert said["a field.png"] == ""
    for name, words in {
        "broken.png": "damaged",
        "empty.jpg": "empty",
        "letter.png": "Not a readable image",
        "scan.tif": "no colour",
        "wall.png": "no field of a stained smear",
        "wide.jpg": "100 megapixels",
    }.items():
        assert words in said[name], name


@pytest.mark.parametrize("kind", ["png", "bmp", "tif", "webp", "jpg"])
def test_any_common_format_gives_the_same_cell(kind, tmp_path):
    field = save(tmp_path / f"one.{kind}", draw(), **({"lossless": True} if kind == "webp" else {}))
    result.write([field], tmp_path / "out")
    (row,) = written(tmp_path / "out")
    assert float(row["x"]) == pytest.approx(260, abs=6)
    assert ("JPEG" in row["note"]) == (kind == "jpg")


def test_sixteen_bits_are_read(tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "deep.tif", draw().astype(np.uint16) * 257, photometric="rgb")
    result.write([tmp_path / "deep.tif"], tmp_path / "out")
    (row,) = written(tmp_path / "out")
    assert float(row["width"]) == pytest.approx(120, abs=6)


def test_fields_of_one_name_do_not_overwrite_each_other(tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "one.png", draw())
    result.write([tmp_path / "a" / "one.png", tmp_path / "b" / "one.png"], tmp_path / "out")
    assert len({row["crop"] for row in written(tmp_path / "out")}) == 2
    assert len(list((tmp_path / "out" / "crops").iterdir())) == 2


@pytest.mark.parametrize("letter", ["血", "\U00020000", "ä", "a"])
def test_fields_of_long_names_are_fields_and_stay_apart(letter, tmp_path):
    # As many letters as the name of a file holds.
    most = 250 // len(letter.encode())
    longs = [save(tmp_path / f"{letter * (most - 1)}{end}.png", draw()) for end in "ab"]
    short = save(tmp_path / "a.png", draw())
    matched = stain.Recoloured(np.zeros((4, 4, 3), np.uint8), 9.0, 1.0, 2.0)
    count = result.write(
        [short, *longs], tmp_path / "out", match_stain=lambda files: [matched for _ in files]
    )
    assert (count.fields, count.failed, count.cells) == (3, 0, 3)
    crops = [row["crop"] for row in written(tmp_path / "out")]
    assert len(set(crops)) == 3 and all((tmp_path / "out" / one).is_file() for one in crops)
    longest = [one.name for one in (tmp_path / "out").rglob("*.*")]
    # Some encrypted disks allow no more than 143; the numbers of cells and of names may grow.
    assert all(len(name.encode()) + len("-99") + len("99") <= 143 for name in longest)


def test_a_name_that_the_disk_refuses_is_a_row_and_a_full_disk_ends_the_run(tmp_path, monkeypatch):
    paths = [save(tmp_path / name, draw()) for name in ("a.png", "refused.png", "z.png")]
    write, number = Path.write_bytes, errno.ENAMETOOLONG

    def refuse(path, data):
        if path.name.startswith("refused"):
            raise OSError(number, os.strerror(number), str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", refuse)
    count = result.write(paths, tmp_path / "out")
    assert (count.fields, count.failed, count.cells) == (3, 1, 2)
    assert [row["error"] for row in written(tmp_path / "out")] == [
        "",
        "What was found in this field cannot be written: File name too long.",
        "",
    ]
    number = errno.ENOSPC
    with pytest.raises(OSError, match="No space left"):
        result.write(paths, tmp_path / "full")
    assert not (tmp_path / "full").exists()


def test_the_cells_of_a_slide_are_read_as_their_turn_comes(tmp_path):
    field, read = fields.field(), []
    (found,) = segmenting.segment(field, network=ColourNetwork()).cells

    class Cells(Sequence):
        def __len__(self):
            return 500

        def __getitem__(self, position):
            if position >= len(self):
                raise IndexError
            read.append(position)
            return found

    (tmp_path / "crops").mkdir()
    cells = segmenting.Segmented(Cells(), 0, 0, FieldScale(0.05))
    rows = result._rows("a field", "a", field, cells, tmp_path)
    first = next(rows)
    assert first["crop"] == "crops/a-0001.png" and len(read) <= 100
    assert next(rows)["crop"] == "crops/a-0002.png"
    rows.close()
    assert len(list((tmp_path / "crops").iterdir())) <= 100


def test_a_name_is_no_formula(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "=cmd().png", draw(white=[]))
    result.write([Path("=cmd().png")], tmp_path / "out")
    assert written(tmp_path / "out")[0]["field"] == "'=cmd().png"


def test_what_is_interrupted_leaves_nothing(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    field = save(tmp_path / "one.png", draw())
    monkeypatch.setattr(result, "segment", stop)
    with pytest.raises(KeyboardInterrupt):
        result.write([field], tmp_path / "out")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["one.png"]


def test_all_columns_are_written():
    assert set(table.empty_row("x")) == set(table.COLUMNS)
