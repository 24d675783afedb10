"""``segment`` and ``add-slide`` on whole slides: paused with Ctrl-C or killed, and resumed."""

import csv
import signal
import subprocess
import sys
import time

import pytest

from leukemia.cases import case as cases
from leukemia.cases import cells
from leukemia.cli.main import ANSWERED, SOME_NOT, STOPPED, UNUSABLE, main
from leukemia.segmentation import result
from leukemia.segmentation import segment as segmenting
from leukemia.segmentation.slides import search, state
from leukemia.settings import PROJECT
from tests.support import slides
from tests.support.fields import ColourNetwork

CELLS = ((300, 300, 60), (1_536, 700, 58), (1_000, 1_100, 56), (1_900, 1_700, 62))


@pytest.fixture
def slide(tmp_path):
    return slides.write(tmp_path / "one.tif", slides.smear(width=2_048, height=2_000, cells=CELLS))


@pytest.fixture
def network(monkeypatch):
    """Reads so many parts, then Ctrl-C is pressed."""

    class Network(ColourNetwork):
        left = 10**6

        def maps(self, pixels):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return super().maps(pixels)

    one = Network()
    for module in (segmenting, search):
        monkeypatch.setattr(module, "shipped", lambda: one)
    return one


def rows(folder):
    with (folder / result.TABLE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_ctrl_c_pauses_with_a_sentence_and_resume_goes_on(slide, network, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["segment", str(slide), "--output", str(out)]
    network.left = 2
    assert main(command) == STOPPED
    said = capsys.readouterr().err
    assert "Paused: 2 of 4 parts of the slide are searched" in said and "--resume to go on" in said
    assert not out.exists()
    network.left = 2
    assert main(command) == UNUSABLE
    assert "was interrupted. Add --resume" in capsys.readouterr().err
    assert main([*command, "--resume"]) == ANSWERED  # of four parts, two were left
    assert "4 white cells" in capsys.readouterr().out
    assert len(rows(out)) == 4 and not result.unfinished(out).exists()


def test_a_folder_of_slides_and_fields_is_one_result(slide, network, tmp_path, capsys):
    folder = tmp_path / "both"
    folder.mkdir()
    slide.rename(folder / "one.svs")
    (folder / "two.ndpi").write_bytes(b"nothing")
    assert main(["segment", str(folder), "--output", str(tmp_path / "out")]) == SOME_NOT
    found = rows(tmp_path / "out")
    assert len([row for row in found if row["crop"]]) == 4
    assert "cannot be read" in next(row["error"] for row in found if row["field"].endswith("two.ndpi"))


def test_a_differential_count_ends_at_the_cells_asked_for(slide, network, tmp_path):
    out = tmp_path / "out"
    assert main(["segment", str(slide), "--output", str(out), "--battlement", "--most", "2"]) == ANSWERED
    assert len(rows(out)) == 2 and "battlement" in rows(out)[0]["note"]


def test_a_slide_is_added_to_a_case(slide, network, tmp_path, tiny_bundle, monkeypatch, capsys):
    monkeypatch.setenv("LEUKEMIA_MODEL", str(tiny_bundle))
    data = tmp_path / "data"
    case = cases.create(data, "P-1", who="Ada")
    command = ["add-slide", str(slide), "--case", str(case.id), "--data", str(data)]
    network.left = 1
    assert main(command) == STOPPED
    assert "Paused: 1 of 4 parts" in capsys.readouterr().err
    network.left = 3
    assert main(command) == ANSWERED
    assert "4 cells added to the case" in capsys.readouterr().out
    assert len(cells.cells(data, case.id)) == 4
    network.left = 0
    assert main([*command, "--battlement"]) == UNUSABLE
    said = capsys.readouterr()
    assert "This slide is in the case already" in said.err and "added to the case" not in said.out


@pytest.mark.slow
@pytest.mark.process
def test_a_search_that_is_killed_goes_on_without_doubling_or_losing_a_cell(slide, tmp_path):
    def command(out):
        return [sys.executable, "-m", "leukemia", "segment", slide, "--output", out, "--resume"]

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(whole), cwd=PROJECT, check=True, capture_output=True)
    process = subprocess.Popen(
        command(killed), cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    kept = result.unfinished(killed) / "one.db"
    while process.poll() is None and not ((counts := state.begun(kept)) and counts.done):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    subprocess.run(command(killed), cwd=PROJECT, check=True, capture_output=True)
    assert rows(killed) == rows(whole) and len(rows(whole)) >= 4
