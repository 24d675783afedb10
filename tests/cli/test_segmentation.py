"""``segment``, and ``classify --fields``."""

import csv

import pytest
from PIL import Image

from leukemia.cli.main import ANSWERED, SOME_NOT, UNUSABLE, main
from leukemia.segmentation import segment as segmenting
from leukemia.settings import RESEARCH_USE
from tests.support.bundle_factory import write_bundle
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


def test_a_result_among_its_fields_is_no_field_of_the_next_run(fields, tmp_path, monkeypatch, capsys):
    (tmp_path / "link").symlink_to(fields)
    monkeypatch.chdir(fields)
    for named, out in (
        (fields, fields / "cells"),
        (tmp_path / "link", fields / "cells"),
        (".", tmp_path / "link" / "cells"),
    ):
        assert main(["segment", str(named), "--output", str(out)]) == ANSWERED
        assert "3 white cells in 2 of 2 fields" in capsys.readouterr().out
        assert len(list((fields / "cells" / "crops").iterdir())) == 3
    # Also through a link to what lies in it.
    (fields / "crops").symlink_to(fields / "cells" / "crops")
    (fields / "c.png").symlink_to(next((fields / "cells" / "crops").iterdir()))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert main(["segment", "../fields", "--output", "../fields/cells"]) == ANSWERED
    assert "3 white cells in 2 of 2 fields" in capsys.readouterr().out


@pytest.mark.parametrize("named", ["../cells", "."])
def test_whoever_is_in_the_result_is_told_before_any_work_to_go_elsewhere(named, fields, monkeypatch, capsys):
    out = fields / "cells"
    assert main(["segment", str(fields), "--output", str(out)]) == ANSWERED
    before = {path: path.read_bytes() for path in fields.rglob("*.*")}
    capsys.readouterr()
    monkeypatch.chdir(out)
    assert main(["segment", "..", "--output", named]) == UNUSABLE
    said = capsys.readouterr().err
    assert f"You are in {out}, which would be replaced. It was not changed: go to another folder" in said
    assert "Finding cells" not in said
    assert {path: path.read_bytes() for path in fields.rglob("*.*")} == before


@pytest.mark.parametrize("named", ["cells/../cells", "link"])
def test_a_path_through_the_result_and_a_link_to_it_lead_to_it(named, fields, monkeypatch, capsys):
    monkeypatch.chdir(fields)
    (fields / "link").symlink_to("cells")
    assert main(["segment", ".", "--output", "cells"]) == ANSWERED
    for _ in range(2):
        assert main(["segment", ".", "--output", named]) == ANSWERED
        assert "3 white cells in 2 of 2 fields" in capsys.readouterr().out
        assert (fields / "link").is_symlink() and len(list((fields / "cells" / "crops").iterdir())) == 3
    assert sorted(path.name for path in fields.iterdir()) == ["a.png", "b.png", "cells", "link"]


@pytest.mark.parametrize("named", [".", "crops", "crops/a-0001.png", "../link/a-0001.png"])
def test_a_result_is_not_replaced_where_it_is_what_is_read(named, fields, tmp_path, monkeypatch, capsys):
    out = fields / "cells"
    assert main(["segment", str(fields), "--output", str(out)]) == ANSWERED
    (fields / "link").symlink_to(out / "crops")
    before = {path: path.read_bytes() for path in out.rglob("*.*")}
    monkeypatch.chdir(out)
    assert main(["segment", named, "--output", str(out)]) == UNUSABLE
    said = capsys.readouterr().err
    assert "is to be read and lies in" in said and "It was not changed: name another folder." in said
    assert {path: path.read_bytes() for path in out.rglob("*.*")} == before


def test_fields_that_are_only_an_earlier_result_are_none(fields, capsys):
    out = fields / "cells"
    main(["segment", str(fields), "--output", str(out)])
    for name in ("a.png", "b.png"):
        (fields / name).unlink()
    assert main(["segment", str(fields), "--output", str(out)]) == UNUSABLE
    assert "No image in" in capsys.readouterr().err and len(list((out / "crops").iterdir())) == 3


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


def test_fields_that_were_taken_for_cells_are_told_how_to_be_searched(fields, tiny_bundle, tmp_path, capsys):
    command = ["classify", str(fields), "--output", str(tmp_path / "out.csv"), "--model", str(tiny_bundle)]
    assert main(command) == SOME_NOT
    assert "2 images are not single cells cut out on black. Where these are fields of a smear, --fields" in (
        capsys.readouterr().out
    )
    assert main([*command, "--fields"]) == SOME_NOT
    said = capsys.readouterr().out
    assert "3 white cells found in 2 fields" in said and "cut out" not in said
    named = [row["file"] for row in rows_of(tmp_path / "out.csv")]
    assert named == [
        f"{row['field']}, cell {n}" for row, n in zip(rows_of(tmp_path / "out.csv"), (1, 2, 1), strict=True)
    ]


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


def rows_of(file):
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def test_fields_are_classified_with_their_stain_matched_when_asked(fields, stain_bundle, tmp_path, capsys):
    command = ["classify", str(fields), "--fields", "--model", str(stain_bundle), "--output"]
    main([*command, str(tmp_path / "plain.csv")])
    assert "Stain matched" not in capsys.readouterr().out
    main([*command, str(tmp_path / "matched.csv"), "--match-stain"])
    out = capsys.readouterr().out
    assert "(median of 2 whole cells); comparable: 0 → 2 (a cell is answered up to 1.50)" in out
    plain, matched = rows_of(tmp_path / "plain.csv"), rows_of(tmp_path / "matched.csv")
    assert [one["stain_matched"] for one in plain] == ["no"] * 3
    assert [one["stain_matched"] for one in matched] == ["yes", "yes", "no"]
    assert [one["probability"] != "" for one in matched] == [True, True, False]
    assert [one["probability"] != "" for one in plain] == [False] * 3
    assert [one["distance_unmatched"] for one in matched] == [one["distance"] for one in plain]
    assert [one["image_id"] for one in matched] == [one["image_id"] for one in plain]


def test_segment_writes_recoloured_cells_beside_those_as_they_are(fields, stain_bundle, tmp_path):
    out, matched = tmp_path / "out", tmp_path / "matched"
    main(["segment", str(fields), "--output", str(out)])
    command = ["segment", str(fields), "--model", str(stain_bundle), "--match-stain", "--output"]
    assert main([*command, str(matched)]) == ANSWERED
    plain, rows = rows_of(out / "cells.csv"), rows_of(matched / "cells.csv")
    assert {one["matched_crop"] for one in plain} == {""}
    whole = [one for one in rows if one["edge"] == "no"]
    assert len(whole) == 2 and all(one["matched_crop"] for one in whole)
    for was, now in zip(plain, rows, strict=True):
        assert (out / was["crop"]).read_bytes() == (matched / now["crop"]).read_bytes()
    for one in whole:
        assert float(one["distance"]) < float(one["distance_limit"]) < float(one["distance_unmatched"])
        assert (matched / one["matched_crop"]).read_bytes() != (matched / one["crop"]).read_bytes()
    assert main([*command, str(matched)]) == ANSWERED, "it may be replaced"


@pytest.mark.parametrize("command", [["segment"], ["classify", "--fields"]])
def test_a_model_without_a_recorded_stain_is_refused_before_any_work(command, fields, tmp_path, capsys):
    bundle = write_bundle(tmp_path / "bundle")
    out = tmp_path / ("out.csv" if "--fields" in command else "out")
    options = ["--model", str(bundle), "--match-stain", "--output", str(out)]
    assert main([*command, str(fields), *options]) == UNUSABLE
    assert "does not record the colours of its training cells" in capsys.readouterr().err
    assert not out.exists()


def test_matching_is_for_fields_alone(fields, stain_bundle, tmp_path, capsys):
    command = ["classify", str(fields), "--match-stain", "--output", str(tmp_path / "out.csv")]
    assert main([*command, "--model", str(stain_bundle)]) == UNUSABLE
    assert "give --fields" in capsys.readouterr().err
