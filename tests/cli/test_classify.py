"""``classify`` writes a table with a row for each image, and replaces nothing that is no table."""

import csv
import io
import shlex
import shutil
import subprocess
import sys

import pytest
from PIL import Image

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.cli.main import ANSWERED, SOME_NOT, UNUSABLE, main
from leukemia.inference import decisions
from tests.support.bundle_factory import edit
from tests.support.pictures import ellipse, encoded


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_classify_answers_a_folder(tiny_bundle, drawn_files, tmp_path):
    out = tmp_path / "out.csv"
    assert main(["classify", str(drawn_files), "--output", str(out), "--model", str(tiny_bundle)]) == ANSWERED
    found = rows(out)
    assert len(found) == 60
    assert list(found[0])[:4] == ["file", "probability", "decision", "error"]
    assert found[0]["file"] == str(sorted(drawn_files.iterdir())[0])
    threshold = bundles.read(tiny_bundle).threshold
    for row in found:
        assert row["decision"] == ("ALL-like" if float(row["probability"]) >= threshold else "Normal-like")
        assert 0 <= float(row["probability"]) <= 1


def test_a_file_that_cannot_be_read_is_a_row_and_shows_in_the_status(tiny_bundle, drawn_files, tmp_path):
    (tmp_path / "text.bmp").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("not asked for: only images of a folder are answered")
    good = sorted(drawn_files.iterdir())[0]
    out = tmp_path / "out.csv"
    arguments = ["classify", str(good), str(tmp_path), "--output", str(out), "--model", str(tiny_bundle)]
    assert main(arguments) == SOME_NOT
    found = {row["file"].rsplit("/", 1)[-1]: row for row in rows(out)}
    assert set(found) == {good.name, "text.bmp", "empty.png"}
    assert found[good.name]["error"] == ""
    assert found["text.bmp"]["error"].startswith("Not a readable image")
    assert (found["empty.png"]["error"], found["empty.png"]["decision"]) == (
        "The file is empty.",
        "Not classified",
    )


def test_a_file_named_outright_is_answered_whatever_its_suffix(tiny_bundle, drawn_files, tmp_path):
    strange = tmp_path / "cell.dat"
    strange.write_bytes(sorted(drawn_files.iterdir())[0].read_bytes())
    out = tmp_path / "out.csv"
    assert main(["classify", str(strange), "--output", str(out), "--model", str(tiny_bundle)]) == ANSWERED
    assert rows(out)[0]["probability"]


def test_the_scale_of_a_frame_of_another_size_is_to_be_stated(tiny_bundle, tmp_path, capsys):
    image, out = tmp_path / "cell.png", tmp_path / "out.csv"
    image.write_bytes(encoded(ellipse(225, area=8_000), "PNG"))
    arguments = ["classify", str(image), "--output", str(out), "--model", str(tiny_bundle)]
    assert main(arguments) == SOME_NOT
    (row,) = rows(out)
    assert (row["probability"], row["decision"], row["note"]) == ("", "Not classified", "")
    assert "the frame is 225 × 225 pixels" in row["error"]
    assert "--pixel-size" in capsys.readouterr().out

    assert main([*arguments, "--pixel-size", "0.1"]) == ANSWERED
    (row,) = rows(out)
    assert row["note"] == "scale: 0.1 µm per pixel, as stated, resampled by 2"
    assert float(row["cell_area_px"]) == pytest.approx(32_000, rel=0.03)
    assert main([*arguments, "--pixel-size", "native"]) == ANSWERED
    (row,) = rows(out)
    assert row["note"] == "scale: native, as stated; the cell is unusually small (check the scale)"
    assert row["cell_area_px"] == "8005"


def test_a_scale_that_no_model_can_use_is_refused_before_anything_is_read(tiny_bundle, tmp_path, capsys):
    (tmp_path / "one.bmp").write_bytes(b"x")
    out = tmp_path / "out.csv"
    arguments = ["classify", str(tmp_path), "--output", str(out), "--model", str(tiny_bundle)]
    assert main([*arguments, "--pixel-size", "65"]) == UNUSABLE
    assert "65 µm per pixel is too far from the model's scale" in capsys.readouterr().err
    assert not out.exists()
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--pixel-size", "fine"])
    assert stop.value.code == UNUSABLE
    assert "must be a number of micrometres above 0, or native" in capsys.readouterr().err


def test_an_image_that_a_shell_pattern_names_as_output_stays_as_it_was(
    tiny_bundle, drawn_files, tmp_path, capsys
):
    images = []
    for path in sorted(drawn_files.iterdir())[:3]:
        images.append(tmp_path / path.name)
        images[-1].write_bytes(path.read_bytes())
    before = [path.read_bytes() for path in images]
    first, *others = map(str, images)
    for paths in (others, [first, *others], [str(tmp_path)]):
        assert main(["classify", "--output", first, *paths, "--model", str(tiny_bundle)]) == UNUSABLE
        assert "It was not changed: name another file." in capsys.readouterr().err
    assert [path.read_bytes() for path in images] == before


def test_a_table_is_replaced_by_the_next_and_streamed_without_a_word_more(
    tiny_bundle, drawn_files, tmp_path, capfd
):
    one, out = sorted(drawn_files.iterdir())[0], tmp_path / "out.csv"
    arguments = ["classify", str(one), "--model", str(tiny_bundle), "--output"]
    for _ in range(2):
        assert main([*arguments, str(out)]) == ANSWERED
    assert "1 of 1 images classified" in capfd.readouterr().out
    assert main([*arguments, "-"]) == ANSWERED
    printed = capfd.readouterr()
    (streamed,), (written,) = csv.DictReader(io.StringIO(printed.out)), rows(out)
    assert streamed | {"classified_at": ""} == written | {"classified_at": ""}
    assert "1 of 1 images classified" in printed.err


def test_a_full_disk_is_one_line(tiny_bundle, drawn_files, tmp_path, monkeypatch, capsys):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("leukemia.storage.atomic._neighbour", full)
    out = tmp_path / "out.csv"
    assert main(["classify", str(drawn_files), "--output", str(out), "--model", str(tiny_bundle)]) == UNUSABLE
    assert "The disk is full" in capsys.readouterr().err


@pytest.mark.process
@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_keep_a_table_from_being_written(closed, tiny_bundle, drawn_files, tmp_path):
    image, out = sorted(drawn_files.iterdir())[0], tmp_path / "out.csv"
    command = [sys.executable, "-m", "leukemia", "classify", image, "--output", out, "--model", tiny_bundle]
    in_shell = f"{shlex.join(map(str, command))} {closed}"
    assert subprocess.run(["sh", "-c", in_shell], cwd=settings.PROJECT).returncode == ANSWERED
    assert len(rows(out)) == 1


def test_classify_says_which_cells_the_model_learned_from(tiny_bundle, drawn_files, tmp_path, capsys):
    copy = edit(shutil.copytree(tiny_bundle, tmp_path / "folds"), {"split.folds": 3})
    known = set(bundles.read(copy).predictions["image_id"])
    out = tmp_path / "out.csv"
    assert main(["classify", str(drawn_files), "--output", str(out), "--model", str(copy)]) == ANSWERED
    found = rows(out)
    assert {row["image_id"] for row in found if row["learned_from"] == "yes"} == known
    assert all(bool(row["held_out_decision"]) == (row["learned_from"] == "yes") for row in found)
    told = capsys.readouterr().out
    assert f"The model learned from {len(known)} of these images" in told
    assert "By networks that had not seen their patients: " in told
    assert "Normal-like below 0.500, ALL-like at 0.500 or above." in told


def test_classify_says_that_a_copy_as_jpeg_may_be_of_a_cell_learned_from(
    tiny_bundle, drawn_files, tmp_path, capsys
):
    model = edit(shutil.copytree(tiny_bundle, tmp_path / "folds"), {"split.folds": 3})
    first = sorted(drawn_files.glob("*"))[0]
    Image.open(first).convert("RGB").save(tmp_path / "copy.jpg", quality=95)
    out = tmp_path / "out.csv"
    main(["classify", str(first), str(tmp_path / "copy.jpg"), "--output", str(out), "--model", str(model)])
    found = {row["file"].rpartition("/")[2]: row["learned_from"] for row in rows(out)}
    assert found["copy.jpg"] == "unknown" and found[first.name] in ("yes", "no")
    told = capsys.readouterr().out
    assert "1 image is a lossy file (such as JPEG): it is not known whether the model learned" in told
    assert "In the column learned_from: unknown." in told


def test_a_table_of_an_earlier_version_is_one_of_ours_and_others_are_none():
    earlier = (
        "file,probability,label,error,decision,distance_to_threshold,threshold,image_id,cell_area_px,model"
    )
    assert decisions.is_table(f"{earlier},model_sha256,note,notice\nrest")
    assert decisions.is_table(",".join(decisions.COLUMNS) + "\n")
    for other in (
        "file,probability\n",
        "name,model_sha256,notice\n",
        "\x89PNG",
        ",".join(decisions.COLUMNS[1:]),
    ):
        assert not decisions.is_table(other)
