"""The command line: help, options and settings, what a user gets wrong, what is printed."""

import errno
import io
import subprocess
import sys
from pathlib import Path

import pytest

from leukemia import settings
from leukemia.audit import trail
from leukemia.bundles import bundle as bundles
from leukemia.cli import console, dataset, inference, training
from leukemia.cli.arguments import as_named, as_path
from leukemia.cli.main import ANSWERED, STOPPED, UNUSABLE, WRITERS, main, parser
from leukemia.errors import DatasetError

COMMANDS = ("prepare", "sample", "recipes", "train", "evaluate", "classify")
# Readers of arguments that name a file, a folder or a bucket.
NAMES = (as_named, as_path)
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


# What each command that is no writer leaves as it was, or only what can be computed again.
READERS = {
    "sample",
    "check",
    "measure",
    "evaluate",
    "map",
    "segment",
    "recipes",
    "pace",
    "versions",
    "report",
}


def test_of_each_command_it_is_known_whether_it_writes():
    (commands,) = (action for action in parser()._actions if action.dest == "command")
    assert set(commands.choices) == WRITERS | READERS | {"audit", "backup", "restore"}
    assert {"add-slide", "verify-stated"} <= WRITERS


@pytest.mark.parametrize(
    ("arguments", "resumed"),
    [
        (["classify", "a.png", "--output", "-"], False),
        (["classify", "a.png", "--output", "out.csv", "--executor", "ray"], True),
        (["train", "--recipe", "dense-baseline"], True),
        (["measure"], True),
        (["sample", "out"], False),
    ],
)
def test_only_a_command_that_resumes_says_so(arguments, resumed, monkeypatch, capsys):
    raised = iter((OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()))

    def fails(_):
        raise next(raised)

    for module in (inference, training, dataset):
        for name in {"classify", "train", "measure", "sample"} & set(vars(module)):
            monkeypatch.setattr(module, name, fails)
    assert main(arguments) == UNUSABLE
    full = capsys.readouterr().err
    assert "The disk is full. Free some space, then run the " in full
    assert main(arguments) == STOPPED
    stopped = capsys.readouterr().err
    assert "Stopped." in stopped
    assert {"to resume" in said for said in (full, stopped)} == {resumed}
    assert ("Finished work is kept" in stopped) == resumed


def typed_arguments():
    """Every argument that is read as something, with the arguments that the command needs beside it."""
    (commands,) = (action for action in parser()._actions if action.dest == "command")
    for name, command in commands.choices.items():
        needed = [text for action in command._actions if action.required for text in _given(action)]
        for action in command._actions:
            is_number = isinstance(action.default, int | float) and not isinstance(action.default, bool)
            if action.type and (is_number or "type" in vars(action)):
                yield name, needed, action


def _given(action):
    value = {"SHARE": "0.9"}.get(action.metavar, "1")
    return [action.option_strings[0], value] if action.option_strings else [value]


def test_every_number_that_is_none_or_out_of_bounds_is_a_sentence(capsys):
    seen = set()
    for name, needed, action in typed_arguments():
        if action.type in NAMES:
            continue
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


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify", "", "--output", "cells.csv"],
        ["classify", "cells", "--output", " "],
        ["prepare", ""],
        ["train", "--recipe", "dense-baseline", "--data", ""],
    ],
)
def test_an_empty_name_is_not_the_current_folder(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == UNUSABLE
    assert "the name of a file or folder is empty" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_every_name_of_a_file_or_folder_is_read_by_what_refuses_an_empty_one():
    seen = {(name, action.dest) for name, _, action in typed_arguments() if action.type in NAMES}
    assert {
        ("classify", "paths"),
        ("segment", "paths"),
        ("verify-stated", "source"),
        ("train", "data"),
    } <= seen
    assert not any(action.type is Path for _, _, action in typed_arguments())


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


@pytest.mark.parametrize("folds", ["2", "3"])
def test_fewer_folds_than_their_calibration_takes_are_refused_in_a_sentence(folds, capsys):
    with pytest.raises(SystemExit) as stop:
        parser().parse_args(["crossvalidate", "--recipe", "reference-cnn", "--folds", folds])
    assert stop.value.code == UNUSABLE
    assert f"argument --folds: must be a whole number from 4 to 1,000, not {folds}" in capsys.readouterr().err
