import csv
import io
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from leukemia import settings
from leukemia.audit import trail
from leukemia.bundles import bundle as bundles
from leukemia.cli import console
from leukemia.cli.main import ANSWERED, SOME_NOT, UNUSABLE, WRITERS, main, parser
from leukemia.errors import DatasetError
from leukemia.inference import decisions
from tests.support.bundle_factory import edit
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
    (streamed,), (written,) = csv.DictReader(io.StringIO(printed.out)), rows(out)
    assert streamed | {"classified_at": ""} == written | {"classified_at": ""}
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


@pytest.mark.parametrize("workers", ["abc", "2.5", "0", "-1", "9" * 5_000])
@pytest.mark.parametrize("arguments", [["--help"], ["check"], ["classify", "a.png", "--output", "-"]])
def test_a_setting_that_is_wrong_is_a_sentence(workers, arguments, monkeypatch, capsys):
    monkeypatch.setenv("LEUKEMIA_WORKERS", workers)
    assert main(arguments) == UNUSABLE
    out, said = capsys.readouterr()
    assert said.startswith("leukemia: The environment variable LEUKEMIA_WORKERS must be a whole number")
    assert (said.count("\n"), out) == (1, "")


def test_a_variable_that_is_empty_is_not_set(monkeypatch):
    for name in ("LEUKEMIA_WORKERS", "LEUKEMIA_DATA", "LEUKEMIA_MODEL", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    unset = settings.load()
    for name in ("LEUKEMIA_WORKERS", "LEUKEMIA_DATA", "LEUKEMIA_MODEL", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")
    assert settings.load() == unset
    assert settings.load().data == Path("data")


def test_a_command_that_writes_puts_changed_settings_on_record(
    tiny_bundle, drawn_files, tmp_path, monkeypatch, capsys
):
    (commands,) = (action for action in parser()._actions if action.dest == "command")
    assert set(commands.choices) >= WRITERS
    data, image = tmp_path / "data", str(sorted(drawn_files.iterdir())[0])
    monkeypatch.setenv("LEUKEMIA_DATA", str(data))
    assert main(["rollback", "--by", "Ada", "--reason", "none is in service"]) == UNUSABLE
    assert not data.exists(), "no folder is made by the way"
    arguments = ["classify", image, "--output", "-", "--model", str(tiny_bundle)]
    for workers in ("1", "1", "2"):
        monkeypatch.setenv("LEUKEMIA_WORKERS", workers)
        assert main(arguments) == ANSWERED
    entries = trail.entries(data, events=[trail.SETTINGS_CHANGED])
    assert [one.old for one in entries] == ["LEUKEMIA_WORKERS=1", ""]
    capsys.readouterr()
    for file in data.glob("records.db*"):
        file.write_bytes(b"no database" * 100)
    assert main(arguments) == ANSWERED
    assert "The settings are not on record." in capsys.readouterr().err


def numeric_options():
    """Every option that takes a number, with the arguments that the command needs beside it."""
    (commands,) = (action for action in parser()._actions if action.dest == "command")
    for name, command in commands.choices.items():
        needed = [text for action in command._actions if action.required for text in _given(action)]
        for action in command._actions:
            is_number = isinstance(action.default, int | float) and not isinstance(action.default, bool)
            if action.type and action.type is not Path and (is_number or "type" in vars(action)):
                yield name, needed, action


def _given(action):
    value = {"SHARE": "0.9"}.get(action.metavar, "1")
    return [action.option_strings[0], value] if action.option_strings else [value]


def test_every_number_that_is_none_or_out_of_bounds_is_a_sentence(capsys):
    seen = set()
    for name, needed, action in numeric_options():
        for wrong in ("abc", "", "nan", "9" * 5_000):
            option = action.option_strings[:1]
            given = [*needed, *option, wrong] if option else [wrong, *needed[1:]]
            with pytest.raises(SystemExit) as stop:
                parser().parse_args([name, *given])
            assert stop.value.code == UNUSABLE
            said = capsys.readouterr().err
            assert "error: " in said and "Traceback" not in said and len(said) < 6_000
            seen.add((name, action.dest))
    assert {("train", "seed"), ("sample", "seed"), ("sweep", "trials"), ("crossvalidate", "folds")} <= seen


def test_what_a_name_says_steers_no_terminal_and_fits_any_letters(monkeypatch):
    raw = io.BytesIO()
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, io.TextIOWrapper(raw, "cp1252", write_through=True))

    def run(_):
        print("done: 細胞 \x1b[2J\x9b0m ü\ttab")
        raise DatasetError("細胞\x1b]0;title\x07")

    monkeypatch.setattr("leukemia.cli.dataset.check", run)
    assert main(["check"]) == UNUSABLE
    shown = raw.getvalue().decode("cp1252").splitlines()
    assert shown == [
        r"done: \u7d30\u80de \x1b[2J\x9b0m ü" + "\ttab",
        r"leukemia: \u7d30\u80de\x1b]0;title\x07",
    ]


@pytest.mark.process
@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_keep_a_table_from_being_written(closed, tiny_bundle, drawn_files, tmp_path):
    image, out = sorted(drawn_files.iterdir())[0], tmp_path / "out.csv"
    command = [sys.executable, "-m", "leukemia", "classify", image, "--output", out, "--model", tiny_bundle]
    in_shell = f"{shlex.join(map(str, command))} {closed}"
    assert subprocess.run(["sh", "-c", in_shell], cwd=settings.PROJECT).returncode == ANSWERED
    assert len(rows(out)) == 1


def test_progress_in_a_file_is_a_line_now_and_then(monkeypatch, capsys):
    now = 0.0
    monkeypatch.setattr(console.time, "monotonic", lambda: now)
    with console.Bar() as bar:
        for done in range(1, 101):
            now += 1.0
            bar(done, 100, "Importing")
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "Importing: 100 of 100 images"
    assert len(lines) == 1 + 99 // console.BETWEEN_LINES


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


@pytest.mark.parametrize("folds", ["2", "3"])
def test_fewer_folds_than_their_calibration_takes_are_refused_in_a_sentence(folds, capsys):
    with pytest.raises(SystemExit) as stop:
        parser().parse_args(["crossvalidate", "--recipe", "reference-cnn", "--folds", folds])
    assert stop.value.code == UNUSABLE
    assert f"argument --folds: must be a whole number from 4 to 1,000, not {folds}" in capsys.readouterr().err
