"""``segment``, and ``classify --fields``."""

import csv

import pytest
from PIL import Image

from leukemia.cli.main import ANSWERED, SOME_NOT, UNUSABLE, main
from leukemia.segmentation import segment as segmenting
from leukemia.settings import RESEARCH_USE
from tests.support.fields import ColourNetwork, draw


@pytest.fixture
def fields(tmp_path, monkeypatch):
    monkeypatch.setattr(segmenting, "shipped", ColourNetwork)
    folder = tmp_path / "fields"
    folder.mkdir()
    Image.fromarray(draw(white=[(200, 200, 60), (450, 300, 60)])).save(folder / "a.png")
    Image.fromarray(draw(white=[(15, 200, 60)])).save(folder / "b.png")
    return folder


def test_a_folder_is_segmented_and_the_result_replaced_by_the_next(fields, tmp_path, capsys):
    command = ["segment", str(fields), "--output", str(tmp_path / "out")]
    assert main(command) == ANSWERED
    out = capsys.readouterr().out
    assert "3 white cells in 2 of 2 fields" in out and RESEARCH_USE in out
    assert main(command) == ANSWERED
    assert len(list((tmp_path / "out" / "crops").iterdir())) == 3


def test_a_file_that_is_no_field_shows_in_the_status(fields, tmp_path, capsys):
    (fields / "c.png").write_bytes(b"nothing")
    assert main(["segment", str(fields), "--output", str(tmp_path / "out")]) == SOME_NOT
    assert "1 could not be used" in capsys.readouterr().err


def test_a_folder_of_something_else_stays_as_it_was(fields, capsys):
    assert main(["segment", str(fields), "--output", str(fields)]) == UNUSABLE
    assert "was not changed" in capsys.readouterr().err
    assert len(list(fields.iterdir())) == 2


def test_the_cells_of_fields_are_classified_with_their_boxes(fields, tiny_bundle, tmp_path):
    out = tmp_path / "out.csv"
    command = ["classify", str(fields), "--fields", "--output", str(out), "--model", str(tiny_bundle)]
    assert main(command) == SOME_NOT
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["edge"] for row in rows] == ["no", "no", "yes"]
    assert [float(row["x"]) for row in rows[:2]] == pytest.approx([140, 390], abs=6)
    assert all(row["probability"] or "Unlike the cells" in row["error"] for row in rows[:2])
    assert rows[2]["decision"] == "Not classified" or "edge cuts" in rows[2]["error"]
    assert all("7.2 µm" in row["note"] for row in rows)


def test_fields_without_a_cell_and_broken_ones_are_rows(fields, tiny_bundle, tmp_path):
    Image.fromarray(draw(white=[])).save(fields / "c.png")
    (fields / "d.png").write_bytes(b"nothing")
    out = tmp_path / "out.csv"
    command = ["classify", str(fields), "--fields", "--output", str(out), "--model", str(tiny_bundle)]
    assert main(command) == SOME_NOT
    with out.open(encoding="utf-8", newline="") as file:
        rows = {row["file"].rpartition("/")[2]: row for row in csv.DictReader(file)}
    assert "No white cell" in rows["c.png"]["error"] and rows["c.png"]["x"] == ""
    assert "Not a readable image" in rows["d.png"]["error"]
