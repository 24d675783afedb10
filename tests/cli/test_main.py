import csv
import subprocess
import sys

import pytest

from leukemia import settings
from leukemia.bundles import bundle as bundles
from leukemia.cli.main import ANSWERED, SOME_NOT, UNUSABLE, main
from tests.support.pictures import ellipse, encoded

COMMANDS = ("prepare", "sample", "recipes", "train", "evaluate", "classify")
HEAVY = {"tensorflow", "keras", "mlflow", "openvino", "pandas", "sklearn", "numpy", "PIL", "streamlit"}


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.process
def test_help_imports_nothing_heavy(command):
    code = (
        "import sys\nfrom leukemia.cli.main import main\n"
        f"try: main({[command] if command else []!r} + ['--help'])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=settings.PROJECT, check=True
    )
    told, loaded = done.stdout.split("LOADED")
    assert "usage:" in told
    assert not HEAVY & set(loaded.split())


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_classify_answers_a_folder(tiny_bundle, drawn_files, tmp_path):
    out = tmp_path / "out.csv"
    assert main(["classify", str(drawn_files), "--output", str(out), "--model", str(tiny_bundle)]) == ANSWERED
    found = rows(out)
    assert len(found) == 60
    assert list(found[0])[:4] == ["file", "probability", "label", "error"]
    assert found[0]["file"] == str(sorted(drawn_files.iterdir())[0])
    threshold = bundles.read(tiny_bundle).threshold
    for row in found:
        assert row["label"] == ("ALL" if float(row["probability"]) >= threshold else "Normal")
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
    assert (found["empty.png"]["error"], found["empty.png"]["label"]) == ("The file is empty.", "")


def test_a_file_named_outright_is_answered_whatever_its_suffix(tiny_bundle, drawn_files, tmp_path):
    strange = tmp_path / "cell.dat"
    strange.write_bytes(sorted(drawn_files.iterdir())[0].read_bytes())
    out = tmp_path / "out.csv"
    assert main(["classify", str(strange), "--output", str(out), "--model", str(tiny_bundle)]) == ANSWERED
    assert rows(out)[0]["label"]


def test_the_scale_of_a_frame_of_another_size_is_to_be_stated(tiny_bundle, tmp_path, capsys):
    image, out = tmp_path / "cell.png", tmp_path / "out.csv"
    image.write_bytes(encoded(ellipse(225, area=8_000), "PNG"))
    arguments = ["classify", str(image), "--output", str(out), "--model", str(tiny_bundle)]
    assert main(arguments) == SOME_NOT
    (row,) = rows(out)
    assert (row["probability"], row["label"], row["note"]) == ("", "", "")
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
    assert "must be a number of micrometres, or native" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["classify", "gone.bmp", "--output", "out.csv"], "No such file or folder: gone.bmp"),
        (["classify", "hollow", "--output", "out.csv"], "No image in hollow"),
        (["classify", "one.bmp", "--output", "no/out.csv"], "Cannot write no/out.csv"),
        (["classify", "one.bmp", "--output", "hollow"], "Cannot write hollow"),
        (["classify", "one.bmp", "--output", "out.csv", "--model", "gone"], "No model bundle at gone"),
        (["evaluate", "gone"], "No model bundle at gone"),
        (["evaluate", "hollow"], "hollow is not a model bundle"),
        (["train", "--recipe", "dense-baseline", "--data", "hollow"], "No prepared images in hollow"),
        (["train", "--recipe", "vgg", "--data", "hollow"], "There is no recipe 'vgg'"),
        (["prepare", "gone", "--output", "out"], "gone"),
        (["prepare", "hollow", "--output", "out"], "hollow"),
    ],
)
def test_what_a_user_gets_wrong_is_one_line(arguments, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hollow").mkdir()
    (tmp_path / "one.bmp").write_bytes(b"x")
    assert main(arguments) == UNUSABLE
    told = capsys.readouterr().err.strip().splitlines()
    assert says in told[-1]
    assert not any("Traceback" in line for line in told)
    assert not (tmp_path / "out.csv").exists()


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
    assert printed.out == out.read_text()
    assert "1 of 1 images classified" in printed.err


@pytest.mark.parametrize("command", ["train", "crossvalidate", "sweep"])
def test_a_training_does_not_replace_a_folder_that_is_no_bundle(command, tmp_path, capsys):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "holiday.jpg").write_bytes(b"x")
    more = ["--vary", "dropout=0:0.5"] if command == "sweep" else []
    arguments = [command, "--recipe", "dense-baseline", "--data", str(tmp_path), "--output", str(photos)]
    assert main([*arguments, *more]) == UNUSABLE
    assert "not just a model bundle. It was not changed" in capsys.readouterr().err
    assert (photos / "holiday.jpg").read_bytes() == b"x"


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["classify"], ["train"], ["train", "--recipe"]])
def test_unusable_arguments_end_with_status_two(arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == UNUSABLE


@pytest.mark.parametrize(
    ("option", "value"),
    [("--target-recall", "1.5"), ("--epochs", "0"), ("--seed", "-1"), ("--split", "cell")],
)
def test_numbers_out_of_bounds_are_refused(option, value):
    with pytest.raises(SystemExit) as stop:
        main(["train", "--recipe", "dense-baseline", option, value])
    assert stop.value.code == UNUSABLE


def test_a_full_disk_is_one_line(tiny_bundle, drawn_files, tmp_path, monkeypatch, capsys):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("leukemia.storage.atomic._neighbour", full)
    out = tmp_path / "out.csv"
    assert main(["classify", str(drawn_files), "--output", str(out), "--model", str(tiny_bundle)]) == UNUSABLE
    assert "The disk is full" in capsys.readouterr().err


def test_evaluate_prints_the_figures_of_the_record(tiny_bundle, capsys):
    assert main(["evaluate", str(tiny_bundle)]) == ANSWERED
    told = capsys.readouterr().out
    assert str(bundles.read(tiny_bundle).record.estimates["auroc"]) in told
    assert "For research use only" in told


def test_evaluate_compares_several_bundles(tiny_bundle, tmp_path, capsys):
    assert main(["evaluate", str(tiny_bundle), str(tiny_bundle)]) == ANSWERED
    assert capsys.readouterr().out.count("| tiny-test | patient |") == 2
    assert main(["evaluate", str(tiny_bundle), str(tiny_bundle), "--data", str(tmp_path)]) == UNUSABLE


def test_recipes_are_listed_with_parameters_and_settings(capsys):
    assert main(["recipes"]) == ANSWERED
    told = capsys.readouterr().out
    for word in (
        "dense-baseline",
        "reference-cnn-regularized",
        "7,474,561 parameters",
        "dropout=0.5",
        "256-pixel",
    ):
        assert word in told
